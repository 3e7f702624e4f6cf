package engine_test

import (
	"encoding/binary"
	"slices"
)

// Random requests for many entries, or for none.

// dump returns a request to list entries, mostly with a filter.
func (g *generator) dump() *request {
	r := &request{typ: pick[uint16](g, ctGet, ctGet, ctGet, ctGet, ctGetDying, ctGetUnconfirmed),
		flags: flagRequest | flagDump}
	if g.oneIn(10) {
		r.flags |= flagAck
	}
	if g.oneIn(3) {
		r.family = pick[uint8](g, familyIPv4, familyIPv6, familyIPv4, familyIPv6, 7)
	}
	g.filter(r)
	return r
}

// zero returns a request to list entries and reset their counters.
func (g *generator) zero() *request {
	r := g.dump()
	r.typ = ctGetCtrZero
	return r
}

// flush returns a request to delete entries, mostly with a filter.
func (g *generator) flush() *request {
	r := &request{typ: ctDelete, flags: flagRequest, version: pick[uint8](g, 0, 0, 1)}
	g.answerFlags(r, 4)
	if !g.oneIn(3) {
		r.family = pick[uint8](g, familyIPv4, familyIPv6, familyIPv4, familyIPv6, 7)
	}
	g.filter(r)
	if len(r.attrs) == 0 && !g.oneIn(5) { // do not delete everything too often
		r.attrs = append(r.attrs, be32(ctaMark, 1))
	}
	if g.oneIn(10) {
		r.attrs = append(r.attrs, g.id(g.known()))
	}
	return r
}

// filter adds filters to a dump or a flush.
func (g *generator) filter(r *request) {
	may := func(n int, typ uint16, v func() uint32) {
		if g.oneIn(n) {
			r.attrs = append(r.attrs, be32(typ, v()))
		}
	}
	bits := func() uint32 { return pick[uint32](g, 0, 2, 4, 6, 8, 14, 1<<g.IntN(16), g.Uint32()) }
	if g.oneIn(4) {
		may(1, ctaMark, g.mark)
		may(2, ctaMarkMask, g.mark)
	}
	may(60, ctaMarkMask, g.mark)
	if g.oneIn(4) {
		may(1, ctaStatus, bits)
		may(2, ctaStatusMask, bits)
	}
	may(60, ctaStatusMask, bits)
	if g.oneIn(5) {
		r.attrs = append(r.attrs, be16(ctaZone, uint16(g.IntN(3))))
	}
	if g.oneIn(3) {
		g.tupleFilter(r)
	}
}

// tupleFilter adds CTA_FILTER, mostly with the tuples that its flags need.
func (g *generator) tupleFilter(r *request) {
	f := g.known()
	if !g.oneIn(8) {
		r.family = f.orig.family()
	}
	var kids []*node
	for dir, t := range []tuple{f.orig, f.reply} {
		flags := uint32(0)
		if g.oneIn(2) {
			flags = pick[uint32](g, 1, 2, 3, 8, 0x18, 0x28, 0x38, 0x3b, 0x1c8, 0xe08, 0x7f8)
		}
		if g.rarely(20) {
			flags |= 1 << g.IntN(14)
		}
		if g.rarely(30) {
			flags = g.Uint32()
		}
		if !g.rarely(20) {
			kids = append(kids, host32(uint16(dir+1), flags))
		}
		if flags != 0 && !g.rarely(20) && !r.has(ctaTupleOrig+uint16(dir)) {
			r.attrs = append(r.attrs, t.node(ctaTupleOrig+uint16(dir)))
		}
	}
	r.attrs = append(r.attrs, nest(ctaFilter, kids...))
}

// statistics returns a request for counters.
func (g *generator) statistics() *request {
	r := &request{typ: pick[uint16](g, ctGetStatsCPU, ctGetStats, expGetStatsCPU), flags: flagRequest}
	if r.typ != ctGetStats && !g.oneIn(5) {
		r.flags |= flagDump
	}
	if g.oneIn(3) {
		r.flags |= flagAck
	}
	return r
}

// odd returns a message that no client sends.
func (g *generator) odd() *request {
	r := g.get()
	switch g.IntN(7) {
	case 0:
		r.typ = r.typ&0xff00 | uint16(g.IntN(256))
	case 1:
		r.typ = uint16(g.IntN(256))<<8 | r.typ&0xff
		for sub := r.typ >> 8; sub != 1 && sub != 2 && sub < 20; sub = r.typ >> 8 {
			r.typ += 20 << 8 // other subsystems of nfnetlink, and batches
		}
	case 2:
		r.typ = uint16(g.IntN(16)) // a control message
	case 3:
		r.flags &^= flagRequest
	case 4:
		r.bare = true
	case 5:
		r.version, r.res = uint8(g.IntN(256)), uint16(g.IntN(1<<16))
	case 6:
		r.typ = 2<<8 | r.typ&0xff
		r.flags |= pick[uint16](g, 0, flagDump)
	}
	return r
}

// spoil damages a request in one place.
func (g *generator) spoil(r *request) {
	switch g.IntN(40) {
	case 0:
		r.family = uint8(pick(g, 0, 1, 2, 3, 10, g.IntN(256)))
		return
	case 1:
		r.flags ^= 1 << g.IntN(12)
		return
	case 2:
		r.cut = 1 + g.IntN(24)
		return
	case 3:
		r.lie = g.IntN(40) - 20
		return
	}
	// A random attribute at any depth.
	list := &r.attrs
	if len(*list) == 0 {
		return
	}
	i := g.IntN(len(*list))
	n := (*list)[i]
	for len(n.kids) > 0 && !g.oneIn(4) {
		list = &n.kids
		i = g.IntN(len(*list))
		n = (*list)[i]
	}
	if n.typ&^(3<<14) <= 2 && list != &r.attrs && r.has(ctaNATSrc, ctaNATDst) {
		return // it could become a port of a range: see nat
	}
	switch g.IntN(9) {
	case 0, 1:
		*list = append((*list)[:i:i], (*list)[i+1:]...)
		if len(*list) == 0 {
			*list = []*node{}
		}
	case 2:
		again := n.clone()
		if len(again.val) > 0 {
			again.val[g.IntN(len(again.val))] ^= 1
		}
		*list = append(*list, again)
	case 3:
		if len(n.val) > 0 {
			n.val = n.val[:g.IntN(len(n.val))]
		}
	case 4:
		if n.kids == nil && n.id == "" {
			n.val = append(n.val, 1, 2, 3, 4)[:len(n.val)+1+g.IntN(4)]
		}
	case 5:
		n.typ ^= nested
	case 6:
		n.typ = n.typ&nested | uint16(g.IntN(32))
	case 7:
		n.lie = pick(g, -1, -4, 1, 4, 8, 300)
	case 8:
		if len(n.val) > 0 {
			n.val[g.IntN(len(n.val))] ^= 1 << g.IntN(8)
		}
	}
}

// deleteRightly removes the addresses from the filter of an IPv6 flush, with
// which the kernel would delete the wrong entries.
func (r *request) deleteRightly() {
	if r.typ != ctDelete || r.family != familyIPv6 {
		return
	}
	for _, n := range r.attrs {
		for _, k := range n.kids {
			if n.typ&^(3<<14) == ctaFilter && len(k.val) >= 4 {
				binary.NativeEndian.PutUint32(k.val, binary.NativeEndian.Uint32(k.val)&^filterAddrs)
			}
		}
	}
}

// filterAddrs are the CTA_FILTER flags that compare addresses
// (CTA_FILTER_F_CTA_IP_SRC and CTA_FILTER_F_CTA_IP_DST in the kernel).
const filterAddrs = 3

// inverted reports whether the request is a dump that compares IPv6 addresses.
func (r *request) inverted() bool {
	if r.typ != ctGet && r.typ != ctGetCtrZero || r.family != familyIPv6 {
		return false
	}
	return slices.ContainsFunc(r.attrs, func(n *node) bool {
		return n.typ&^(3<<14) == ctaFilter && slices.ContainsFunc(n.kids, func(k *node) bool {
			return len(k.val) >= 4 && binary.NativeEndian.Uint32(k.val)&filterAddrs != 0
		})
	})
}
