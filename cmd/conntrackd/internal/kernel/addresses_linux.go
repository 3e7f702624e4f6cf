package kernel

import (
	"encoding/binary"
	"net"
	"net/netip"
	"slices"

	"golang.org/x/sys/unix"
)

// addresses are the machine's links and their addresses, as rtnetlink tells of them.
type addresses struct {
	links map[int32]*ownLink // by index
}

// ownLink is a link of the machine.
type ownLink struct {
	flags uint32
	has   []netip.Addr
}

// linkFlags are the flags of a link that count: it is up, and it works.
const linkFlags = unix.IFF_UP | unix.IFF_RUNNING

// read has what the machine has now.
func (a *addresses) read() error {
	links, err := net.Interfaces()
	if err != nil {
		return err
	}
	a.links = map[int32]*ownLink{}
	for i := range links {
		l := a.link(int32(links[i].Index))
		if links[i].Flags&net.FlagUp != 0 {
			l.flags |= unix.IFF_UP
		}
		if links[i].Flags&net.FlagRunning != 0 {
			l.flags |= unix.IFF_RUNNING
		}
		list, err := links[i].Addrs()
		if err != nil {
			continue // it has gone
		}
		for _, x := range list {
			if n, ok := x.(*net.IPNet); ok {
				if own, ok := netip.AddrFromSlice(n.IP); ok {
					l.has = append(l.has, own.Unmap())
				}
			}
		}
	}
	return nil
}

// link returns a link, which is made if it is not there.
func (a *addresses) link(index int32) *ownLink {
	l := a.links[index]
	if l == nil {
		l = &ownLink{}
		a.links[index] = l
	}
	return l
}

// messages reads the messages of a datagram and returns which addresses are gone. Of a
// link that is down, or has no carrier, they are all that it has: the kernel ends what is
// masqueraded behind a link that is down, and entries that leave by another link than the
// one that they are masqueraded behind. The unspecified address stands for all of a
// family: a link without an address of its own has those of others.
func (a *addresses) messages(b []byte) (lost []netip.Addr) {
	for len(b) >= unix.SizeofNlMsghdr {
		n := int(binary.NativeEndian.Uint32(b))
		typ := binary.NativeEndian.Uint16(b[4:])
		if n < unix.SizeofNlMsghdr || n > len(b) {
			return lost
		}
		body := b[unix.SizeofNlMsghdr:n]
		switch typ {
		case unix.RTM_NEWADDR, unix.RTM_DELADDR:
			lost = append(lost, a.address(typ == unix.RTM_DELADDR, body)...)
		case unix.RTM_NEWLINK, unix.RTM_DELLINK:
			lost = append(lost, a.state(typ == unix.RTM_DELLINK, body)...)
		}
		b = b[min((n+3)&^3, len(b)):]
	}
	return lost
}

// address reads a message about an address (struct ifaddrmsg, attributes) and returns the
// address if it is gone. The machine's own one is IFA_LOCAL, or IFA_ADDRESS if there is no
// other end.
func (a *addresses) address(gone bool, b []byte) (lost []netip.Addr) {
	if len(b) < unix.SizeofIfAddrmsg {
		return nil
	}
	index := int32(binary.NativeEndian.Uint32(b[4:]))
	var local, address netip.Addr
	for b = b[unix.SizeofIfAddrmsg:]; len(b) >= unix.SizeofRtAttr; {
		n := int(binary.NativeEndian.Uint16(b))
		if n < unix.SizeofRtAttr || n > len(b) {
			break
		}
		switch v, _ := netip.AddrFromSlice(b[unix.SizeofRtAttr:n]); binary.NativeEndian.Uint16(b[2:]) {
		case unix.IFA_LOCAL:
			local = v
		case unix.IFA_ADDRESS:
			address = v
		}
		b = b[min((n+3)&^3, len(b)):]
	}
	if !local.IsValid() {
		local = address
	}
	if !local.IsValid() {
		return nil
	}
	l := a.link(index)
	at := slices.Index(l.has, local)
	switch {
	case !gone:
		if at < 0 {
			l.has = append(l.has, local)
		}
		return nil
	case at >= 0:
		l.has = slices.Delete(l.has, at, at+1)
	}
	return []netip.Addr{local}
}

// state reads a message about a link (struct ifinfomsg) and returns the addresses that are
// lost with it.
func (a *addresses) state(gone bool, b []byte) (lost []netip.Addr) {
	if len(b) < unix.SizeofIfInfomsg || b[0] == unix.AF_BRIDGE { // of a port, not of the link
		return nil
	}
	index := int32(binary.NativeEndian.Uint32(b[4:]))
	flags := binary.NativeEndian.Uint32(b[8:]) & linkFlags
	if gone {
		flags = 0
	}
	l := a.link(index)
	if l.flags&^flags != 0 {
		lost = l.own()
	}
	l.flags = flags
	if gone {
		delete(a.links, index)
	}
	return lost
}

// own returns the addresses of a link. If it has no IPv4 address, or no IPv6 address but
// link-local ones, the unspecified address of that family is among them.
func (l *ownLink) own() []netip.Addr {
	list := slices.Clone(l.has)
	no4, no6 := true, true
	for _, a := range l.has {
		no4 = no4 && !a.Is4()
		no6 = no6 && (a.Is4() || a.IsLinkLocalUnicast())
	}
	if no4 {
		list = append(list, netip.IPv4Unspecified())
	}
	if no6 {
		list = append(list, netip.IPv6Unspecified())
	}
	return list
}
