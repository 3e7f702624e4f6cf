package engine

// icmp is ICMP (RFC 792): queries with their answers. Errors are handled in
// icmp_error.go.
var icmp = protocol{tuple: icmpTuple, check: noCheck, packet: trackICMP, related: relatedICMP}

// Types of ICMP (linux/icmp.h).
const (
	icmpUnreachable  = 3
	icmpSourceQuench = 4
	icmpRedirect     = 5
	icmpEcho         = 8
	icmpTimeExceeded = 11
	icmpParameter    = 12
	icmpTimestamp    = 13
	icmpInfo         = 15
	icmpAddress      = 17
	icmpLast         = 18 // NR_ICMP_TYPES
)

// icmpHeader is the length of the header of ICMP and ICMPv6.
const icmpHeader = 8

// relatedICMP checks an ICMP packet and handles it if it is an error.
func relatedICMP(t *Table, p *packet) bool {
	b := p.payload()
	if len(b) < icmpHeader {
		t.judge(p, p.short(ICMPShort, icmpHeader))
		return true
	}
	if t.checksICMP(p) && checksum(b, 0) != 0 && sum(b, 0) != 0 { // all zero passes, as in Linux
		t.judge(p, Reason{Code: ICMPChecksum})
		return true
	}
	typ := b[0]
	if typ > icmpLast {
		t.judge(p, Reason{Code: ICMPType, N: [3]int64{int64(typ)}})
		return true
	}
	if !isICMPError(typ) {
		return false
	}
	t.relate(p, p.transport+icmpHeader)
	return true
}

// checksICMP reports whether the checksum of an ICMP packet is to be checked.
func (t *Table) checksICMP(p *packet) bool {
	return t.o.Sysctls.Checksum && p.hook == Prerouting && !p.cut()
}

func isICMPError(typ uint8) bool {
	switch typ {
	case icmpUnreachable, icmpSourceQuench, icmpRedirect, icmpTimeExceeded, icmpParameter:
		return true
	}
	return false
}

// icmpTuple sets identifier, type and code of a tuple of ICMP or ICMPv6.
func icmpTuple(_ *Table, p *packet, tp *tuple) Reason {
	b := p.payload()
	if len(b) < icmpHeader {
		return p.short(ICMPShort, icmpHeader)
	}
	tp.sport, tp.dport = be16(b[4:]), be16(b)
	if _, ok := p.proto.InverseICMPType(b[0]); !ok {
		return Reason{Code: ICMPNoQuery, N: [3]int64{int64(b[0])}}
	}
	return Reason{}
}

func trackICMP(t *Table, p *packet) (outcome, Reason) {
	switch typ := uint8(p.e.tuples[original].dport >> 8); typ {
	case icmpEcho, icmpTimestamp, icmpInfo, icmpAddress:
		t.refresh(p, t.timeouts(p, &t.o.Sysctls.ICMP)[0])
		return accepted, Reason{}
	default:
		return rejected, unasked(p, typ)
	}
}

// unasked returns the reason for a packet whose entry begins with an answer.
func unasked(p *packet, typ uint8) Reason {
	return Reason{Code: ICMPNoRequest, N: [3]int64{int64(typ), int64(p.tuple.sport)}}
}
