package ctnetlink

import (
	"strings"
	"syscall"
	"testing"
)

// TestErrnoOfTheMachine compares numbers and texts with those that the Go
// standard library has for this architecture.
func TestErrnoOfTheMachine(t *testing.T) {
	for _, tt := range []struct {
		ours   Errno
		system syscall.Errno
	}{
		{EPERM, syscall.EPERM}, {ENOENT, syscall.ENOENT}, {EINTR, syscall.EINTR}, {EAGAIN, syscall.EAGAIN},
		{ENOMEM, syscall.ENOMEM}, {EACCES, syscall.EACCES}, {EBUSY, syscall.EBUSY}, {EEXIST, syscall.EEXIST},
		{EINVAL, syscall.EINVAL}, {EMFILE, syscall.EMFILE}, {ENOSPC, syscall.ENOSPC}, {ERANGE, syscall.ERANGE}, {ETIME, syscall.ETIME},
		{EMSGSIZE, syscall.EMSGSIZE}, {EOPNOTSUPP, syscall.EOPNOTSUPP},
		{EAFNOSUPPORT, syscall.EAFNOSUPPORT}, {ENOBUFS, syscall.ENOBUFS}, {EALREADY, syscall.EALREADY},
	} {
		if syscall.Errno(tt.ours) != tt.system {
			t.Errorf("%q is %d, want %d", tt.system, tt.ours, tt.system)
		}
	}
	known := 0
	for n := range Errno(200) {
		want := syscall.Errno(n).Error()
		if strings.HasPrefix(want, "errno ") {
			continue
		}
		known++
		if got := n.Error(); !strings.EqualFold(got, want) {
			t.Errorf("%d is %q, want %q", n, got, want)
		}
	}
	if known < 100 {
		t.Errorf("the standard library knows only %d numbers", known)
	}
}

// TestErrnoText takes numbers that have no text.
func TestErrnoText(t *testing.T) {
	for e, want := range map[Errno]string{
		0: "Unknown error 0", 4095: "Unknown error 4095", 1<<32 - 1: "Unknown error 4294967295",
	} {
		if got := e.Error(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
