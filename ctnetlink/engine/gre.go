package engine

import "github.com/gonntrack/gonntrack/ctnetlink"

// Timeouts of GRE.
const (
	greUnreplied = iota // nf_conntrack_gre_timeout
	greStream           // nf_conntrack_gre_timeout_stream
)

// gre is GRE of version 0 (RFC 2784) and version 1, which PPTP uses (RFC 2637).
var gre = protocol{tuple: keysGRE, check: noCheck, packet: trackGRE}

// keysGRE sets the keys of a tuple: the call id of a packet of version 1 is the
// key of its receiver, and that of its sender is known from the PPTP helper
// only. All packets of other versions between two hosts are one connection, and
// so are those that are too short for a header.
func keysGRE(t *Table, p *packet, tp *tuple) Reason {
	const header = 8 // of version 1
	if p.transportLen() < header {
		return Reason{}
	}
	b := p.payload()
	switch {
	case len(b) < 2:
		return Reason{Code: CutShort}
	case b[1]&7 != 1:
		return Reason{}
	case len(b) < header:
		return Reason{Code: CutShort}
	case be16(b[2:]) != 0x880b: // PPP
		return Reason{Code: GREProtocol, N: [3]int64{int64(be16(b[2:]))}}
	}
	tp.dport = be16(b[6:])
	tp.sport = t.calls.key(tp)
	return Reason{}
}

// trackGRE makes an entry with a reply a stream. An entry keeps the timeouts
// that were in force at its first packet. One made by ctnetlink has none, so
// that its next packet ends it.
func trackGRE(t *Table, p *packet) (outcome, Reason) {
	e := p.e
	if p.v.New {
		to := t.timeouts(p, &t.o.Sysctls.GRE)
		e.proto.vtag = [2]uint32{to[greUnreplied], to[greStream]}
	}
	if e.status&ctnetlink.StatusSeenReply == 0 {
		t.refresh(p, e.proto.vtag[greUnreplied])
		return accepted, Reason{}
	}
	t.refresh(p, e.proto.vtag[greStream])
	t.assure(p)
	return accepted, Reason{}
}
