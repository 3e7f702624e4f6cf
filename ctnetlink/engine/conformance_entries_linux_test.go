package engine_test

import (
	"encoding/binary"
	"slices"
)

// Random requests for entries.

// create returns a request for a new entry, or for one that exists.
func (g *generator) create() *request {
	f := g.fresh()
	if g.oneIn(4) {
		f = g.known()
	}
	r := &request{typ: ctNew, flags: flagRequest | flagCreate, family: f.orig.family()}
	g.answerFlags(r, 3)
	if !g.oneIn(3) {
		r.flags |= flagExcl
	}
	r.attrs = []*node{f.orig.node(ctaTupleOrig), f.reply.node(ctaTupleReply)}
	if f.zone >= 0 {
		r.attrs = append(r.attrs, be16(ctaZone, uint16(f.zone)))
	}
	if !g.rarely(40) {
		r.attrs = append(r.attrs, be32(ctaTimeout, g.timeout()))
	}
	if !g.oneIn(3) {
		r.attrs = append(r.attrs, g.status())
	}
	if !g.oneIn(3) {
		r.attrs = append(r.attrs, g.protoInfo(f.orig.proto))
	}
	g.optional(r, f)
	if g.oneIn(3) {
		r.attrs = append(r.attrs, g.helper(f.orig.proto))
	}
	if g.oneIn(5) {
		r.attrs = append(r.attrs, g.nat(f.orig.v6, pick[uint16](g, ctaNATSrc, ctaNATSrc, ctaNATDst)))
		if g.oneIn(4) {
			r.attrs = append(r.attrs, g.nat(f.orig.v6, pick[uint16](g, ctaNATSrc, ctaNATDst)))
		}
	}
	if g.oneIn(10) {
		r.attrs = append(r.attrs, g.master(f))
	}
	return r
}

// createMaster returns a request for a plain entry with a helper.
func (g *generator) createMaster() *request {
	f := g.fresh()
	for f.orig.proto != tcp && f.orig.proto != udp {
		f = g.fresh()
	}
	g.tidy = true
	if g.masters = append(g.masters, f); len(g.masters) > 4 {
		g.masters = g.masters[1:]
	}
	r := &request{typ: ctNew, flags: flagRequest | flagCreate | flagExcl | flagAck, family: f.orig.family()}
	r.attrs = []*node{f.orig.node(ctaTupleOrig), f.reply.node(ctaTupleReply), be32(ctaTimeout, 1000),
		g.helper(f.orig.proto)}
	if f.zone >= 0 {
		r.attrs = append(r.attrs, be16(ctaZone, uint16(f.zone)))
	}
	return r
}

// update returns a request to change an entry.
func (g *generator) update() *request {
	f := g.known()
	r := &request{typ: ctNew, flags: flagRequest, family: f.orig.family(), attrs: g.address(f)}
	g.answerFlags(r, 2)
	switch {
	case g.oneIn(3):
		r.flags |= flagCreate
	case g.oneIn(10):
		r.flags |= flagExcl
	}
	for _, a := range []func() *node{
		func() *node { return be32(ctaTimeout, g.timeout()) },
		g.status,
		func() *node { return g.protoInfo(f.orig.proto) },
	} {
		if g.oneIn(2) {
			r.attrs = append(r.attrs, a())
		}
	}
	if g.oneIn(10) {
		r.attrs = append(r.attrs, g.helper(f.orig.proto))
	}
	if g.oneIn(25) {
		r.attrs = append(r.attrs, g.master(f))
	}
	if g.oneIn(25) {
		r.attrs = append(r.attrs, g.nat(f.orig.v6, ctaNATSrc))
	}
	g.optional(r, f)
	return r
}

// optional adds attributes that both kinds of NEW take or ignore.
func (g *generator) optional(r *request, f *flow) {
	if g.oneIn(3) {
		r.attrs = append(r.attrs, be32(ctaMark, g.mark()))
		if g.oneIn(3) {
			r.attrs = append(r.attrs, be32(ctaMarkMask, g.mark()))
		}
	}
	if g.oneIn(6) {
		r.attrs = append(r.attrs, g.labels(ctaLabels))
		if g.oneIn(3) {
			r.attrs = append(r.attrs, g.labels(ctaLabelsMask))
		}
	}
	if g.oneIn(12) {
		seq := func(typ uint16) *node {
			return nest(typ, be32(1, g.mark()), be32(2, g.mark()), be32(3, g.mark()))
		}
		if !g.oneIn(4) {
			r.attrs = append(r.attrs, seq(ctaSeqOrig))
		}
		if !g.oneIn(4) {
			r.attrs = append(r.attrs, seq(ctaSeqReply))
		}
	}
	if g.oneIn(12) {
		r.attrs = append(r.attrs, nest(ctaSynproxy, be32(1, g.mark()), be32(2, g.mark()), be32(3, g.mark())))
	}
	if g.oneIn(12) {
		r.attrs = append(r.attrs, pick(g,
			&node{typ: ctaID, id: f.idKey()}, be32(ctaUse, 7), be32(ctaSecMark, 5),
			nest(ctaCntOrig, be64(1, 5), be64(2, 500)), nest(ctaTimestamp, be64(1, 12345)), nest(ctaSecCtx, str(1, "x")),
			leaf(uint16(28+g.IntN(40)), 1, 2, 3)))
	}
}

// answerFlags asks for an acknowledgement nearly always, and sometimes for an
// echo.
func (g *generator) answerFlags(r *request, echo int) {
	if !g.oneIn(10) {
		r.flags |= flagAck
	}
	if g.oneIn(4 * echo) {
		r.flags |= flagEcho
	}
}

func (g *generator) timeout() uint32 {
	return pick[uint32](g, 100, 100, 100, 300, 432000, 60, 5000, uint32(50+g.IntN(1000)), 0, 1<<31-1, 1<<32-1, 8_589_934,
		8_589_935)
}

func (g *generator) mark() uint32 {
	return pick(g, 0, 1, 2, 3, 0xff, 0xff00, 0xffffffff, g.Uint32())
}

func (g *generator) status() *node {
	v := statusConfirms | pick[uint32](g, 0, 2, 4, 6, 6, 6)
	if !g.tidy {
		switch g.IntN(4) {
		case 0:
			v = g.Uint32()
		case 1:
			v |= 1 << g.IntN(16)
		case 2:
			v = 1 << g.IntN(16)
		}
	}
	return be32(ctaStatus, v)
}

// protoInfo returns a protocol state, mostly for the entry's protocol.
func (g *generator) protoInfo(proto uint8) *node {
	if g.rarely(15) {
		proto = pick[uint8](g, tcp, sctp, dccp)
	}
	var kids []*node
	may := func(n *node) {
		if !g.oneIn(5) {
			kids = append(kids, n)
		}
	}
	switch proto {
	case sctp:
		if g.tidy {
			return nest(ctaProtoInfo, nest(3, leaf(1, uint8(g.IntN(9))), be32(2, g.mark()), be32(3, g.mark())))
		}
		may(leaf(1, uint8(g.IntN(11))))
		may(be32(2, g.mark()))
		may(be32(3, g.mark()))
		return nest(ctaProtoInfo, nest(3, kids...))
	case dccp:
		may(leaf(1, uint8(g.IntN(11))))
		may(leaf(2, uint8(g.IntN(3))))
		may(be64(3, g.Uint64()))
		return nest(ctaProtoInfo, nest(2, kids...))
	}
	states := 12
	if g.tidy {
		states = 10
	}
	may(leaf(1, uint8(g.IntN(states))))
	may(leaf(2, uint8(g.IntN(16))))
	may(leaf(3, uint8(g.IntN(16))))
	may(leaf(4, uint8(g.IntN(256)), uint8(g.IntN(256))))
	may(leaf(5, uint8(g.IntN(256)), uint8(g.IntN(256))))
	return nest(ctaProtoInfo, nest(1, kids...))
}

// helper names a helper, mostly of the protocol.
func (g *generator) helper(proto uint8) *node {
	names := []string{"ftp", "ftp", "ftp", "irc", "sip", "pptp", "sane", "Q.931"}
	if proto == udp {
		// not netbios-ns: its expectations expire after three seconds
		names = []string{"tftp", "sip", "amanda", "snmp", "RAS", "H.245", "snmp_trap"}
	}
	if g.rarely(10) {
		names = []string{"ftp", "tftp", "sip", "none-such", "", "h323", "Q.931", "RAS", "exactly15-chars", "16-characters-it"}
	}
	n := nest(ctaHelp, str(1, pick(g, names...)))
	if g.oneIn(20) {
		n.kids = append(n.kids, leaf(2, 1, 2, 3, 4))
	}
	return n
}

func (g *generator) labels(typ uint16) *node {
	b := make([]byte, 16)
	if !g.tidy {
		b = make([]byte, pick(g, 16, 4, 8, 12, 0, 3, 20))
	}
	for i := range b {
		b[i] = pick[byte](g, 0, 0, 1, 255, byte(g.IntN(256)))
	}
	return leaf(typ, b...)
}

// natRanges are the ranges of ports for translations. All are below the ports
// that the kernel takes at random, and no two share a port, so that the taken
// ports do not depend on its choice.
var natRanges = [][2]uint16{{530, 530}, {531, 531}, {532, 532}, {540, 541}, {550, 553}}

// lastOf returns the last port of the range that starts with first.
func lastOf(first uint16) uint16 {
	for _, r := range natRanges {
		if r[0] == first {
			return r[1]
		}
	}
	return first
}

// seeksPort reports whether a request of the step has a source port chosen from
// a small range.
func seeksPort(st *step) bool {
	return slices.ContainsFunc(st.requests, func(r *request) bool {
		return slices.ContainsFunc(r.attrs, func(n *node) bool {
			first := find(n.append(nil, func(string) uint32 { return 0 }), ctaNATSrc, 3, 1)
			return len(first) >= 2 && lastOf(binary.BigEndian.Uint16(first)) != binary.BigEndian.Uint16(first)
		})
	})
}

// rangeOf returns the range that a port is in: one of natRanges, or one of
// those that the kernel chooses from if the request has no ports
// (nf_nat_l4proto_unique_tuple).
func rangeOf(port uint16) [2]uint16 {
	for _, r := range append(natRanges, [2]uint16{0, 511}, [2]uint16{1024, 65535}) {
		if port >= r[0] && port <= r[1] {
			return r
		}
	}
	return [2]uint16{port, port}
}

// nat returns a translation.
func (g *generator) nat(v6 bool, typ uint16) *node {
	if g.oneIn(12) {
		v6 = !v6
	}
	n := nest(typ)
	n.kids = []*node{}
	if !g.oneIn(10) {
		addr := []byte{10, byte(g.IntN(2)), 0, byte(1 + g.IntN(2))}
		min, max := uint16(1), uint16(2)
		if v6 {
			addr = []byte{0: 0xfd, 1: byte(g.IntN(2)), 15: byte(1 + g.IntN(2))}
			min, max = 4, 5
		}
		n.kids = append(n.kids, leaf(min, addr...))
		if g.oneIn(4) {
			last := slices.Clone(addr)
			if g.oneIn(2) {
				last[g.IntN(len(last))] += byte(1 + g.IntN(20))
			}
			n.kids = append(n.kids, leaf(max, last...))
		}
	}
	if g.oneIn(2) {
		ports := nest(3)
		ports.kids = []*node{}
		first := pick[uint16](g, 530, 531, 532, 540, 550)
		last := lastOf(first)
		if !g.oneIn(10) {
			ports.kids = append(ports.kids, be16(1, first))
			if last != first || g.oneIn(2) {
				ports.kids = append(ports.kids, be16(2, last))
			}
		} else if typ == ctaNATDst {
			ports.kids = append(ports.kids, be16(2, last)) // a range from 0, searched from its start
		}
		n.kids = append(n.kids, ports)
	}
	return n
}

// master names another entry, mostly an existing one.
func (g *generator) master(f *flow) *node {
	m := g.known()
	if g.oneIn(20) {
		m = f
	}
	t := m.orig
	if g.oneIn(4) {
		t = m.reply
	}
	return t.node(ctaMaster)
}

// get returns a request for one entry.
func (g *generator) get() *request {
	f := g.known()
	r := &request{typ: ctGet, flags: flagRequest, family: f.orig.family(), attrs: g.address(f)}
	g.answerFlags(r, 10)
	if g.oneIn(5) {
		r.attrs = append(r.attrs, g.id(f))
	}
	if g.oneIn(4) {
		r.typ = ctGetCtrZero
	}
	return r
}

// id returns the flow's id, or another.
func (g *generator) id(f *flow) *node {
	if g.oneIn(4) {
		f = g.known()
	}
	return &node{typ: ctaID, id: f.idKey()}
}

// remove returns a request to delete one entry.
func (g *generator) remove() *request {
	f := g.known()
	r := &request{typ: ctDelete, flags: flagRequest, family: f.orig.family(), attrs: g.address(f)}
	g.answerFlags(r, 2)
	if g.oneIn(3) {
		r.attrs = append(r.attrs, g.id(f))
	}
	if g.oneIn(10) {
		r.attrs = append(r.attrs, be32(ctaMark, g.mark()))
	}
	return r
}
