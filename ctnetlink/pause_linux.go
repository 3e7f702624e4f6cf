package ctnetlink

import (
	"os"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/gonntrack/gonntrack/internal/poller"
)

// pauser waits for short times, again and again. A timer of the Go runtime wakes three
// threads: the one that waits for it, the runtime's monitor, and one more that looks for
// work. A timer of the kernel, in the runtime's poller, wakes the first only.
type pauser struct {
	file *os.File
	conn syscall.RawConn
	read func(fd uintptr) bool
	b    [8]byte // how often it has expired
}

// newPauser returns nil where there can be none.
func newPauser() *pauser {
	if poller.Check(1) != nil {
		return nil
	}
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return nil
	}
	p := &pauser{file: os.NewFile(uintptr(fd), "timer")}
	if p.conn, err = p.file.SyscallConn(); err != nil {
		_ = p.file.Close()
		return nil
	}
	p.read = func(fd uintptr) bool {
		for {
			_, _, errno := unix.RawSyscall(unix.SYS_READ, fd, uintptr(unsafe.Pointer(&p.b)), uintptr(len(p.b)))
			if errno != unix.EINTR {
				return errno != unix.EAGAIN
			}
		}
	}
	return p
}

// pause waits, at most until close.
func (p *pauser) pause(d time.Duration) {
	if d <= 0 {
		return
	}
	var inner error
	err := p.conn.Control(func(fd uintptr) {
		inner = unix.TimerfdSettime(int(fd), 0, &unix.ItimerSpec{Value: unix.NsecToTimespec(int64(d))}, nil)
	})
	if err == nil && inner == nil {
		_ = p.conn.Read(p.read)
	}
}

func (p *pauser) close() { _ = p.file.Close() }
