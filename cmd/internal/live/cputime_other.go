//go:build !unix || aix || solaris || illumos

package live

import "time"

var processStart = time.Now()

// processTime returns the time since the start: what the process has used of the
// processor is not asked for on this system. A dump is thought to keep one core busy
// as long as it takes.
func processTime() time.Duration { return time.Since(processStart) }
