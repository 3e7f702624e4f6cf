package engine

import (
	"encoding/binary"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/internal/wire"
)

// entryFilter selects the entries that a dump lists or a flush removes.
type entryFilter struct {
	family       ctnetlink.Family // 0: both
	mark, status bitFilter
	zone         zone
	zoned        bool
	tuples       [2]tuple
	flags        [2]uint32 // CTA_FILTER flags: which fields are compared
}

// bitFilter compares the bits in a mask. The zero value matches everything.
type bitFilter struct{ v, mask uint32 }

func (f bitFilter) match(v uint32) bool { return v&f.mask == f.v }

// needsFilter reports whether the request selects some of the entries
// (ctnetlink_needs_filter). A mask alone does not.
func needsFilter(family ctnetlink.Family, a *entryAttrs) bool {
	return family != 0 || a.has(ctnetlink.AttrMark) || a.has(ctnetlink.AttrFilter) ||
		a.has(ctnetlink.AttrStatus) || a.has(ctnetlink.AttrZone)
}

// parse reads a request's filters (ctnetlink_alloc_filter).
func (f *entryFilter) parse(r *request, family ctnetlink.Family, a *entryAttrs) errno {
	f.family = family
	switch {
	case a.has(ctnetlink.AttrMark):
		f.mark = bitFilter{a.u32(ctnetlink.AttrMark), 0xffffffff}
		if a.has(ctnetlink.AttrMarkMask) {
			f.mark.mask = a.u32(ctnetlink.AttrMarkMask)
		}
	case a.has(ctnetlink.AttrMarkMask):
		return ctnetlink.EINVAL
	}
	switch {
	case a.has(ctnetlink.AttrStatus):
		f.status.v = a.u32(ctnetlink.AttrStatus)
		f.status.mask = f.status.v
		if a.has(ctnetlink.AttrStatusMask) {
			f.status.mask = a.u32(ctnetlink.AttrStatusMask)
		}
		if f.status.mask == 0 {
			return ctnetlink.EINVAL
		}
	case a.has(ctnetlink.AttrStatusMask):
		return ctnetlink.EINVAL
	}
	f.zone, f.zoned = parseZone(a[ctnetlink.AttrZone]), a.has(ctnetlink.AttrZone)
	if !a.has(ctnetlink.AttrFilter) {
		return 0
	}
	if !isNest(r.attrs, uint16(ctnetlink.AttrFilter)) {
		return ctnetlink.EINVAL
	}
	if no := f.parseFlags(a); no != 0 {
		return no
	}
	for d := range direction(2) {
		val := a[ctnetlink.AttrTupleOrig+ctnetlink.Attr(d)]
		if f.flags[d] == 0 {
			continue
		}
		if val == nil {
			return ctnetlink.EINVAL
		}
		var no errno
		if f.tuples[d], no = parseTupleFields(val, family, d, &f.zone, f.flags[d]); no != 0 {
			return no
		}
	}
	return 0
}

// parseFlags reads CTA_FILTER. It is the one attribute that the kernel parses
// strictly: unknown attributes, other lengths and unknown flags are refused.
func (f *entryFilter) parseFlags(a *entryAttrs) errno {
	w := wire.Attrs{B: a[ctnetlink.AttrFilter]}
	for nest := hasNestFlag(w.B); w.Next(); nest = hasNestFlag(w.B) {
		if w.Type != wire.FilterOrigFlags && w.Type != wire.FilterReplyFlags || nest || len(w.Val) != 4 {
			return ctnetlink.EINVAL
		}
		flags := binary.NativeEndian.Uint32(w.Val)
		if flags&^wire.FilterAll != 0 {
			return ctnetlink.EINVAL
		}
		f.flags[w.Type-wire.FilterOrigFlags] = flags
	}
	if len(w.B) > 0 {
		return ctnetlink.EINVAL
	}
	return 0
}

// isNest reports whether the last attribute numbered typ has NLA_F_NESTED set.
func isNest(b []byte, typ uint16) (is bool) {
	a := wire.Attrs{B: b}
	for nest := hasNestFlag(a.B); a.Next(); nest = hasNestFlag(a.B) {
		if a.Type == typ {
			is = nest
		}
	}
	return is
}

// hasNestFlag reports whether the first attribute in b has NLA_F_NESTED set.
func hasNestFlag(b []byte) bool {
	return len(b) >= wire.AttrHeaderLen && binary.NativeEndian.Uint16(b[2:])&wire.AttrNested != 0
}

// match reports whether an entry matches (ctnetlink_filter_match).
func (f *entryFilter) match(e *entry) bool {
	return (f.family == 0 || f.family == e.family()) &&
		(!f.zoned || f.zone.id == e.zone.id) &&
		f.matchTuple(e, original) && f.matchTuple(e, reply) &&
		f.mark.match(e.mark) && f.status.match(uint32(e.status))
}

// matchTuple reports whether the fields in the flags match. The kernel inverts
// the comparison of IPv6 addresses; this does not.
func (f *entryFilter) matchTuple(e *entry, d direction) bool {
	flags, t, want := f.flags[d], &e.tuples[d], &f.tuples[d]
	if flags == 0 {
		return true
	}
	differ := func(flag uint32, differs bool) bool { return flags&flag != 0 && differs }
	if differ(wire.FilterIPSrc, t.src != want.src) || differ(wire.FilterIPDst, t.dst != want.dst) ||
		differ(wire.FilterProto, t.proto != want.proto) {
		return false
	}
	switch t.proto {
	case ctnetlink.ProtoTCP, ctnetlink.ProtoUDP:
		return !differ(wire.FilterSrcPort, t.sport != want.sport) && !differ(wire.FilterDstPort, t.dport != want.dport)
	case ctnetlink.ProtoICMPv6:
		flags >>= wire.FilterICMPv6Shift
		fallthrough
	case ctnetlink.ProtoICMP:
		return !differ(wire.FilterICMPType, t.dport>>8 != want.dport>>8) &&
			!differ(wire.FilterICMPCode, uint8(t.dport) != uint8(want.dport)) &&
			!differ(wire.FilterICMPID, t.sport != want.sport)
	}
	return true
}
