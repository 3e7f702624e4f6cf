//go:build !linux && !plan9

package ctnetlink

import "syscall"

// isSystem reports whether target is the number of this system for the same
// error.
func (e Errno) isSystem(target error) bool {
	n, ok := target.(syscall.Errno)
	if !ok {
		return false
	}
	switch e {
	case EPERM:
		return n == syscall.EPERM
	case ENOENT:
		return n == syscall.ENOENT
	case EINTR:
		return n == syscall.EINTR
	case EAGAIN:
		return n == syscall.EAGAIN
	case ENOMEM:
		return n == syscall.ENOMEM
	case EACCES:
		return n == syscall.EACCES
	case EBUSY:
		return n == syscall.EBUSY
	case EEXIST:
		return n == syscall.EEXIST
	case EINVAL:
		return n == syscall.EINVAL
	case EMFILE:
		return n == syscall.EMFILE
	case ENOSPC:
		return n == syscall.ENOSPC
	case ERANGE:
		return n == syscall.ERANGE
	case EMSGSIZE:
		return n == syscall.EMSGSIZE
	case EOPNOTSUPP:
		return n == syscall.EOPNOTSUPP
	case EAFNOSUPPORT:
		return n == syscall.EAFNOSUPPORT
	case ENOBUFS:
		return n == syscall.ENOBUFS
	case EALREADY:
		return n == syscall.EALREADY
	}
	return false
}
