//go:build unix && !aix && !solaris

package atomicfile

import (
	"os"

	"golang.org/x/sys/unix"
)

// lock locks a file that this process has open, without waiting.
func lock(file *os.File) bool {
	return unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB) == nil
}

// lockTemp locks a temporary file that has just been created, and reports
// whether it still has its name.
func lockTemp(file *os.File, name string) bool { return lock(file) && has(file, name) }

// removeUnlocked removes a temporary file unless a process is writing it. A file
// that the user may not open is left alone.
func removeUnlocked(path string) {
	file, err := Open(path, os.O_RDONLY)
	if err != nil {
		return
	}
	defer file.Close()
	if lockTemp(file, path) {
		_ = os.Remove(path)
	}
}

// has reports whether a file has a name.
func has(file *os.File, name string) bool {
	info, err := file.Stat()
	named, err2 := os.Lstat(name)
	return err == nil && err2 == nil && os.SameFile(info, named)
}
