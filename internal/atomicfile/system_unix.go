//go:build unix

package atomicfile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"syscall"
)

// Detach returns the contents of an open file, as they are now, for a reader
// that does not keep others from replacing the file. Here that is the file
// itself.
func Detach(file *os.File) (io.ReadSeekCloser, error) { return file, nil }

// open is [os.OpenFile] for files that exist. A regular file is not put into the
// poller of the Go runtime, which would take two descriptors, and end the program
// where it cannot get them.
func open(path string, flag int) (*os.File, error) {
	for {
		fd, err := syscall.Open(path, flag|syscall.O_CLOEXEC, 0)
		if err == syscall.EINTR {
			continue
		}
		if err != nil {
			return nil, &fs.PathError{Op: "open", Path: path, Err: err}
		}
		var st syscall.Stat_t
		if flag&syscall.O_NONBLOCK != 0 && syscall.Fstat(fd, &st) == nil && st.Mode&syscall.S_IFMT == syscall.S_IFREG {
			_ = syscall.SetNonblock(fd, false)
		}
		return os.NewFile(uintptr(fd), path), nil
	}
}

// NoFollow are flags for [os.OpenFile] by which it neither follows a link, if
// the file is one, nor waits for the other end of a named pipe.
const NoFollow = syscall.O_NOFOLLOW | syscall.O_NONBLOCK

// Own reports whether a file belongs to the user and has no other name.
func Own(info fs.FileInfo) bool {
	s, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(s.Uid) == os.Geteuid() && s.Nlink == 1
}

// renamesOpen: an open file can be renamed.
const renamesOpen = true

// replace renames a file to the name of another.
func replace(from, to string) error { return os.Rename(from, to) }

// openFlags are for opening a file that may be what it should not be: no waiting
// for the other end of a named pipe, no following of a link.
func openFlags(path string) int {
	if isOpenFile(path) {
		return syscall.O_NONBLOCK
	}
	return NoFollow
}

// isOpenFile reports whether a path without symbolic links is one by which the
// system makes an open file of a process available.
func isOpenFile(path string) bool {
	return strings.HasPrefix(path, "/proc/") || strings.HasPrefix(path, "/dev/fd/")
}

// isNoReader reports whether a named pipe could not be opened for writing
// because no process reads it.
func isNoReader(err error) bool { return errors.Is(err, syscall.ENXIO) }

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

// keepGroup gives a file the group of another.
func keepGroup(file *os.File, old fs.FileInfo) error {
	s, ok := old.Sys().(*syscall.Stat_t)
	if !ok {
		return errors.ErrUnsupported
	}
	return file.Chown(-1, int(s.Gid))
}

// keepMode gives a file the mode of another.
func keepMode(file *os.File, old fs.FileInfo) error {
	return file.Chmod(old.Mode() & (fs.ModePerm | fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky))
}

// syncDir makes a rename in a directory survive a crash of the system, as far as
// possible: not every file system can sync a directory, and not every user who
// may write in a directory may open it.
func syncDir(path string) error {
	dir, err := open(path, os.O_RDONLY)
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
