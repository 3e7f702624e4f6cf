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

func open(path string, flag int) (*os.File, error) { return os.OpenFile(path, flag, 0) }

// NoFollow is 0: this system has no such flags.
const NoFollow = 0

// Own reports true: this system has no numbers of owners.
func Own(fs.FileInfo) bool { return true }

// renamesOpen: an open file cannot be renamed.
const renamesOpen = false

// removeUnlocked removes a file unless a process has it open.
func removeUnlocked(path string) { _ = os.Remove(path) }

// lockTemp does nothing: an open file cannot be removed.
func lockTemp(*os.File, string) bool { return true }

// foreign reports false: this system has no numbers of owners.
func foreign(string, fs.FileInfo) bool { return false }

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

// openFlags are for opening a file that may be what it should not be.
func openFlags(string) int { return 0 }

func isNoReader(error) bool { return false }

func isOpenFile(string) bool { return false }

// keepOwner does nothing: this system has no numbers of owners.
func keepOwner(*os.File, fs.FileInfo) error { return nil }

func keepGroup(*os.File, fs.FileInfo) error { return nil }

// keepMode gives a file what this system knows of the mode of another: whether it
// may be written.
func keepMode(file *os.File, old fs.FileInfo) error { return file.Chmod(old.Mode().Perm()) }

// syncDir does nothing: directories cannot be synced.
func syncDir(string) error { return nil }
