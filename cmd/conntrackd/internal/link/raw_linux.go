package link

import (
	"net/netip"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The system calls of datagrams are raw ones: the sockets never block, and to tell the Go
// scheduler of a call wakes the runtime's monitor, a thread of its own, which costs more
// than the call when there is one after each few messages.

// rawAddr is an address as the system has it.
type rawAddr struct {
	b   unix.RawSockaddrInet6 // or a RawSockaddrInet4 at its beginning
	len uint32
}

// newRawAddr returns an address of IPv4 or IPv6, otherwise one of length 0.
func newRawAddr(a unix.Sockaddr) (r rawAddr) {
	switch a := a.(type) {
	case *unix.SockaddrInet4:
		v4 := (*unix.RawSockaddrInet4)(unsafe.Pointer(&r.b))
		v4.Family, v4.Addr = unix.AF_INET, a.Addr
		putPort(&v4.Port, a.Port)
		r.len = unix.SizeofSockaddrInet4
	case *unix.SockaddrInet6:
		r.b.Family, r.b.Addr, r.b.Scope_id = unix.AF_INET6, a.Addr, a.ZoneId
		putPort(&r.b.Port, a.Port)
		r.len = unix.SizeofSockaddrInet6
	}
	return r
}

// putPort puts a port in the order of the network.
func putPort(to *uint16, port int) {
	*(*[2]byte)(unsafe.Pointer(to)) = [2]byte{byte(port >> 8), byte(port)}
}

// addrPort returns the address and port, invalid ones if there are none. There is no zone.
func (r *rawAddr) addrPort() netip.AddrPort {
	port := *(*[2]byte)(unsafe.Pointer(&r.b.Port)) // at the same place in both
	n := uint16(port[0])<<8 | uint16(port[1])
	switch {
	case r.b.Family == unix.AF_INET && r.len >= unix.SizeofSockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4((*unix.RawSockaddrInet4)(unsafe.Pointer(&r.b)).Addr), n)
	case r.b.Family == unix.AF_INET6 && r.len >= unix.SizeofSockaddrInet6:
		return netip.AddrPortFrom(netip.AddrFrom16(r.b.Addr).Unmap(), n)
	}
	return netip.AddrPort{}
}

// rawSend sends a datagram, if the system takes it at once. b is not empty.
func rawSend(fd int, b []byte, to *rawAddr) error {
	for {
		_, _, errno := unix.RawSyscall6(unix.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)),
			unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, uintptr(unsafe.Pointer(&to.b)), uintptr(to.len))
		switch errno {
		case 0:
			return nil
		case unix.EINTR:
		default:
			return errno
		}
	}
}

// receiver receives datagrams. It waits in the poller of the Go runtime.
type receiver struct {
	conn  syscall.RawConn
	b     []byte
	zone  string // of senders whose address is of a link
	from  rawAddr
	n     int
	errno syscall.Errno
	read  func(fd uintptr) bool // made once, so that no call allocates
}

// newReceiver returns one that receives into b, which is not empty, by a device.
func newReceiver(conn syscall.RawConn, b []byte, device string) *receiver {
	r := &receiver{conn: conn, b: b, zone: device}
	r.read = func(fd uintptr) bool {
		for {
			r.from.len = uint32(unsafe.Sizeof(r.from.b))
			n, _, errno := unix.RawSyscall6(unix.SYS_RECVFROM, fd, uintptr(unsafe.Pointer(&r.b[0])), uintptr(len(r.b)),
				unix.MSG_DONTWAIT, uintptr(unsafe.Pointer(&r.from.b)), uintptr(unsafe.Pointer(&r.from.len)))
			r.n, r.errno = int(n), errno
			switch errno {
			case unix.EINTR:
			case unix.EAGAIN:
				return false
			default:
				return true
			}
		}
	}
	return r
}

// receive waits for a datagram, and returns it and who has sent it.
func (r *receiver) receive() (b []byte, from netip.AddrPort, err error) {
	if err := r.conn.Read(r.read); err != nil {
		return nil, netip.AddrPort{}, err
	}
	if r.errno != 0 {
		return nil, netip.AddrPort{}, r.errno
	}
	from = r.from.addrPort()
	if a := from.Addr(); a.Is6() && a.IsLinkLocalUnicast() {
		from = netip.AddrPortFrom(a.WithZone(r.zone), from.Port())
	}
	return r.b[:r.n], from, nil
}
