//go:build !unix

package atomicfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// Resolve returns the absolute path of the file that path leads to through
// symbolic links: the file that is replaced. Neither it nor its directory need
// exist. A file without a name of its own, such as the pipe behind /dev/stdin,
// keeps the link's name. Errors are the system's: a loop of links, a directory
// that may not be searched.
func Resolve(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	const maxLinks = 40 // as in Linux (path_resolution(7))
	for range maxLinks {
		real, err := filepath.EvalSymlinks(path)
		if err == nil {
			return real, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
		if _, err := os.Stat(path); err == nil {
			return path, nil // no name of its own
		}
		to, err := os.Readlink(path)
		if err != nil {
			// The file is missing, or its directory is.
			if dir, err := filepath.EvalSymlinks(filepath.Dir(path)); err == nil {
				return filepath.Join(dir, filepath.Base(path)), nil
			}
			return path, nil
		}
		if !filepath.IsAbs(to) {
			to = filepath.Join(filepath.Dir(path), to)
		}
		path = to
	}
	return "", errors.New("too many levels of symbolic links")
}
