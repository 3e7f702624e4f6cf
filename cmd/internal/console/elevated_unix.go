//go:build unix && !linux

package console

import "os"

// elevated reports whether the program may open files that its user may not.
func elevated() bool { return os.Geteuid() != os.Getuid() || os.Getegid() != os.Getgid() }
