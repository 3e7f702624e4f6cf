//go:build unix

package atomicfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// Resolve returns the absolute path of the file that path leads to through
// symbolic links: the file that is replaced. Neither it nor its directory need
// exist. A file without a name of its own, such as the pipe behind /dev/stdin,
// keeps the link's name. Errors are the system's: a loop of links, a directory
// that may not be searched.
//
// In a directory that is sticky and that all may write, a link is followed only
// if it belongs to the user or to the directory's owner; otherwise the error
// wraps [ErrForeign]. Linux does so where fs.protected_symlinks is 1
// (proc_sys_fs(5)), but not for a program that reads the links itself. Here it
// is so on every system, for every link of the path.
func Resolve(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	const maxLinks = 40 // as in Linux (path_resolution(7))
	dir, rest, links := "/", path, 0
	for {
		var name string
		name, rest, _ = strings.Cut(strings.TrimLeft(rest, "/"), "/")
		switch name {
		case "":
			return dir, nil
		case ".":
			continue
		case "..":
			dir = filepath.Dir(dir) // which is no link
			continue
		}
		at := filepath.Join(dir, name)
		info, err := os.Lstat(at)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return filepath.Join(at, rest), nil
		case err != nil:
			return "", err
		case info.Mode()&fs.ModeSymlink == 0:
			dir = at
			continue
		}
		if links++; links > maxLinks {
			return "", &fs.PathError{Op: "open", Path: path, Err: syscall.ELOOP}
		}
		if foreign(dir, info) {
			return "", fmt.Errorf("the symbolic link %w", ErrForeign)
		}
		to, err := os.Readlink(at)
		if err != nil {
			return "", err
		}
		if strings.Trim(rest, "/") == "" && nameless(at, dir, to) {
			return at, nil
		}
		if filepath.IsAbs(to) {
			dir = "/"
		}
		rest = to + "/" + rest
	}
}

// nameless reports whether a link, which reads to, leads to a file all the same
// that does not have that name.
func nameless(link, dir, to string) bool {
	if !filepath.IsAbs(to) {
		to = filepath.Join(dir, to)
	}
	if _, err := os.Lstat(to); err == nil {
		return false
	}
	_, err := os.Stat(link)
	return err == nil
}

// foreign reports whether a file belongs neither to the user nor to the owner of
// its directory, and the directory is one in which all may make files and none
// may remove those of others.
func foreign(dir string, file fs.FileInfo) bool {
	parent, err := os.Stat(dir)
	if err != nil || parent.Mode()&fs.ModeSticky == 0 || parent.Mode()&0o002 == 0 {
		return false
	}
	d, ok := parent.Sys().(*syscall.Stat_t)
	f, ok2 := file.Sys().(*syscall.Stat_t)
	return ok && ok2 && f.Uid != d.Uid && int(f.Uid) != os.Geteuid()
}
