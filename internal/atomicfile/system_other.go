//go:build !unix

package atomicfile

import (
	"bytes"
	"io"
	"io/fs"
	"os"
	"time"
)

// Detach returns the contents of an open file, as they are now, for a reader
// that does not keep others from replacing the file. Here an open file cannot be
// replaced: it is read into memory and closed.
func Detach(file *os.File) (io.ReadSeekCloser, error) {
	defer file.Close()
	b, err := io.ReadAll(file)
	return contents{bytes.NewReader(b)}, err
}

type contents struct{ *bytes.Reader }

func (contents) Close() error { return nil }

// replace renames a file to the name of another. It waits until nobody has that
// one open, for at most 2 seconds.
func replace(from, to string) (err error) {
	for wait := time.Millisecond; wait < 2*time.Second; wait *= 2 {
		if err = os.Rename(from, to); err == nil {
			return nil
		}
		time.Sleep(wait)
	}
	return err
}

// keepOwner does nothing: this system has no numbers of owners.
func keepOwner(*os.File, fs.FileInfo) error { return nil }

// keepMode gives a file what this system knows of the mode of another: whether it
// may be written.
func keepMode(file *os.File, old fs.FileInfo) error { return file.Chmod(old.Mode().Perm()) }

// syncDir does nothing: directories cannot be synced.
func syncDir(string) error { return nil }
