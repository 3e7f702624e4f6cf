package ctnetlink

import "syscall"

// isSystem reports whether target is the same number of this system.
func (e Errno) isSystem(target error) bool {
	n, ok := target.(syscall.Errno)
	return ok && Errno(n) == e
}
