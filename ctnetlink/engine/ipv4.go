package engine

import "github.com/gonntrack/gonntrack/ctnetlink"

// enter reads the IP header. It returns false if the stack drops the packet
// before it is tracked.
func (t *Table) enter(p *packet) bool {
	switch {
	case len(p.data) > 0 && p.data[0]>>4 == 4:
		return p.enter4()
	case len(p.data) > 0 && p.data[0]>>4 == 6:
		return p.enter6()
	}
	return p.drop(BadIPHeader)
}

// enter4 reads the header of an IPv4 packet (RFC 791).
func (p *packet) enter4() bool {
	b := p.data
	if len(b) < 20 {
		return p.drop(BadIPHeader)
	}
	n := int(b[0]&15) * 4
	total := int(be16(b[2:]))
	if n < 20 || total < n || total > p.wireLen || len(b) >= n && checksum(b[:n], 0) != 0 {
		return p.drop(BadIPHeader)
	}
	p.family, p.proto, p.ttl = familyIPv4, ctnetlink.Protocol(b[9]), b[8]
	copy(p.src[:4], b[12:])
	copy(p.dst[:4], b[16:])
	p.transport, p.total = n, total
	return true
}
