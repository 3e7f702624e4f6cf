//go:build unix && !aix && !solaris && !illumos

package live

import (
	"syscall"
	"time"
)

// processTime returns the processor's time that the process has used.
func processTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
