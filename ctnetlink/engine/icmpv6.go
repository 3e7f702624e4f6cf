package engine

// icmpv6 is ICMPv6 (RFC 4443): queries with their answers. Errors are handled
// in icmp_error.go; neighbour discovery and the like is not tracked.
var icmpv6 = protocol{tuple: icmpTuple, check: noCheck, packet: trackICMPv6, related: relatedICMPv6}

// Types of ICMPv6 (linux/icmpv6.h).
const (
	icmpv6Info           = 128 // those below are errors (ICMPV6_INFOMSG_MASK)
	icmpv6Echo           = 128
	icmpv6ListenerQuery  = 130
	icmpv6NeighbourAdv   = 136
	icmpv6Redirect       = 137
	icmpv6NodeQuery      = 139
	icmpv6ListenerReport = 143
	icmpv6RouterAdv      = 151 // multicast router discovery (RFC 4286)
	icmpv6RouterSolicit  = 152
)

// relatedICMPv6 checks an ICMPv6 packet and handles it if it is an error or not
// tracked.
func relatedICMPv6(t *Table, p *packet) bool {
	b := p.payload()
	if len(b) < icmpHeader {
		t.judge(p, p.short(ICMPShort, icmpHeader))
		return true
	}
	if t.checksICMP(p) && checksum(b, p.pseudo(p.proto, len(b))) != 0 {
		t.judge(p, Reason{Code: ICMPv6Checksum})
		return true
	}
	typ := b[0]
	switch {
	case typ < icmpv6Info:
		t.relate(p, p.transport+icmpHeader)
		return true
	case icmpv6ListenerQuery <= typ && typ <= icmpv6NeighbourAdv,
		typ == icmpv6ListenerReport, typ == icmpv6RouterAdv, typ == icmpv6RouterSolicit:
		p.v.State = StateUntracked
		return true
	case typ == icmpv6Redirect:
		return redirectICMPv6(t, p)
	}
	return false
}

// redirectICMPv6 handles a redirect (RFC 4861): an error about the packet in its
// first option. It returns false if that is another option, or the code is not 0.
func redirectICMPv6(t *Table, p *packet) bool {
	const (
		options   = 40 // offset of the options
		quoted    = 8  // offset of the packet in the option
		redirOpt  = 4  // ND_OPT_REDIRECT_HDR
		optHeader = 2
	)
	b := p.payload()
	wrong := func(r Reason) bool { t.judge(p, r); return true }
	switch {
	case p.transportLen() < options:
		return wrong(Reason{Code: RedirectShort, N: [3]int64{int64(p.transportLen())}})
	case b[1] != 0:
		return false
	case p.ttl != 255 || p.src[0] != 0xfe || p.src[1]&0xc0 != 0x80:
		return wrong(Reason{Code: RedirectSource, N: [3]int64{int64(p.ttl)}})
	case len(b) < options+optHeader:
		return wrong(p.short(RedirectOptions, options+optHeader))
	case b[options+1] == 0:
		return wrong(Reason{Code: RedirectOptions})
	case b[options] != redirOpt:
		return false
	}
	t.relate(p, p.transport+options+quoted)
	return true
}

func trackICMPv6(t *Table, p *packet) (outcome, Reason) {
	switch typ := uint8(p.e.tuples[original].dport >> 8); typ {
	case icmpv6Echo, icmpv6NodeQuery:
		t.refresh(p, t.timeouts(p, &t.o.Sysctls.ICMPv6)[0])
		return accepted, Reason{}
	default:
		return rejected, unasked(p, typ)
	}
}
