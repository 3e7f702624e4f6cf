package link

import (
	"net/netip"

	"golang.org/x/sys/unix"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/config"
)

// v6 reports whether a link is one over IPv6.
func v6(c *config.Link) bool {
	if c.Remote.IsValid() {
		return c.Remote.Is6()
	}
	return c.Local.Is6()
}

// own returns the own address of a link, the unspecified one if there is none.
func own(c *config.Link) netip.Addr {
	switch {
	case c.Local.IsValid():
		return c.Local
	case v6(c):
		return netip.IPv6Unspecified()
	}
	return netip.IPv4Unspecified()
}

// specific reports whether an address is one of a machine or a group.
func specific(a netip.Addr) bool { return a.IsValid() && !a.IsUnspecified() }

// bindSocket binds a socket to an address on a device.
func bindSocket(fd int, a netip.AddrPort, index int) error {
	return unix.Bind(fd, sockaddr(a, index))
}

// sockaddr returns an address for the kernel. The index is the scope of one that is valid
// on a device only.
func sockaddr(a netip.AddrPort, index int) unix.Sockaddr {
	if a.Addr().Is6() {
		to := &unix.SockaddrInet6{Addr: a.Addr().As16(), Port: int(a.Port())}
		if scoped(a.Addr()) {
			to.ZoneId = uint32(index)
		}
		return to
	}
	to := &unix.SockaddrInet4{Port: int(a.Port())}
	if a.Addr().IsValid() {
		to.Addr = a.Addr().As4()
	}
	return to
}

// scoped reports whether an address is valid on a device only.
func scoped(a netip.Addr) bool {
	return a.IsLinkLocalUnicast() || a.IsLinkLocalMulticast() || a.IsInterfaceLocalMulticast()
}

// addrPort is the reverse of sockaddr.
func addrPort(a unix.Sockaddr) netip.AddrPort {
	switch a := a.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(a.Addr), uint16(a.Port))
	case *unix.SockaddrInet6:
		return netip.AddrPortFrom(netip.AddrFrom16(a.Addr), uint16(a.Port))
	}
	return netip.AddrPort{}
}
