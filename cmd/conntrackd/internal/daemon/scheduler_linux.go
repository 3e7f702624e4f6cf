package daemon

import (
	"os"
	"strconv"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/config"
)

// schedule sets the scheduling of all threads; new ones inherit it.
func schedule(s *config.Scheduler) error {
	policy := unix.SCHED_RR
	if s.FIFO {
		policy = unix.SCHED_FIFO
	}
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return err
	}
	for _, t := range threads {
		tid, err := strconv.Atoi(t.Name())
		if err != nil {
			continue
		}
		priority := int32(s.Priority) // struct sched_param
		_, _, errno := unix.Syscall(unix.SYS_SCHED_SETSCHEDULER,
			uintptr(tid), uintptr(policy), uintptr(unsafe.Pointer(&priority)))
		if errno != 0 && errno != unix.ESRCH {
			return errno
		}
	}
	return nil
}
