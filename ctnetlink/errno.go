package ctnetlink

import (
	"errors"
	"io/fs"
	"strconv"
)

// Errno is a refusal by the table: Linux's error number with glibc's text,
// whatever system the program runs on. The numbers are those of the machine:
// MIPS has its own for [ENOBUFS] and others. Errors of [Conn] can be compared with
// errors.Is(err, ctnetlink.ENOENT).
type Errno uint32

// The numbers that ctnetlink answers with (asm-generic/errno-base.h and
// asm-generic/errno.h; ENOTSUPP is internal to the kernel and leaks out).
// EMSGSIZE, EOPNOTSUPP, EAFNOSUPPORT, ENOBUFS and EALREADY have other numbers on MIPS.
const (
	EPERM    Errno = 1
	ENOENT   Errno = 2
	EINTR    Errno = 4
	EAGAIN   Errno = 11
	ENOMEM   Errno = 12
	EACCES   Errno = 13
	EBUSY    Errno = 16
	EEXIST   Errno = 17
	EINVAL   Errno = 22
	EMFILE   Errno = 24 // the table of expectations is full
	ENOSPC   Errno = 28
	ERANGE   Errno = 34
	ETIME    Errno = 62
	ENOTSUPP Errno = 524
)

// Error returns glibc's text for the number.
func (e Errno) Error() string {
	if e < Errno(len(errnoText)) && errnoText[e] != "" {
		return errnoText[e]
	}
	return "Unknown error " + strconv.FormatUint(uint64(e), 10)
}

// AsErrno returns the error number inside err, if there is one.
func AsErrno(err error) (Errno, bool) {
	var e Errno
	ok := errors.As(err, &e)
	return e, ok
}

// OpError says what was being done when a request failed.
type OpError struct {
	Op  string // "create", "dump", "open socket", …
	Err error
}

func (e *OpError) Error() string { return "ctnetlink: " + e.Op + ": " + e.Err.Error() }

// Unwrap returns the cause, for errors.Is and errors.As.
func (e *OpError) Unwrap() error { return e.Err }

// Errors of messages and sockets that do not come from the table.
var (
	// ErrMalformed: a message contradicts its own lengths, or lacks what a
	// message of its kind always has.
	ErrMalformed = errors.New("malformed netlink message")
	// ErrTruncated: a datagram was longer than the buffer it was read into.
	ErrTruncated = errors.New("truncated netlink datagram")
	// ErrNoAnswer: the table acknowledged a request without answering it.
	ErrNoAnswer = errors.New("no answer from the table")
	// ErrUnsupported: this system has no kernel table.
	ErrUnsupported = errors.New("no nf_conntrack on this system")
)

// Is makes errors.Is(err, target) true for the errors of the standard library
// that mean the same: fs.ErrNotExist for ENOENT, fs.ErrExist for EEXIST,
// fs.ErrPermission for EPERM and EACCES, errors.ErrUnsupported for EOPNOTSUPP,
// EAFNOSUPPORT and ENOTSUPP, and the syscall.Errno of the same name.
func (e Errno) Is(target error) bool {
	switch target {
	case fs.ErrNotExist:
		return e == ENOENT
	case fs.ErrExist:
		return e == EEXIST
	case fs.ErrPermission:
		return e == EPERM || e == EACCES
	case errors.ErrUnsupported:
		return e == EOPNOTSUPP || e == EAFNOSUPPORT || e == ENOTSUPP
	}
	return e.isSystem(target)
}
