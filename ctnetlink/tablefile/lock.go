package tablefile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"

	"github.com/gonntrack/gonntrack/internal/atomicfile"
	"github.com/gonntrack/gonntrack/internal/poller"
)

const (
	lockSuffix = ".lock"
	// waitNotice is the time after which it is reported that another process
	// holds the lock.
	waitNotice = time.Second
)

// takeLock takes the lock after checking that the file may be written. Unless
// wait is set it returns nil if another process holds the lock.
func (f *File) takeLock(wait bool) (*flock.Flock, error) {
	if err := poller.Check(1); err != nil { // beside the lock file
		return nil, err
	}
	var table fs.FileInfo
	switch file, err := atomicfile.Open(f.path, os.O_WRONLY); {
	case err == nil:
		table, err = file.Stat()
		file.Close()
		if err != nil {
			return nil, err
		}
	case !errors.Is(err, fs.ErrNotExist):
		return nil, err
	case f.o.Optional:
		if err := os.MkdirAll(filepath.Dir(f.path), 0o700); err != nil {
			return nil, err
		}
	}
	path := f.path + lockSuffix
	if err := prepareLock(path, table); err != nil {
		return nil, err
	}
	lock := flock.New(path, flock.SetFlag(os.O_RDONLY|atomicfile.NoFollow))
	ok, err := lock.TryLock()
	if ok || err != nil || !wait {
		if !ok {
			lock = nil
		}
		return lock, err
	}
	if f.o.Waiting != nil {
		defer time.AfterFunc(waitNotice, func() { f.o.Waiting(path) }).Stop()
	}
	return lock, lock.Lock()
}

// prepareLock creates the lock file, or gives the one that is there the access
// that follows from the table's.
func prepareLock(path string, table fs.FileInfo) error {
	mode := lockMode(table)
	for {
		file, err := atomicfile.Open(path, os.O_RDONLY)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			// O_EXCL: not at the end of a link.
			file, err = os.OpenFile(path, os.O_RDONLY|os.O_CREATE|os.O_EXCL, newMode)
			if errors.Is(err, fs.ErrExist) {
				continue
			}
			if err != nil {
				return err
			}
			if table != nil && !atomicfile.KeepOwner(file, table) {
				mode &^= 0o070 // its group is another one
			}
			if mode != newMode {
				err = file.Chmod(mode)
			}
		case err != nil:
			return fmt.Errorf("%s: %w", filepath.Base(path), cause(err))
		default:
			err = adjustLock(file, mode)
		}
		file.Close()
		return err
	}
}

// adjustLock gives a lock file of the user's the mode. It was created before the
// table had its mode, or by a version that made it readable for all.
func adjustLock(file *os.File, mode fs.FileMode) error {
	info, err := file.Stat()
	if err != nil || info.Mode().Perm() == mode || info.Size() != 0 || !atomicfile.Own(info) {
		return err
	}
	return file.Chmod(mode)
}

// lockMode returns the mode of the lock of a table; nil is one that does not
// exist. Those who may write the table, and nobody else, may open the lock file:
// a lock can be held by everybody who can open the file in any way.
func lockMode(table fs.FileInfo) fs.FileMode {
	if table == nil {
		return newMode
	}
	write := table.Mode().Perm() & 0o222
	return newMode | write | write<<1
}

// cause returns an error without the path and the system call.
func cause(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}
