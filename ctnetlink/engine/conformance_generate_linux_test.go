package engine_test

import (
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"slices"
)

// generator makes random steps. It chooses from few values, so that requests
// collide, and remembers what it requested, so that most requests find an
// entry.
type generator struct {
	*rand.Rand
	flows   []*flow
	masters []*flow // plain entries with helpers
	expects []*expectation
	tidy    bool // make no mistakes in the current request
	inverts bool // the kernel inverts its IPv6 address filter, which is then not used to delete
}

// flow is an entry as the generator requested it.
type flow struct {
	orig, reply tuple
	zone        int // CTA_ZONE, -1: none
}

// tuple is one direction of a flow.
type tuple struct {
	v6        bool
	src, dst  netip.Addr
	proto     uint8
	sport     uint16 // the id of icmp, the key of GRE
	dport     uint16
	typ, code uint8 // of icmp
	zone      int   // CTA_TUPLE_ZONE, -1: none
}

const (
	icmp    = 1
	tcp     = 6
	udp     = 17
	gre     = 47
	icmpv6  = 58
	sctp    = 132
	udplite = 136
	dccp    = 33
)

// rarely returns true once in n times unless the request is to be tidy.
func (g *generator) rarely(n int) bool { return !g.tidy && g.oneIn(max(n/3, 2)) }

// oneIn returns true once in n times.
func (g *generator) oneIn(n int) bool { return g.IntN(n) == 0 }

// pick returns one of the values.
func pick[T any](g *generator, values ...T) T { return values[g.IntN(len(values))] }

func (g *generator) addr(v6 bool) netip.Addr {
	if v6 {
		return netip.AddrFrom16([16]byte{0xfd, 15: byte(1 + g.IntN(3))})
	}
	return netip.AddrFrom4([4]byte{10, 0, 0, byte(1 + g.IntN(3))})
}

func (g *generator) port() uint16 {
	if g.oneIn(30) {
		return 0
	}
	return uint16(5000 + g.IntN(3))
}

func (g *generator) tuple() tuple {
	v6 := g.oneIn(3)
	t := tuple{v6: v6, src: g.addr(v6), dst: g.addr(v6), sport: g.port(), dport: g.port(), zone: -1}
	t.proto = pick[uint8](g, tcp, tcp, tcp, tcp, tcp, udp, udp, udp, udp, sctp, sctp, udplite, gre, icmp, icmp, dccp, 4,
		0, 255)
	if t.proto == icmp {
		t.typ = pick[uint8](g, 0, 8, 8, 8, 13, 14, 15, 16, 17, 18)
		if v6 {
			t.proto = icmpv6
			t.typ = pick[uint8](g, 128, 128, 129, 139, 140)
		}
		if g.oneIn(20) {
			t.typ = uint8(g.IntN(256))
		}
		t.code = pick[uint8](g, 0, 0, 0, 1)
	}
	return t
}

// invert returns the tuple of the reply direction.
func (t tuple) invert() tuple {
	t.src, t.dst = t.dst, t.src
	if t.proto == icmp || t.proto == icmpv6 {
		other := map[uint8]uint8{0: 8, 8: 0, 13: 14, 14: 13, 15: 16, 16: 15, 17: 18, 18: 17, 128: 129, 129: 128, 139: 140,
			140: 139}
		if o, ok := other[t.typ]; ok {
			t.typ = o
		}
		return t
	}
	t.sport, t.dport = t.dport, t.sport
	return t
}

func (t tuple) ip() *node {
	if t.v6 {
		return nest(1, leaf(3, t.src.AsSlice()...), leaf(4, t.dst.AsSlice()...))
	}
	return nest(1, leaf(1, t.src.AsSlice()...), leaf(2, t.dst.AsSlice()...))
}

func (t tuple) ports() *node {
	n := nest(2, leaf(1, t.proto))
	switch t.proto {
	case icmp:
		n.kids = append(n.kids, be16(4, t.sport), leaf(5, t.typ), leaf(6, t.code))
	case icmpv6:
		n.kids = append(n.kids, be16(7, t.sport), leaf(8, t.typ), leaf(9, t.code))
	case dccp, 4, 0, 255: // generic protocols for the table
	default:
		n.kids = append(n.kids, be16(2, t.sport), be16(3, t.dport))
	}
	return n
}

// node returns the tuple as an attribute, in the kernel's order.
func (t tuple) node(typ uint16) *node {
	n := nest(typ, t.ip(), t.ports())
	if t.zone >= 0 {
		n.kids = append(n.kids, be16(3, uint16(t.zone)))
	}
	return n
}

func (t tuple) family() uint8 {
	if t.v6 {
		return familyIPv6
	}
	return familyIPv4
}

// idKey returns the entry's answer.idKey.
func (f *flow) idKey() string {
	zone := ""
	if f.zone > 0 {
		zone = string(be16(0, uint16(f.zone)).val)
	}
	return "entry " + string(f.orig.node(0).append(nil, nil)[4:]) + zone
}

// fresh returns a new flow and remembers it.
func (g *generator) fresh() *flow {
	f := &flow{orig: g.tuple(), zone: -1}
	f.reply = f.orig.invert()
	switch {
	case g.oneIn(12): // translated by its reply tuple
		f.reply.dst = g.addr(f.orig.v6)
		f.reply.dport = g.port()
	case g.oneIn(60):
		f.reply = g.tuple()
	case len(g.flows) > 0 && g.oneIn(12): // with the tuples of another flow, in this or the other order
		f.reply = pick(g, pick(g, g.flows...).reply, pick(g, g.flows...).orig)
		f.reply.zone = -1
	}
	if g.oneIn(6) {
		f.zone = g.IntN(3)
	} else if g.oneIn(10) {
		pick(g, &f.orig, &f.reply).zone = g.IntN(3)
	}
	g.flows = append(g.flows, f)
	if len(g.flows) > 20 {
		g.flows = g.flows[1:]
	}
	return f
}

// known returns an earlier flow, or a new one.
func (g *generator) known() *flow {
	if len(g.flows) == 0 || g.oneIn(12) {
		return g.fresh()
	}
	return g.flows[g.IntN(len(g.flows))]
}

// address returns the attributes that name a flow: one tuple, the other or
// both, with or without its zone.
func (g *generator) address(f *flow) (attrs []*node) {
	orig, reply := true, false
	switch g.IntN(10) {
	case 0, 1, 2:
		orig, reply = false, true
	case 3, 4:
		reply = true
	}
	typeOrig, typeReply := uint16(ctaTupleOrig), uint16(ctaTupleReply)
	if g.oneIn(8) { // either attribute may have the tuple of either direction
		typeOrig, typeReply = typeReply, typeOrig
	}
	if orig {
		attrs = append(attrs, f.orig.node(typeOrig))
	}
	if reply {
		attrs = append(attrs, f.reply.node(typeReply))
	}
	if f.zone >= 0 && !g.oneIn(8) {
		attrs = append(attrs, be16(ctaZone, uint16(f.zone)))
	} else if g.oneIn(25) {
		attrs = append(attrs, be16(ctaZone, uint16(g.IntN(3))))
	}
	return attrs
}

// weighted is a kind of step and its frequency.
type weighted struct {
	weight int
	make   func(g *generator) *request
}

var kinds = []weighted{
	{25, (*generator).create},
	{6, (*generator).createMaster},
	{18, (*generator).update},
	{9, (*generator).get},
	{8, (*generator).remove},
	{6, (*generator).dump},
	{3, (*generator).flush},
	{2, (*generator).zero},
	{3, (*generator).statistics},
	{2, (*generator).odd},
	{16, (*generator).createExpect},
	{4, (*generator).getExpect},
	{4, (*generator).removeExpect},
	{3, (*generator).dumpExpect},
}

func (g *generator) request() *request {
	total := 0
	for _, k := range kinds {
		total += k.weight
	}
	n := g.IntN(total)
	for _, k := range kinds {
		if n -= k.weight; n < 0 {
			g.tidy = !g.oneIn(3)
			r := k.make(g)
			if g.oneIn(10) {
				g.Shuffle(len(r.attrs), func(i, j int) { r.attrs[i], r.attrs[j] = r.attrs[j], r.attrs[i] })
			}
			for !g.tidy && g.oneIn(3) {
				g.spoil(r)
			}
			if g.inverts {
				r.deleteRightly()
			}
			return r
		}
	}
	panic("unreachable")
}

// sequence returns n steps. After a step that creates an entry with timeout 0
// it inserts a dump: until something walks over such an entry, the kernel may
// or may not have removed it.
func (g *generator) sequence(n int) (steps []*step) {
	steps = append(steps, &step{requests: []*request{g.createMaster(), g.createMaster()}})
	crowd := g.oneIn(8)
	if crowd {
		steps = append(steps, g.crowd()...)
	}
	for len(steps) < n {
		st := &step{}
		if g.oneIn(4) {
			st.socket = 1
		}
		for size := pick(g, 1, 1, 1, 1, 2, 3, 5); len(st.requests) < size; {
			st.requests = append(st.requests, g.request())
		}
		if i := slices.IndexFunc(st.requests, longDump); crowd && i >= 0 {
			st.requests = st.requests[:i+1]
		}
		if i := slices.IndexFunc(st.requests, holdsMaster); i >= 0 && i+1 < len(st.requests) {
			heldMaster.count()
			st.requests = st.requests[:i+1]
		}
		steps = append(steps, st)
		if i := slices.IndexFunc(st.requests, endsAtOnce); i >= 0 {
			st.requests = st.requests[i : i+1]
			steps = append(steps, sweep())
		}
	}
	return steps
}

// sweep returns a dump of everything, during which the kernel removes expired
// entries.
func sweep() *step {
	return &step{sweeps: true, requests: []*request{{typ: ctGet, flags: flagRequest | flagDump}}}
}

// crowd returns steps that create so many plain entries that a dump takes
// several datagrams.
func (g *generator) crowd() (steps []*step) {
	for i := range 5 {
		st := &step{}
		for j := range 25 {
			f := &flow{orig: tuple{proto: pick[uint8](g, tcp, udp), sport: 7000, dport: 7000, zone: -1}, zone: -1}
			f.orig.src, f.orig.dst = netip.AddrFrom4([4]byte{10, 2, byte(i), byte(j)}), g.addr(false)
			f.reply = f.orig.invert()
			st.requests = append(st.requests, &request{
				typ: ctNew, flags: flagRequest | flagCreate | flagExcl | flagAck, family: familyIPv4,
				attrs: []*node{f.orig.node(ctaTupleOrig), f.reply.node(ctaTupleReply), be32(ctaTimeout, g.timeout()|64),
					be32(ctaMark, g.mark()), g.status()},
			})
		}
		steps = append(steps, st)
	}
	return steps
}

// longDump reports whether the request is a dump of entries. After crowd its
// datagrams have them in an order of the table's own, so that messages between
// them cannot be compared.
func longDump(r *request) bool {
	return (r.typ == ctGet || r.typ == ctGetCtrZero) && r.flags&flagDump != 0
}

// holdsMaster reports whether the request is a dump of a master's expectations.
func holdsMaster(r *request) bool {
	return r.typ == expGet && r.flags&flagDump != 0 && r.has(ctaExpMaster)
}

// swept reports whether a dump follows every step that creates an entry with
// timeout 0.
func swept(steps []*step) bool {
	for i, st := range steps {
		if slices.ContainsFunc(st.requests, endsAtOnce) && i+1 < len(steps) && !steps[i+1].sweeps {
			return false
		}
	}
	return true
}

// endsAtOnce reports whether the request may set a timeout of 0.
func endsAtOnce(r *request) bool {
	return r.typ == ctNew && slices.ContainsFunc(r.attrs, func(n *node) bool {
		return n.typ&^(3<<14) == ctaTimeout && (len(n.val) < 4 || binary.BigEndian.Uint32(n.val) == 0)
	})
}
