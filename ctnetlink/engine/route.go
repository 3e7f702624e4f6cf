package engine

import (
	"net/netip"
	"slices"
)

// Host is the machine on which the table is.
type Host struct {
	// Addrs are its addresses. They also decide by which interface a packet leaves
	// if Packet.Out does not say so.
	Addrs []Addr
	// Router reports whether the machine forwards packets as a router does: those
	// that a router does not pass on leave no entry. Otherwise all packets pass, as
	// on a bridge or at an end host.
	Router bool
}

// Addr is an address of an interface.
type Addr struct {
	Interface string
	Prefix    netip.Prefix // the address, with the length of the network's prefix
}

// route decides whether a packet is for this machine or is forwarded. It returns
// false if it is dropped.
func (t *Table) route(p *packet) bool {
	h := &t.o.Host
	if !h.Router && len(h.Addrs) == 0 {
		return true
	}
	if p.family == familyIPv6 {
		return h.route6(p)
	}
	return h.route4(p)
}

// route4 routes an IPv4 packet.
func (h *Host) route4(p *packet) bool {
	src, dst := be32(p.src[:]), be32(p.dst[:])
	if h.Router {
		if n := min(int(p.data[0]&15)*4, len(p.data)); n > ipv4Header {
			if r := checkOptions4(p.data[ipv4Header:n]); r != NoReason {
				return p.drop(r)
			}
		}
		if isMulticast4(src) || src == broadcast4 {
			return p.drop(MartianSource)
		}
	}
	local := dst == broadcast4 || src == 0 && dst == 0
	switch {
	case local:
	case isMulticast4(dst):
		// A source of 0.0.0.0 may speak to its neighbours only.
		if local = dst == allHosts4 && (src != 0 || dst>>8 == allHosts4>>8); !local && h.Router {
			return p.drop(NotJoined)
		}
	case src == 0 && h.Router:
		return p.drop(MartianSource)
	case dst == 0 && h.Router:
		return p.drop(MartianDestination)
	default:
		local = h.local4(dst)
	}
	return h.pass(p, local)
}

const (
	broadcast4 = 0xffffffff
	allHosts4  = 0xe0000001 // 224.0.0.1
)

func isMulticast4(a uint32) bool { return a>>28 == 0xe }

// local4 reports whether a destination is an address or a broadcast address of
// this machine. All of 127.0.0.0/8 is, with one of it.
func (h *Host) local4(dst uint32) bool {
	for i := range h.Addrs {
		a := h.Addrs[i].Prefix
		if !a.Addr().Is4() {
			continue
		}
		b := a.Addr().As4()
		own := be32(b[:])
		if own == dst || own>>24 == 127 && dst>>24 == 127 {
			return true
		}
	}
	return h.broadcast(dst)
}

// broadcast reports whether an IPv4 address is the last one of a network of this
// machine.
func (h *Host) broadcast(addr uint32) bool {
	for i := range h.Addrs {
		a := h.Addrs[i].Prefix
		if !a.Addr().Is4() || a.Bits() > 30 {
			continue
		}
		b := a.Addr().As4()
		if addr == be32(b[:])|broadcast4>>a.Bits() {
			return true
		}
	}
	return false
}

// route6 routes an IPv6 packet.
func (h *Host) route6(p *packet) bool {
	if p.dst[0] == 0xff {
		local := h.joined6(&p.dst)
		if !local && h.Router {
			return p.drop(NotJoined)
		}
		return h.pass(p, local)
	}
	local := h.local6(&p.dst)
	if !local && h.Router && (p.src == [16]byte{} || !h.sameLink(p)) {
		return p.drop(LinkLocal)
	}
	return h.pass(p, local)
}

// sameLink reports whether a packet with a link-local address goes back to the
// link from which it comes, as one to a link-local address does if the interface
// has such an address itself. It is true for other packets.
func (h *Host) sameLink(p *packet) bool {
	if isLinkLocal6(&p.dst) {
		return slices.ContainsFunc(h.Addrs, func(a Addr) bool {
			return a.Interface == p.in && a.Prefix.Addr().Is6() && a.Prefix.Addr().IsLinkLocalUnicast()
		})
	}
	return !isLinkLocal6(&p.src) || p.in != "" && p.in == p.out
}

// local6 reports whether an address is of this machine. The first address of each
// of its networks is that of all routers there (RFC 4291, section 2.6.1).
func (h *Host) local6(dst *[16]byte) bool {
	for i := range h.Addrs {
		a := h.Addrs[i].Prefix
		if !a.Addr().Is6() {
			continue
		}
		if a.Addr().As16() == *dst || h.Router && a.Bits() < 127 && a.Masked().Addr().As16() == *dst {
			return true
		}
	}
	return false
}

// joined6 reports whether this machine listens to a multicast address: that of
// all nodes, and of all routers if it is one, and those of its addresses for
// neighbour discovery (RFC 4291, section 2.8).
func (h *Host) joined6(dst *[16]byte) bool {
	const solicited = "\xff\x02\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\xff"
	switch *dst {
	case [16]byte{0: 0xff, 1: 2, 15: 1}:
		return true
	case [16]byte{0: 0xff, 1: 2, 15: 2}:
		return h.Router
	}
	if string(dst[:len(solicited)]) != solicited {
		return false
	}
	for i := range h.Addrs {
		if a := h.Addrs[i].Prefix.Addr(); a.Is6() {
			if b := a.As16(); string(b[len(solicited):]) == string(dst[len(solicited):]) {
				return true
			}
		}
	}
	return false
}

// pass sets the way of a packet that is local or not. It returns false if a
// router does not forward it.
func (h *Host) pass(p *packet, local bool) bool {
	switch {
	case local:
		p.where = Input
	case p.where == Input && p.v.Fate != Translated:
	default:
		p.where = Forward
		if h.Router && p.ttl <= 1 {
			return p.drop(TTLExpired)
		}
		if p.out == "" && len(h.Addrs) > 1 {
			p.out = h.leavesBy(p)
		}
	}
	return true
}

// leavesBy returns the interface by which a packet leaves, "" if it is not
// known: that of the smallest network that has its destination, or, on a machine
// with two interfaces, the one by which it does not come.
func (h *Host) leavesBy(p *packet) string {
	dst := netip.AddrFrom16(p.dst)
	if p.family == familyIPv4 {
		dst = netip.AddrFrom4([4]byte(p.dst[:4]))
	}
	best, bits, other := "", -1, ""
	for i := range h.Addrs {
		a := &h.Addrs[i]
		if a.Prefix.Bits() > bits && a.Prefix.Contains(dst) {
			best, bits = a.Interface, a.Prefix.Bits()
		}
		switch {
		case a.Interface == p.in, a.Interface == other:
		case other == "":
			other = a.Interface
		default:
			other = "?" // more than one is left
		}
	}
	if best == "" && other != "?" && p.in != "" {
		return other
	}
	return best
}
