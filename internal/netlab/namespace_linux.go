package netlab

import (
	"os"
	"runtime"
	"strconv"

	"golang.org/x/sys/unix"
)

// Namespace makes a network namespace with settings net.netfilter.NAME, and returns the
// file that stands for it. It ends when the file is closed.
func Namespace(settings map[string]uint64) (file *os.File, err error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // the thread ends with the goroutine
		if err = unix.Unshare(unix.CLONE_NEWNET); err != nil {
			return
		}
		for name, value := range settings {
			err = os.WriteFile("/proc/sys/net/netfilter/"+name, strconv.AppendUint(nil, value, 10), 0)
			if err != nil {
				return
			}
		}
		file, err = os.Open("/proc/thread-self/ns/net")
	}()
	<-done
	return file, err
}

// Enter calls f on a thread in the namespace that a file stands for, and returns its
// error. What f opens stays there. The caller's thread is not changed.
func Enter(ns *os.File, f func() error) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // the thread ends with the goroutine
		if err := unix.Setns(int(ns.Fd()), unix.CLONE_NEWNET); err != nil {
			done <- os.NewSyscallError("setns", err)
			return
		}
		done <- f()
	}()
	return <-done
}
