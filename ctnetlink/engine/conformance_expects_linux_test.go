package engine_test

import (
	"net/netip"
	"slices"
)

// Random requests for expectations.

// expectation is an expectation as the generator requested it.
type expectation struct {
	master *flow
	tuple  tuple
	mask   tuple
}

// idKey returns the expectation's answer.idKey.
func (x *expectation) idKey() string {
	return "expect " + string(x.tuple.node(0).append(nil, nil)[4:])
}

// helped returns a flow that was mostly requested with a helper.
func (g *generator) helped() *flow {
	if g.oneIn(8) {
		return g.known()
	}
	return pick(g, g.masters...)
}

// expected returns an earlier expectation, or a new one.
func (g *generator) expected() *expectation {
	if len(g.expects) > 0 && !g.oneIn(6) {
		return pick(g, g.expects...)
	}
	return g.freshExpect()
}

func (g *generator) freshExpect() *expectation {
	m := g.helped()
	x := &expectation{master: m, tuple: m.orig.invert()}
	x.tuple.zone = -1
	if g.oneIn(3) {
		x.tuple.src = g.addr(m.orig.v6)
	}
	if g.oneIn(6) {
		x.tuple.proto = pick[uint8](g, tcp, udp, gre, icmp, 0)
	}
	if !g.oneIn(6) {
		x.tuple.sport = 0
	}
	x.tuple.dport = uint16(4000 + g.IntN(4))
	x.mask = x.tuple
	x.mask.src, x.mask.dst = g.mask(m.orig.v6), g.mask(m.orig.v6)
	x.mask.sport, x.mask.dport = pick[uint16](g, 0, 0, 0, 0xffff, 0xff00), pick[uint16](g, 0xffff, 0xffff, 0)
	g.expects = append(g.expects, x)
	if len(g.expects) > 12 {
		g.expects = g.expects[1:]
	}
	return x
}

// createExpect returns a request for a new expectation, or to change one.
func (g *generator) createExpect() *request {
	x := g.freshExpect()
	if g.oneIn(4) {
		x = g.expected() // the same again
	} else if len(g.expects) > 1 && g.oneIn(5) {
		*x = *pick(g, g.expects...) // nearly the same again
		switch g.IntN(3) {
		case 0:
			x.tuple.src = g.addr(x.tuple.v6)
		case 1:
			x.mask.src = g.mask(x.tuple.v6)
		case 2:
			x.master = g.helped()
		}
	}
	r := &request{typ: expNew, flags: flagRequest | flagCreate, family: x.tuple.family()}
	g.answerFlags(r, 3)
	switch g.IntN(6) {
	case 0:
		if g.oneIn(3) {
			r.flags &^= flagCreate
		}
	case 1, 2, 3:
		r.flags |= flagExcl
	}
	r.attrs = []*node{x.tuple.node(ctaExpTuple), x.mask.node(ctaExpMask), x.master.orig.node(ctaExpMaster)}
	if g.oneIn(20) {
		r.attrs[2] = x.master.reply.node(ctaExpMaster)
	}
	g.expectZone(r, x)
	may := func(n int, node *node) {
		if g.oneIn(n) {
			r.attrs = append(r.attrs, node)
		}
	}
	may(2, be32(ctaExpTimeout, pick[uint32](g, 60, 100, 300, 5000, 100_000)))
	flags := 8
	if !g.tidy {
		flags = 10
		may(3, be32(ctaExpClass, uint32(pick(g, 0, 0, 0, 1, 2, 3, 4, 7, 100))))
	}
	may(3, be32(ctaExpFlags, uint32(g.IntN(flags))))
	may(10, str(ctaExpFn, pick(g, "nat-follow-master", "nat-follow-master", "none-such", "Q.931", "callforwarding",
		"follow", "sip", "")))
	may(10, str(ctaExpHelpName, pick(g, "ftp", "sip", "none-such")))
	may(30, &node{typ: ctaExpID, id: x.idKey()})
	if g.oneIn(8) {
		nat := nest(ctaExpNAT, be32(1, uint32(pick(g, 0, 1, 0, 1, 2, 5))), x.tuple.invert().node(2))
		if g.oneIn(8) {
			nat.kids = slices.Delete(nat.kids, g.IntN(2), 2)
		}
		r.attrs = append(r.attrs, nat)
	}
	return r
}

// expectZone adds the master's zone.
func (g *generator) expectZone(r *request, x *expectation) {
	if x.master.zone >= 0 && !g.oneIn(8) {
		r.attrs = append(r.attrs, be16(ctaExpZone, uint16(x.master.zone)))
	} else if g.oneIn(25) {
		r.attrs = append(r.attrs, be16(ctaExpZone, uint16(g.IntN(3))))
	}
}

// addressExpect names an expectation by its tuple or its master.
func (g *generator) addressExpect(r *request) {
	x := g.expected()
	r.family = x.tuple.family()
	switch {
	case g.oneIn(6):
		r.attrs = append(r.attrs, x.master.orig.node(ctaExpMaster))
	case g.oneIn(30):
	default:
		t := x.tuple
		if g.oneIn(10) {
			t.dport++
		}
		r.attrs = append(r.attrs, t.node(ctaExpTuple))
		if g.oneIn(20) {
			r.attrs = append(r.attrs, x.master.orig.node(ctaExpMaster))
		}
	}
	g.expectZone(r, x)
	if g.oneIn(4) {
		if g.oneIn(3) {
			x = g.expected()
		}
		r.attrs = append(r.attrs, &node{typ: ctaExpID, id: x.idKey()})
	}
}

func (g *generator) getExpect() *request {
	r := &request{typ: expGet, flags: flagRequest}
	g.answerFlags(r, 10)
	g.addressExpect(r)
	return r
}

func (g *generator) removeExpect() *request {
	r := &request{typ: expDelete, flags: flagRequest}
	g.answerFlags(r, 3)
	if g.oneIn(5) {
		r.attrs = []*node{str(ctaExpHelpName, pick(g, "ftp", "sip", "irc", "none-such"))}
		return r
	}
	g.addressExpect(r)
	return r
}

func (g *generator) dumpExpect() *request {
	r := &request{typ: expGet, flags: flagRequest | flagDump, family: pick[uint8](g, 0, 0, familyIPv4, familyIPv6, 7)}
	if g.oneIn(3) {
		m := g.helped()
		r.family = m.orig.family()
		r.attrs = append(r.attrs, m.orig.node(ctaExpMaster))
		if m.zone >= 0 {
			r.attrs = append(r.attrs, be16(ctaExpZone, uint16(m.zone)))
		}
	}
	return r
}

func (g *generator) mask(v6 bool) netip.Addr {
	width := pick(g, 255, 255, 255, 255, 0)
	a := netip.AddrFrom4([4]byte{255, 255, 255, byte(width)})
	if v6 {
		b := [16]byte{}
		for i := range b {
			b[i] = 255
		}
		b[15] = byte(width)
		a = netip.AddrFrom16(b)
	}
	return a
}
