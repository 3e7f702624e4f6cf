package link

import (
	"errors"
	"net"
	"net/netip"
	"os"

	"golang.org/x/sys/unix"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/config"
)

// datagrams are the sockets of a link of multicast or UDP.
type datagrams struct {
	in    *net.UDPConn
	group netip.Addr     // joined; invalid for UDP
	local netip.Addr     // the own address, may be invalid
	out   int            // file descriptor, -1 once closed
	from  netip.AddrPort // what out sends from, the address unspecified if the kernel chooses it
	to    rawAddr        // its length is 0 if there is none
}

// Bytes of headers before a datagram's payload.
const (
	ipv4Header = 20
	ipv6Header = 40
	udpHeader  = 8
	tcpHeader  = 20
	maxPayload = 65487 // of UDP over IPv6; 20 bytes less than over IPv4
)

// setLimit computes the size of datagrams from the MTU.
func (l *dedicated) setLimit() {
	headers := ipv4Header
	if v6(&l.config) {
		headers = ipv6Header
	}
	if l.config.Kind == config.TCP {
		headers += tcpHeader
	} else {
		headers += udpHeader
	}
	if l.sessions != nil {
		headers += frameExtra
	}
	l.limit = min(max(l.state.mtu-headers, 256), maxPayload-frameExtra)
}

// openDatagrams opens the sockets of a link whose device has an index.
func openDatagrams(c *config.Link, index int) (*datagrams, error) {
	d := &datagrams{out: -1, local: c.Local}
	if err := d.open(c, index); err != nil {
		d.close()
		return nil, err
	}
	return d, nil
}

func (d *datagrams) open(c *config.Link, index int) error {
	bind := own(c)
	if c.Kind == config.Multicast {
		d.group, bind = c.Remote, c.Remote
	}
	family := unix.AF_INET
	if v6(c) {
		family = unix.AF_INET6
	}

	in, err := newSocket(family, unix.SO_RCVBUFFORCE, c.RcvBuffer)
	if err != nil {
		return err
	}
	file := os.NewFile(uintptr(in), "link")
	defer file.Close() // in has a duplicate
	if err := bindSocket(in, netip.AddrPortFrom(bind, uint16(c.Port)), index); err != nil {
		return err
	}
	conn, err := net.FilePacketConn(file)
	if err != nil {
		return err
	}
	d.in = conn.(*net.UDPConn)

	if d.out, err = newSocket(family, unix.SO_SNDBUFFORCE, c.SndBuffer); err != nil {
		d.out = -1
		return err
	}
	if !c.Checksum {
		if err := unix.SetsockoptInt(d.out, unix.SOL_SOCKET, unix.SO_NO_CHECK, 1); err != nil {
			return err
		}
	}
	if c.Kind == config.Multicast {
		if err := d.silence(); err != nil {
			return err
		}
		if err := d.join(index); err != nil {
			return err
		}
	}
	if specific(d.local) && d.local.Is6() == v6(c) {
		if err := bindSocket(d.out, netip.AddrPortFrom(d.local, 0), index); err != nil {
			return err
		}
	}
	if own, err := unix.Getsockname(d.out); err == nil {
		d.from = addrPort(own)
	}
	if specific(c.Remote) {
		d.to = newRawAddr(sockaddr(netip.AddrPortFrom(c.Remote, uint16(c.Port)), index))
	}
	return nil
}

// reachable reports whether the link has a destination.
func (l *dedicated) reachable() bool { return specific(l.config.Remote) }

// roomOfReceiver is the size of what arrives at least: a bulk of 100 000 entries, whose
// sender may not pause, nor send again what was lost. A buffer takes memory only as far as it
// is filled.
const roomOfReceiver = 16 << 20

// newSocket returns a socket of UDP that never waits, with the size of a buffer if it is
// not 0. What arrives has more room than that, if the process may have it.
func newSocket(family, option, size int) (int, error) {
	fd, err := unix.Socket(family, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return -1, err
	}
	if size > 0 {
		err = unix.SetsockoptInt(fd, unix.SOL_SOCKET, option, size)
	}
	if option == unix.SO_RCVBUFFORCE && size < roomOfReceiver {
		_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, option, roomOfReceiver)
	}
	if err == nil {
		err = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
	}
	if err == nil && family == unix.AF_INET6 {
		err = unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, 1)
	}
	if err != nil {
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

// silence has multicasts not come back to this machine.
func (d *datagrams) silence() error {
	if d.group.Is6() {
		return unix.SetsockoptInt(d.out, unix.IPPROTO_IPV6, unix.IPV6_MULTICAST_LOOP, 0)
	}
	return unix.SetsockoptInt(d.out, unix.IPPROTO_IP, unix.IP_MULTICAST_LOOP, 0)
}

// join joins the group and sends to it by a device: over IPv4 that of the own address, or
// with an index if no device has it; over IPv6 the one with the index.
func (d *datagrams) join(index int) error {
	return d.control(func(in int) error {
		if d.group.Is6() {
			mreq := &unix.IPv6Mreq{Multiaddr: d.group.As16(), Interface: uint32(index)}
			if err := unix.SetsockoptInt(in, unix.IPPROTO_IPV6, unix.IPV6_MULTICAST_ALL, 0); err != nil {
				return err
			}
			if err := unix.SetsockoptIPv6Mreq(in, unix.IPPROTO_IPV6, unix.IPV6_JOIN_GROUP, mreq); err != nil &&
				!errors.Is(err, unix.EADDRINUSE) {
				return err
			}
			return unix.SetsockoptInt(d.out, unix.IPPROTO_IPV6, unix.IPV6_MULTICAST_IF, index)
		}
		if err := unix.SetsockoptInt(in, unix.IPPROTO_IP, unix.IP_MULTICAST_ALL, 0); err != nil {
			return err
		}
		mreq := &unix.IPMreqn{Multiaddr: d.group.As4(), Ifindex: int32(index)}
		if d.local.Is4() && !d.local.IsUnspecified() {
			mreq.Address, mreq.Ifindex = d.local.As4(), 0
		}
		err := d.join4(in, mreq)
		if mreq.Ifindex == 0 && errors.Is(err, unix.ENODEV) {
			mreq.Ifindex = int32(index)
			err = d.join4(in, mreq)
		}
		return err
	})
}

func (d *datagrams) join4(in int, mreq *unix.IPMreqn) error {
	if err := unix.SetsockoptIPMreqn(in, unix.IPPROTO_IP, unix.IP_ADD_MEMBERSHIP, mreq); err != nil &&
		!errors.Is(err, unix.EADDRINUSE) {
		return err
	}
	by := *mreq
	by.Multiaddr = [4]byte{}
	return unix.SetsockoptIPMreqn(d.out, unix.IPPROTO_IP, unix.IP_MULTICAST_IF, &by)
}

// control calls f with the file descriptor of in.
func (d *datagrams) control(f func(in int) error) error {
	raw, err := d.in.SyscallConn()
	if err != nil {
		return err
	}
	var inner error
	if err := raw.Control(func(fd uintptr) { inner = f(int(fd)) }); err != nil {
		return err
	}
	return inner
}

// close closes the sockets. It may be called twice.
func (d *datagrams) close() {
	if d.in != nil {
		d.in.Close()
	}
	if d.out >= 0 {
		unix.Close(d.out)
		d.out = -1
	}
}
