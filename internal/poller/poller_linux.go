// Package poller asks whether the poller of the Go runtime can be started.
package poller

import "golang.org/x/sys/unix"

// Check returns an error, EMFILE or ENFILE, if the poller could not get the two
// descriptors that it takes when it is started, while more others are open than
// now. It is started by the first file or socket that does not block, by [os.Open],
// and by the first timer. The runtime ends the program where that fails.
func Check(more int) error {
	for range more + 2 {
		fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC)
		if err != nil {
			return err
		}
		defer unix.Close(fd)
	}
	return nil
}
