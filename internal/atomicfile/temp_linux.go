package atomicfile

import (
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// createNameless creates a file in a directory that has no name, nil where that
// cannot be done or the file could not be given one (open(2), O_TMPFILE).
func createNameless(dir string) *os.File {
	fd, err := unix.Open(dir, unix.O_TMPFILE|unix.O_WRONLY|unix.O_CLOEXEC, uint32(newMode))
	if err != nil {
		return nil
	}
	file := os.NewFile(uintptr(fd), dir)
	if unix.Access(procName(file), unix.F_OK) != nil || !lock(file) {
		file.Close()
		return nil
	}
	return file
}

// link gives a file that createNameless made its first name.
func link(file *os.File, name string) error {
	err := unix.Linkat(unix.AT_FDCWD, procName(file), unix.AT_FDCWD, name, unix.AT_SYMLINK_FOLLOW)
	return os.NewSyscallError("linkat", err)
}

func procName(file *os.File) string { return "/proc/self/fd/" + strconv.Itoa(int(file.Fd())) }
