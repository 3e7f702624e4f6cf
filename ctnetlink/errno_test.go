//go:build !plan9

package ctnetlink

import (
	"errors"
	"io/fs"
	"syscall"
	"testing"
)

// TestErrnoIs: errors.Is knows a refusal by the names of the standard library.
func TestErrnoIs(t *testing.T) {
	for _, tt := range []struct {
		errno Errno
		is    []error
	}{
		{ENOENT, []error{fs.ErrNotExist, syscall.ENOENT}},
		{EEXIST, []error{fs.ErrExist, syscall.EEXIST}},
		{EPERM, []error{fs.ErrPermission, syscall.EPERM}},
		{EACCES, []error{fs.ErrPermission, syscall.EACCES}},
		{EOPNOTSUPP, []error{errors.ErrUnsupported, syscall.EOPNOTSUPP}},
		{ENOTSUPP, []error{errors.ErrUnsupported}},
		{EINVAL, []error{syscall.EINVAL}},
		{ENOBUFS, []error{syscall.ENOBUFS}},
		{ETIME, nil},
	} {
		err := error(&OpError{"get", tt.errno})
		for _, target := range []error{
			fs.ErrNotExist, fs.ErrExist, fs.ErrPermission, errors.ErrUnsupported, syscall.ENOENT, syscall.EEXIST,
			syscall.EPERM, syscall.EACCES, syscall.EOPNOTSUPP, syscall.EINVAL, syscall.ENOBUFS,
		} {
			want := false
			for _, is := range tt.is {
				want = want || is == target
			}
			if got := errors.Is(err, target); got != want {
				t.Errorf("%v is %v: %v", err, target, got)
			}
		}
	}
}
