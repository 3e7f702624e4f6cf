package engine

import (
	"encoding/binary"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// enter reads the IP header. It returns false if the stack drops the packet
// before it is tracked, or if too little of it was captured.
func (t *Table) enter(p *packet) bool {
	switch {
	case len(p.data) == 0:
		if p.wireLen > 0 {
			return t.unjudged(p)
		}
	case p.data[0]>>4 == 4:
		return t.enter4(p)
	case p.data[0]>>4 == 6:
		return t.enter6(p)
	}
	return p.drop(BadIPHeader)
}

// unjudged lets a packet pass of which too little was captured to know what it
// is. It returns false.
func (t *Table) unjudged(p *packet) bool {
	p.v.State, p.v.Reason = StateUnknown, Reason{Code: CutShort}
	t.leave(p)
	return false
}

// ipv4Header is the length of an IPv4 header without options.
const ipv4Header = 20

// Bits of the field with flags and the fragment offset (RFC 791).
const (
	ipv4More   = 0x2000
	ipv4Offset = 0x1fff
)

// enter4 reads the header of an IPv4 packet (RFC 791).
func (t *Table) enter4(p *packet) bool {
	b := p.data
	if len(b) < ipv4Header {
		if p.cut() && p.wireLen >= ipv4Header {
			return t.unjudged(p)
		}
		return p.drop(BadIPHeader)
	}
	n, total := int(b[0]&15)*4, int(be16(b[2:]))
	if n < ipv4Header || total < n || total > p.wireLen {
		return p.drop(BadIPHeader)
	}
	// A packet that this machine sends gets its checksum on the way.
	if p.where != Output {
		if n == ipv4Header && !isSummed4(b) || n > ipv4Header && n <= len(b) && checksum(b[:n], 0) != 0 {
			return p.drop(BadIPHeader)
		}
	}
	p.read4()
	return true
}

// read4 reads an IPv4 header that is known to be good, and cuts off what is
// behind the packet.
func (p *packet) read4() {
	b := p.data
	p.family, p.proto, p.ttl = familyIPv4, ctnetlink.Protocol(b[9]), b[8]
	copy(p.src[:4], b[12:])
	copy(p.dst[:4], b[16:])
	p.transport, p.total = int(b[0]&15)*4, int(be16(b[2:]))
	p.data, p.wireLen = b[:min(p.total, len(b))], p.total
}

// setSum4 sets the checksum of an IPv4 header.
func setSum4(h []byte) {
	binary.BigEndian.PutUint16(h[10:], 0)
	binary.BigEndian.PutUint16(h[10:], checksum(h, 0))
}

// Types of IPv4 options (linux/ip.h).
const (
	ipv4OptEnd    = 0
	ipv4OptNop    = 1
	ipv4OptRecord = 7   // record route
	ipv4OptStamp  = 68  // time stamps
	ipv4OptLoose  = 131 // loose source route
	ipv4OptCIPSO  = 134 // a security label
	ipv4OptStrict = 137 // strict source route
	ipv4OptAlert  = 148 // router alert
	ipv4OptCopy   = 0x80
)

// checkOptions4 judges the options of an IPv4 header as a router does, which
// drops a packet with a malformed one or with a source route.
func checkOptions4(b []byte) ReasonCode {
	var record, stamp bool
	for len(b) > 0 {
		switch b[0] {
		case ipv4OptEnd:
			return NoReason
		case ipv4OptNop:
			b = b[1:]
			continue
		}
		if len(b) < 2 || b[1] < 2 || int(b[1]) > len(b) {
			return BadIPOptions
		}
		o := b[:b[1]]
		b = b[len(o):]
		bad := false
		switch o[0] {
		case ipv4OptRecord:
			bad = record || len(o) < 3 || o[2] < 4 || int(o[2]) <= len(o) && int(o[2])+3 > len(o)
			record = true
		case ipv4OptStamp:
			bad = stamp || badStamp4(o)
			stamp = true
		case ipv4OptAlert:
			bad = len(o) < 4
		case ipv4OptCIPSO:
			bad = true // there is no label that Linux would know
		case ipv4OptLoose, ipv4OptStrict:
			return SourceRouted
		}
		if bad {
			return BadIPOptions
		}
	}
	return NoReason
}

// badStamp4 reports whether an option with time stamps is malformed.
func badStamp4(o []byte) bool {
	const withAddress, prespecified = 1, 3
	if len(o) < 4 || o[2] < 5 {
		return true
	}
	at := int(o[2])
	if at > len(o) {
		return o[3]>>4 == 15 && o[3]&15 != prespecified // the overflow counter is full
	}
	switch o[3] & 15 {
	case withAddress, prespecified:
		return at+7 > len(o)
	}
	return at+3 > len(o)
}
