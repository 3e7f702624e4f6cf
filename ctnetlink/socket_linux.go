package ctnetlink

import (
	"errors"
	"os"
	"syscall"
	"unsafe"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

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
	return NewConn(func() (Socket, error) { return dial(&netlink.Config{NetNS: int(ns.Fd())}) })
}

// dialKernel opens a socket to the kernel.
func dialKernel() (Socket, error) { return dial(nil) }

func dial(config *netlink.Config) (Socket, error) {
	c, err := netlink.Dial(unix.NETLINK_NETFILTER, config)
	if err != nil {
		return nil, fromSystem(err)
	}
	raw, err := c.SyscallConn()
	if err != nil {
		c.Close()
		return nil, fromSystem(err)
	}
	// Without the request's echo an error is 36 bytes and a batch of them
	// small. Kernels before 4.3 do not know the option; they echo.
	_ = c.SetOption(netlink.CapAcknowledge, true)
	return newKernelSocket(c, raw), nil
}

// kernelSocket is a NETLINK_NETFILTER socket. mdlayher/netlink owns the
// descriptor; datagrams go past it, into the caller's buffers.
//
// The calls are raw ones: the descriptor does not block, and a request is
// carried out inside sendto in microseconds, for which the Go scheduler need
// not be told (it would move other goroutines to another thread, and back,
// which costs more than the request). A dump's request is another matter: a
// filtered walk of the table happens inside it.
type kernelSocket struct {
	conn *netlink.Conn
	raw  syscall.RawConn
	out  call
	in   call
}

// call is one direction's system call: what goes in, what comes out.
type call struct {
	b     []byte
	addr  unix.RawSockaddrNetlink
	len   uint32 // of addr
	n     int
	errno syscall.Errno
	slow  bool                  // it may take long: the scheduler is told
	do    func(fd uintptr) bool // reports whether it is done; the poller waits otherwise
	once  func(fd uintptr)      // the same without waiting
}

func newKernelSocket(c *netlink.Conn, raw syscall.RawConn) *kernelSocket {
	s := &kernelSocket{conn: c, raw: raw}
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
	return s.out.result(s.raw.Write(s.out.do))
}

func (s *kernelSocket) Receive(b []byte) (n int, from uint32, err error) {
	s.in.b = b
	return s.received(s.raw.Read(s.in.do), len(b))
}

func (s *kernelSocket) Poll(b []byte) (n int, from uint32, err error) {
	s.in.b = b
	return s.received(s.raw.Control(s.in.once), len(b))
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
	return fromSystem(s.conn.JoinGroup(uint32(g)))
}

func (s *kernelSocket) SetReadBuffer(bytes int) (int, error) {
	// mdlayher/socket tries SO_RCVBUFFORCE first.
	if err := s.conn.SetReadBuffer(bytes); err != nil {
		return 0, fromSystem(err)
	}
	n, err := s.conn.ReadBuffer()
	return n, fromSystem(err)
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
	var errno syscall.Errno
	err := s.raw.Control(func(fd uintptr) {
		_, _, errno = unix.RawSyscall6(unix.SYS_GETSOCKOPT, fd, unix.SOL_SOCKET, unix.SO_MEMINFO,
			uintptr(unsafe.Pointer(&info)), uintptr(unsafe.Pointer(&size)), 0)
	})
	if err != nil || errno != 0 || size < uint32(unsafe.Sizeof(info)) {
		return [skMemInfoVars]uint32{}
	}
	return info
}

func (s *kernelSocket) Close() error { return s.conn.Close() }

// fromSystem turns a system call's error number into an Errno.
func fromSystem(err error) error {
	var n syscall.Errno
	if err == nil || !errors.As(err, &n) || errors.Is(err, os.ErrClosed) {
		return err
	}
	return Errno(n)
}
