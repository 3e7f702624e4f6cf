package engine

import "github.com/gonntrack/gonntrack/ctnetlink"

// relate gives an ICMP error the entry of the packet that it quotes, which
// begins at an offset (nf_conntrack_inet_error). The packet is RELATED, or
// INVALID if there is no such entry.
func (t *Table) relate(p *packet, at int) {
	q := &t.path.quoted
	*q = packet{data: p.data, wireLen: p.wireLen, header: header{family: p.family, total: p.total}}
	r := q.quote(at)
	if r.Code == 0 && q.transport > len(q.data) {
		r.Code = CutShort
	}
	if r.Code != 0 {
		t.judge(p, r)
		return
	}
	tp := tuple{family: q.family, proto: q.proto, src: q.src, dst: q.dst}
	if r = protocolOf(q.family, q.proto).tuple(t, q, &tp); r.Code != 0 {
		if r.Code != CutShort {
			r = Reason{Code: ErrorQuotesBad, N: [3]int64{int64(q.proto)}}
		}
		t.judge(p, r)
		return
	}
	answer, ok := tp.invert()
	if !ok {
		t.judge(p, Reason{Code: ErrorQuotesBad, N: [3]int64{int64(q.proto)}})
		return
	}
	// A reply to the quoted packet would have come from where the error comes
	// from. With a translation the entry has that tuple, not the quoted one.
	e, dir := t.seek(&answer, p.zone)
	if e == nil {
		t.judge(p, Reason{Code: ErrorOfUnknown})
		return
	}
	if e.tuples[dir].dst != p.dst {
		t.judge(p, Reason{Code: ErrorToOther})
		return
	}
	p.e, p.dir, p.related = e, dir, true
	p.v.State, p.v.Before = StateRelated, e.state()
}

// quote reads the IP header of a quoted packet. The rest of it may be missing.
func (p *packet) quote(at int) Reason {
	if p.family == familyIPv6 {
		return p.quote6(at)
	}
	return p.quote4(at)
}

func (p *packet) quote4(at int) Reason {
	const size = 20
	if p.transport = at; p.total-at < size {
		return Reason{Code: ErrorQuotesLittle}
	}
	b := p.payload()
	if len(b) < size {
		return Reason{Code: CutShort}
	}
	n := int(b[0]&15) * 4
	switch {
	case n > p.total-at: // fewer than 20 are as good as any
		return Reason{Code: ErrorQuotesLittle}
	case be16(b[6:])&0x1fff != 0:
		return Reason{Code: ErrorQuotesFragment}
	}
	p.proto = ctnetlink.Protocol(b[9])
	copy(p.src[:4], b[12:])
	copy(p.dst[:4], b[16:])
	p.transport = at + n
	return Reason{}
}

func (p *packet) quote6(at int) Reason {
	const size = 40
	if p.transport = at; p.total-at < size {
		return Reason{Code: ErrorQuotesLittle}
	}
	b := p.payload()
	if len(b) < size {
		return Reason{Code: CutShort}
	}
	p.proto = ctnetlink.Protocol(b[6])
	copy(p.src[:], b[8:])
	copy(p.dst[:], b[24:])
	p.transport = at + size
	return p.skipExtensions()
}

// Numbers of IPv6 extension headers (linux/ipv6.h).
const (
	extHopByHop    = 0
	extRouting     = 43
	extFragment    = 44
	extAuth        = 51
	extDestination = 60
)

// skipExtensions moves p.proto and p.transport behind the extension headers of
// a quoted packet (ipv6_skip_exthdr).
func (p *packet) skipExtensions() Reason {
	const least = 8 // bytes of an extension header
	for {
		switch p.proto {
		case extHopByHop, extRouting, extFragment, extAuth, extDestination:
		default:
			return Reason{}
		}
		if p.total-p.transport < least {
			return Reason{Code: ErrorQuotesLittle}
		}
		if len(p.data)-p.transport < least {
			return Reason{Code: CutShort}
		}
		b := p.payload()
		n := (int(b[1]) + 1) * 8
		switch p.proto {
		case extFragment:
			if n = least; be16(b[2:])&^7 != 0 {
				return Reason{Code: ErrorQuotesFragment}
			}
		case extAuth:
			n = (int(b[1]) + 2) * 4
		}
		p.proto = ctnetlink.Protocol(b[0])
		if p.transport += n; p.transport > p.total {
			return Reason{Code: ErrorQuotesLittle}
		}
	}
}
