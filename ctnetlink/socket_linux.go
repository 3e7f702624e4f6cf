package ctnetlink

import (
	"errors"
	"os"
	"runtime"
	"sync"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/gonntrack/gonntrack/internal/poller"
	"github.com/gonntrack/gonntrack/internal/wire"
)

// Open returns a Conn on the kernel's table of the calling thread's network
// namespace. Sockets are opened when they are needed: errors come from the
// first request.
func Open() *Conn { return NewConn(dialKernel) }

// OpenIn is Open for another network namespace: the one that the open file ns
// stands for, such as /proc/PID/ns/net (namespaces(7)). The file must stay open
// as long as the Conn is used. To enter a namespace takes CAP_SYS_ADMIN, there
// and here; EPERM without.
func OpenIn(ns *os.File) *Conn {
	return NewConn(func() (s Socket, err error) {
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			// The thread is not given back: it ends with the goroutine.
			runtime.LockOSThread()
			if err = unix.Setns(int(ns.Fd()), unix.CLONE_NEWNET); err == nil {
				s, err = dialKernel()
			}
		}()
		<-ended
		return s, fromSystem(err)
	})
}

// dialKernel opens a socket to the kernel in the thread's network namespace.
func dialKernel() (Socket, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_NETFILTER)
	if err != nil {
		return nil, fromSystem(err)
	}
	if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		_ = unix.Close(fd)
		return nil, fromSystem(err)
	}
	// Without the request's echo an error is 36 bytes and a batch of them
	// small. Kernels before 4.3 do not know the option; they echo.
	_ = unix.SetsockoptInt(fd, unix.SOL_NETLINK, unix.NETLINK_CAP_ACK, 1)
	return newKernelSocket(fd), nil
}

// kernelSocket is a NETLINK_NETFILTER socket.
//
// A request is carried out inside the sending, and the next part of a dump is
// made inside the receiving: both return at once, and a socket for requests has
// no need of the poller of the Go runtime, which takes two descriptors and some
// system calls. A socket that joins a multicast group waits, and does so in the
// poller.
//
// The calls are raw ones: the descriptor does not block, and a request takes
// microseconds, for which the Go scheduler need not be told (it would move other
// goroutines to another thread, and back, which costs more than the request). A
// dump's request is another matter: a filtered walk of the table happens inside
// it.
type kernelSocket struct {
	out call
	in  call

	mu     sync.Mutex
	fd     int
	users  int // calls that use fd
	closed bool
	file   *os.File // owns fd, by way of the poller; nil: there is no poller
	poller syscall.RawConn
	thread bool // Receive waits in a thread of its own
	pauser *pauser
}

// call is one direction's system call: what goes in, what comes out.
type call struct {
	b     []byte
	addr  unix.RawSockaddrNetlink
	len   uint32 // of addr
	n     int
	errno syscall.Errno
	slow  bool                  // it may take long: the scheduler is told
	do    func(fd uintptr) bool // reports whether it is done; otherwise it must be waited for
	once  func(fd uintptr)      // the same without waiting
}

func newKernelSocket(fd int) *kernelSocket {
	s := &kernelSocket{fd: fd}
	s.out.addr.Family = unix.AF_NETLINK // port id 0: the kernel
	// Made once, so that no call allocates.
	s.out.do = func(fd uintptr) bool { return s.out.run(unix.SYS_SENDTO, fd, 0, unix.SizeofSockaddrNetlink) }
	s.in.do = func(fd uintptr) bool {
		s.in.len = unix.SizeofSockaddrNetlink
		// With MSG_TRUNC n is the datagram's length, read or not.
		return s.in.run(unix.SYS_RECVFROM, fd, unix.MSG_TRUNC, uintptr(unsafe.Pointer(&s.in.len)))
	}
	s.in.once = func(fd uintptr) { s.in.do(fd) }
	return s
}

// acquire returns the descriptor, which is not closed before release. It is for
// a socket without a poller.
func (s *kernelSocket) acquire() (fd uintptr, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return 0, os.ErrClosed
	}
	s.users++
	return uintptr(s.fd), nil
}

func (s *kernelSocket) release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.users--; s.closed && s.users == 0 {
		_ = unix.Close(s.fd)
	}
}

// locked calls f with the descriptor. Nothing else happens to the socket
// meanwhile, but that a Receive waits.
func (s *kernelSocket) locked(f func(fd int) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return os.ErrClosed
	}
	return fromSystem(f(s.fd))
}

// Close implements Socket. Without a poller a call that waits notices within
// waitSlice.
func (s *kernelSocket) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	if s.pauser != nil {
		s.pauser.close()
	}
	if s.file != nil {
		return s.file.Close()
	}
	if s.users == 0 {
		_ = unix.Close(s.fd)
	}
	return nil
}

// run makes the call, again while signals interrupt it.
func (c *call) run(trap, fd, flags, addrLen uintptr) bool {
	system := unix.RawSyscall6
	if c.slow {
		system = unix.Syscall6
	}
	for {
		n, _, errno := system(trap, fd, uintptr(unsafe.Pointer(unsafe.SliceData(c.b))), uintptr(len(c.b)),
			flags, uintptr(unsafe.Pointer(&c.addr)), addrLen)
		c.n, c.errno = int(n), errno
		switch errno {
		case unix.EINTR:
		case unix.EAGAIN:
			return false
		default:
			return true
		}
	}
}

// result returns what the call said, and forgets the caller's memory.
func (c *call) result(waiting error) error {
	c.b = nil
	switch {
	case waiting != nil:
		return waiting
	case c.errno != 0:
		return Errno(c.errno)
	}
	return nil
}

func (s *kernelSocket) Send(b []byte) error {
	// A netlink send is whole or not at all.
	s.out.b, s.out.slow = b, len(b) >= wire.HeaderLen && wire.Message(b).IsDump()
	if s.poller != nil {
		return s.out.result(s.poller.Write(s.out.do))
	}
	fd, err := s.acquire()
	if err != nil {
		return err
	}
	defer s.release()
	s.out.do(fd)
	return s.out.result(nil)
}

func (s *kernelSocket) Receive(b []byte) (n int, from uint32, err error) {
	s.in.b = b
	if s.poller != nil {
		return s.received(s.poller.Read(s.in.do), len(b))
	}
	fd, err := s.acquire()
	if err != nil {
		return 0, 0, err
	}
	defer s.release()
	for !s.in.do(fd) {
		if err := s.wait(fd); err != nil {
			return s.received(err, len(b))
		}
	}
	return s.received(nil, len(b))
}

func (s *kernelSocket) Poll(b []byte) (n int, from uint32, err error) {
	s.in.b = b
	if s.poller != nil {
		return s.received(s.poller.Control(s.in.once), len(b))
	}
	fd, err := s.acquire()
	if err != nil {
		return 0, 0, err
	}
	defer s.release()
	s.in.once(fd)
	return s.received(nil, len(b))
}

// waitSlice is how long a call waits, in milliseconds, before it looks whether
// the socket was closed.
const waitSlice = 100

// wait waits without the poller until there is something to receive, or for
// waitSlice.
func (s *kernelSocket) wait(fd uintptr) error {
	poll := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	if _, err := unix.Poll(poll, waitSlice); err != nil && err != unix.EINTR {
		return fromSystem(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return os.ErrClosed
	}
	return nil
}

func (s *kernelSocket) received(waiting error, room int) (n int, from uint32, err error) {
	if err := s.in.result(waiting); err != nil {
		return 0, 0, err
	}
	if s.in.n > room {
		return 0, s.in.addr.Pid, ErrTruncated
	}
	return s.in.n, s.in.addr.Pid, nil
}

func (s *kernelSocket) Join(g Group) error {
	return s.locked(func(fd int) error {
		if err := s.usePoller(); err != nil {
			return err
		}
		return unix.SetsockoptInt(fd, unix.SOL_NETLINK, unix.NETLINK_ADD_MEMBERSHIP, int(g))
	})
}

// usePoller makes Receive wait in the poller of the Go runtime.
func (s *kernelSocket) usePoller() error {
	if s.file != nil || s.thread {
		return nil
	}
	if err := poller.Check(0); err != nil {
		return err
	}
	file := os.NewFile(uintptr(s.fd), "netlink") // a descriptor that does not block goes into the poller
	conn, err := file.SyscallConn()
	if err != nil {
		return err
	}
	s.file, s.poller = file, conn
	return nil
}

func (s *kernelSocket) SetReadBuffer(bytes int) (granted int, err error) {
	err = s.locked(func(fd int) (err error) {
		// Only CAP_NET_ADMIN may exceed net.core.rmem_max.
		if unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, bytes) != nil {
			if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, bytes); err != nil {
				return err
			}
		}
		granted, err = unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF)
		return err
	})
	return granted, err
}

var (
	_ PortIDer       = (*kernelSocket)(nil)
	_ ReliableSocket = (*kernelSocket)(nil)
	_ GroupLeaver    = (*kernelSocket)(nil)
	_ ThreadWaiter   = (*kernelSocket)(nil)
)

// WaitInThread implements ThreadWaiter.
func (s *kernelSocket) WaitInThread() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.thread = true
	if s.pauser == nil && !s.closed {
		s.pauser = newPauser()
	}
}

// Pause implements ThreadWaiter.
func (s *kernelSocket) Pause(d time.Duration) {
	s.mu.Lock()
	p := s.pauser
	s.mu.Unlock()
	if p == nil {
		time.Sleep(d)
		return
	}
	p.pause(d)
}

// Leave implements GroupLeaver.
func (s *kernelSocket) Leave(g Group) error {
	return s.locked(func(fd int) error {
		return unix.SetsockoptInt(fd, unix.SOL_NETLINK, unix.NETLINK_DROP_MEMBERSHIP, int(g))
	})
}

// SetReliable implements ReliableSocket.
func (s *kernelSocket) SetReliable() error {
	return s.locked(func(fd int) error {
		if err := unix.SetsockoptInt(fd, unix.SOL_NETLINK, unix.NETLINK_BROADCAST_ERROR, 1); err != nil {
			return err
		}
		return unix.SetsockoptInt(fd, unix.SOL_NETLINK, unix.NETLINK_NO_ENOBUFS, 1)
	})
}

// PortID implements PortIDer.
func (s *kernelSocket) PortID() (id uint32) {
	_ = s.locked(func(fd int) error {
		addr, err := unix.Getsockname(fd)
		if nl, ok := addr.(*unix.SockaddrNetlink); ok {
			id = nl.Pid
		}
		return err
	})
	return id
}

// SO_MEMINFO tells nine numbers of 32 bits (linux/sock_diag.h).
const (
	skMemInfoRmemAlloc = 0 // SK_MEMINFO_RMEM_ALLOC: bytes in the receive buffer
	skMemInfoDrops     = 8 // SK_MEMINFO_DROPS: what did not fit into it
	skMemInfoVars      = 9
)

func (s *kernelSocket) Lost() uint64 { return uint64(s.memInfo()[skMemInfoDrops]) }

func (s *kernelSocket) Queued() int { return int(s.memInfo()[skMemInfoRmemAlloc]) }

// memInfo asks for SO_MEMINFO; zeros before Linux 4.12, and when the socket is
// closed.
func (s *kernelSocket) memInfo() (info [skMemInfoVars]uint32) {
	size := uint32(unsafe.Sizeof(info))
	err := s.locked(func(fd int) error {
		_, _, errno := unix.RawSyscall6(unix.SYS_GETSOCKOPT, uintptr(fd), unix.SOL_SOCKET, unix.SO_MEMINFO,
			uintptr(unsafe.Pointer(&info)), uintptr(unsafe.Pointer(&size)), 0)
		if errno != 0 {
			return errno
		}
		return nil
	})
	if err != nil || size < uint32(unsafe.Sizeof(info)) {
		return [skMemInfoVars]uint32{}
	}
	return info
}

// fromSystem turns a system call's error number into an Errno.
func fromSystem(err error) error {
	var n syscall.Errno
	if err == nil || !errors.As(err, &n) || errors.Is(err, os.ErrClosed) {
		return err
	}
	return Errno(n)
}
