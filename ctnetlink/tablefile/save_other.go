//go:build !unix

package tablefile

import (
	"bytes"
	"io"
	"io/fs"
	"os"
	"time"
)

// unshared returns what can be read of a file while others replace it. An open
// file cannot be replaced here: it is read whole, and closed.
func unshared(file *os.File) (io.ReadSeekCloser, error) {
	defer file.Close()
	b, err := io.ReadAll(file)
	return text{bytes.NewReader(b)}, err
}

type text struct{ *bytes.Reader }

func (text) Close() error { return nil }

// replace renames a file to another's name. It waits for those who have that one
// open just now.
func replace(from, to string) (err error) {
	for wait := time.Millisecond; wait < 2*time.Second; wait *= 2 {
		if err = os.Rename(from, to); err == nil {
			return nil
		}
		time.Sleep(wait)
	}
	return err
}

// keepOwner gives a new file what can be kept of the one that it replaces: that
// it may not be written.
func keepOwner(file *os.File, old fs.FileInfo) error { return file.Chmod(old.Mode().Perm()) }

// syncDir does nothing where directories cannot be synced.
func syncDir(string) error { return nil }
