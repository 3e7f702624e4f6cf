package console

import (
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// Open opens a file for reading. [os.Open] would start the poller of the Go
// runtime, which takes two descriptors and ends the program where it cannot get
// them (ulimit -n).
func Open(path string) (*os.File, error) {
	for {
		fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
		switch err {
		case nil:
			return os.NewFile(uintptr(fd), path), nil
		case unix.EINTR:
		default:
			return nil, &fs.PathError{Op: "open", Path: path, Err: err}
		}
	}
}
