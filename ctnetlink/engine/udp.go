package engine

import "github.com/gonntrack/gonntrack/ctnetlink"

// Timeouts of UDP and UDPlite.
const (
	udpUnreplied = iota // nf_conntrack_udp_timeout
	udpStream           // nf_conntrack_udp_timeout_stream
)

// udpYoung is how long an entry must have existed to become a stream.
const udpYoung = 2 * ticksPerSecond

var udp = protocol{tuple: ports, check: checkUDP, packet: trackUDP}

// checkUDP checks the header and the checksum (RFC 768).
func checkUDP(t *Table, p *packet) Reason {
	b := p.payload()
	if len(b) < 8 {
		return p.short(HeaderShort, 8)
	}
	if n := int(be16(b[4:])); n < 8 || n > p.transportLen() {
		return Reason{Code: BadLength, N: [3]int64{int64(n), int64(p.transportLen())}}
	}
	if be16(b[6:]) == 0 {
		return Reason{}
	}
	return t.verify(p, ctnetlink.ProtoUDP)
}

func trackUDP(t *Table, p *packet) (outcome, Reason) {
	return t.stream(p, t.timeouts(p, &t.o.Sysctls.UDP))
}

// stream tracks a protocol without a state: with a reply, and in UDP after two
// seconds, the entry is a stream.
func (t *Table) stream(p *packet, timeouts *Timeouts) (outcome, Reason) {
	e := p.e
	if p.v.New && p.proto == ctnetlink.ProtoUDP { // not UDPlite
		e.proto.since = t.now + udpYoung
	}
	if e.status&ctnetlink.StatusSeenReply == 0 || t.now <= e.proto.since {
		t.refresh(p, timeouts[udpUnreplied])
		return accepted, Reason{}
	}
	t.refresh(p, timeouts[udpStream])
	t.assure(p)
	return accepted, Reason{}
}
