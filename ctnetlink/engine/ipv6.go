package engine

import "github.com/gonntrack/gonntrack/ctnetlink"

// enter6 reads the header of an IPv6 packet (RFC 8200).
func (p *packet) enter6() bool {
	b := p.data
	if len(b) < 40 {
		return p.drop(BadIPHeader)
	}
	p.family, p.proto, p.ttl = familyIPv6, ctnetlink.Protocol(b[6]), b[7]
	copy(p.src[:], b[8:])
	copy(p.dst[:], b[24:])
	p.transport, p.total = 40, 40+int(be16(b[4:]))
	if p.total > p.wireLen {
		return p.drop(BadIPHeader)
	}
	return true
}
