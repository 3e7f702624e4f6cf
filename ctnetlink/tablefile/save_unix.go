//go:build unix

package tablefile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
)

// unshared returns what can be read of a file while others replace it: here, the
// file itself.
func unshared(file *os.File) (io.ReadSeekCloser, error) { return file, nil }

// replace renames a file to another's name.
func replace(from, to string) error { return os.Rename(from, to) }

// keepOwner gives a new file the owner and mode of the one that it replaces.
func keepOwner(file *os.File, old fs.FileInfo) error {
	was, ok := old.Sys().(*syscall.Stat_t)
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if is, ok2 := info.Sys().(*syscall.Stat_t); ok && ok2 && (is.Uid != was.Uid || is.Gid != was.Gid) {
		if err := file.Chown(int(was.Uid), int(was.Gid)); err != nil {
			return fmt.Errorf("cannot keep its owner (user %d, group %d): %w", was.Uid, was.Gid, syscall.EPERM)
		}
	}
	// After the owner, whose change takes mode bits away.
	return file.Chmod(old.Mode() & (fs.ModePerm | fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky))
}

// syncDir makes a renaming in the directory survive a crash of the system, as
// far as it can be: not every file system can sync a directory, and not every
// user who may write in one may open it.
func syncDir(path string) error {
	dir, err := os.Open(path)
	if errors.Is(err, fs.ErrPermission) {
		return nil
	}
	if err != nil {
		return err
	}
	defer dir.Close()
	return syncable(dir.Sync())
}

// syncable passes over the failure to sync a directory on a file system that
// cannot: the file is replaced.
func syncable(err error) error {
	for _, cannot := range []error{syscall.EINVAL, syscall.ENOTSUP, syscall.EOPNOTSUPP, syscall.ENOSYS, syscall.EPERM, syscall.EBADF} {
		if errors.Is(err, cannot) {
			return nil
		}
	}
	return err
}
