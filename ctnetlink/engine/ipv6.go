package engine

import (
	"encoding/binary"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// ipv6Header is the length of an IPv6 header.
const ipv6Header = 40

// enter6 reads the header of an IPv6 packet (RFC 8200) and finds the transport
// header.
func (t *Table) enter6(p *packet) bool {
	b := p.data
	if len(b) < ipv6Header {
		if p.cut() && p.wireLen >= ipv6Header {
			return t.unjudged(p)
		}
		return p.drop(BadIPHeader)
	}
	p.total = ipv6Header + int(be16(b[4:]))
	// A payload of length 0 in front of hop-by-hop options is a jumbogram
	// (RFC 2675), or all there is.
	if jumbo := p.total == ipv6Header && b[6] == extHopByHop; jumbo {
		p.total = p.wireLen
	}
	if p.total > p.wireLen {
		return p.drop(BadIPHeader)
	}
	p.data, p.wireLen = b[:min(p.total, len(b))], p.total
	if p.where != Output {
		if p.in != "lo" && badAddrs6(b[8:24], b[24:40]) {
			return p.drop(BadIPAddress)
		}
		if b[6] == extHopByHop {
			switch r := p.checkHopByHop(); r {
			case NoReason:
			case CutShort:
				return t.unjudged(p)
			default:
				return p.drop(r)
			}
		}
	}
	p.read6()
	return true
}

// badAddrs6 reports whether a packet with these addresses is dropped when it
// arrives from another machine: the loopback address, a multicast address as the
// source, a multicast address of the scope of an interface or of none.
func badAddrs6(src, dst []byte) bool {
	return src[0] == 0xff || dst[0] == 0xff && dst[1]&15 <= 1 || isLoopback6(src) || isLoopback6(dst)
}

func isLoopback6(a []byte) bool {
	return binary.BigEndian.Uint64(a) == 0 && binary.BigEndian.Uint64(a[8:]) == 1
}

// read6 reads an IPv6 header that is known to be good. p.total is set.
func (p *packet) read6() {
	b := p.data
	p.family, p.ttl = familyIPv6, b[7]
	copy(p.src[:], b[8:])
	copy(p.dst[:], b[24:])
	p.fragHeader = 0
	p.proto, p.transport = ctnetlink.Protocol(b[6]), ipv6Header
	p.nextAt = 6
	p.walk6()
}

// walk6 moves p.proto and p.transport behind the extension headers, perhaps to
// behind the packet: Linux looks at the start of a header only. Where it cannot
// go on, because that is not there or the header is that of a later fragment,
// p.proto is an extension header. p.fragHeader is set to the first fragment
// header, and p.nextAt to the field that announces it.
func (p *packet) walk6() {
	for isExtension6(p.proto) {
		b := p.payload()
		n := extensionLen6(p.proto, b)
		if p.proto == extFragment && p.fragHeader == 0 {
			p.fragHeader = p.transport
		}
		if n == never6 || p.proto == extFragment && be16(b[2:])&^7 != 0 {
			return
		}
		if p.fragHeader == 0 {
			p.nextAt = p.transport
		}
		p.proto = ctnetlink.Protocol(b[0])
		p.transport += n
	}
}

func isExtension6(proto ctnetlink.Protocol) bool {
	switch proto {
	case extHopByHop, extRouting, extFragment, extAuth, extDestination:
		return true
	}
	return false
}

// never6 is the length of a header that is not known.
const never6 = -1

// extensionLen6 returns the length of the extension header at the start of b,
// or never6 if b is too short to know.
func extensionLen6(proto ctnetlink.Protocol, b []byte) int {
	switch {
	case len(b) < 2, proto == extFragment && len(b) < 8:
		return never6
	case proto == extFragment:
		return 8
	case proto == extAuth:
		return (int(b[1]) + 2) * 4
	}
	return (int(b[1]) + 1) * 8
}

// unreached is what has no transport header: a packet that ends where an
// extension header should begin, or a fragment that was not put together.
var unreached = protocol{tuple: extensionsBroken, check: noCheck, packet: trackGeneric}

func extensionsBroken(_ *Table, p *packet, _ *tuple) Reason {
	if n := extensionLen6(p.proto, p.payload()); n != never6 {
		return Reason{Code: LaterFragment}
	}
	if p.proto == extFragment {
		return p.short(BadExtension, fragmentHeader6)
	}
	return p.short(BadExtension, 2)
}
