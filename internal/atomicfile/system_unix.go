//go:build unix

package atomicfile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
)

// Detach returns the contents of an open file, as they are now, for a reader
// that does not keep others from replacing the file. Here that is the file
// itself.
func Detach(file *os.File) (io.ReadSeekCloser, error) { return file, nil }

// replace renames a file to the name of another.
func replace(from, to string) error { return os.Rename(from, to) }

// keepOwner gives a file the owner and the group of another.
func keepOwner(file *os.File, old fs.FileInfo) error {
	want, ok := old.Sys().(*syscall.Stat_t)
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if have, ok2 := info.Sys().(*syscall.Stat_t); ok && ok2 && (have.Uid != want.Uid || have.Gid != want.Gid) {
		if err := file.Chown(int(want.Uid), int(want.Gid)); err != nil {
			return fmt.Errorf("cannot keep its owner (user %d, group %d): %w", want.Uid, want.Gid, syscall.EPERM)
		}
	}
	return nil
}

// keepMode gives a file the mode of another.
func keepMode(file *os.File, old fs.FileInfo) error {
	return file.Chmod(old.Mode() & (fs.ModePerm | fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky))
}

// syncDir makes a rename in a directory survive a crash of the system, as far as
// possible: not every file system can sync a directory, and not every user who
// may write in a directory may open it.
func syncDir(path string) error {
	dir, err := os.Open(path)
	if errors.Is(err, fs.ErrPermission) {
		return nil
	}
	if err != nil {
		return err
	}
	defer dir.Close()
	return ignoreUnsupported(dir.Sync())
}

// ignoreUnsupported returns nil for the errors of file systems that cannot sync
// a directory, and any other error unchanged.
func ignoreUnsupported(err error) error {
	for _, unsupported := range []error{
		syscall.EINVAL, syscall.ENOTSUP, syscall.EOPNOTSUPP, syscall.ENOSYS, syscall.EPERM, syscall.EBADF,
	} {
		if errors.Is(err, unsupported) {
			return nil
		}
	}
	return err
}
