package engine

import (
	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/internal/wire"
)

// getEntry handles GET and GET_CTRZERO, for one entry or as a dump
// (ctnetlink_get_conntrack).
func (t *Table) getEntry(r *request) errno {
	a, no := t.parseEntry(r)
	if no != 0 {
		return no
	}
	zeroes := r.typ&0xff == wire.MsgGetCtrZero
	if r.isDump() {
		if r.from.busy() { // the filters are checked later
			return ctnetlink.EBUSY
		}
		d := &entryDump{answerTo: answerTo{
			flags: wire.FlagMulti, seq: r.seq, portID: r.from.portID, zeroes: zeroes, use: 1,
		}}
		if needsFilter(r.family, a) {
			d.filter = new(entryFilter)
			if no := d.filter.parse(r, r.family, a); no != 0 {
				return no
			}
			d.flags |= wire.FlagDumpFiltered
		}
		return r.from.startDump(d)
	}
	e, no := t.named(a, r.family)
	if no != 0 {
		return no
	}
	w := t.builder()
	t.putEntry(w, e, answerTo{flags: wire.FlagMulti, seq: r.seq, portID: r.from.portID, zeroes: zeroes, use: 2})
	r.from.push(w.B, answerCost)
	return 0
}

// named returns the entry that a GET or a DELETE names by one of its tuples.
// The error is EINVAL if the request has no tuple.
func (t *Table) named(a *entryAttrs, family ctnetlink.Family) (*entry, errno) {
	z := parseZone(a[ctnetlink.AttrZone])
	var want tuple
	var no errno
	switch {
	case a.has(ctnetlink.AttrTupleOrig):
		want, no = parseTuple(a[ctnetlink.AttrTupleOrig], family, original, &z)
	case a.has(ctnetlink.AttrTupleReply):
		want, no = parseTuple(a[ctnetlink.AttrTupleReply], family, reply, &z)
	default:
		no = ctnetlink.EINVAL
	}
	if no != 0 {
		return nil, no
	}
	e := t.lookup(&want, z)
	if e == nil {
		return nil, ctnetlink.ENOENT
	}
	return e, 0
}

// entryDump walks the slabs. Between two messages it keeps a slot number, not a
// pointer.
type entryDump struct {
	answerTo
	filter *entryFilter // nil: all
	at     slot
}

func (d *entryDump) sequence() uint32 { return d.seq }

func (d *entryDump) put(t *Table, w *wire.Builder) bool {
	for d.at < t.slabs.used {
		e := t.slabs.at(d.at)
		d.at++
		switch {
		case e.has&alive == 0:
		case e.expired(t.now):
			t.remove(e, 0, nil)
		case d.filter == nil || d.filter.match(e):
			t.putEntry(w, e, d.answerTo)
			return true
		}
	}
	return false
}

// deleteEntry removes the entry that a request names. Without a tuple, or with
// CTA_FILTER, it removes all entries that match the filters
// (ctnetlink_del_conntrack).
func (t *Table) deleteEntry(r *request) errno {
	a, no := t.parseEntry(r)
	if no != 0 {
		return no
	}
	if a.has(ctnetlink.AttrFilter) || !a.has(ctnetlink.AttrTupleOrig) && !a.has(ctnetlink.AttrTupleReply) {
		family := r.family
		if r.version == 0 && !a.has(ctnetlink.AttrFilter) {
			family = ctnetlink.FamilyAny
		}
		return t.flush(r, a, family)
	}
	e, no := t.named(a, r.family)
	if no != 0 {
		return no
	}
	if a.has(ctnetlink.AttrID) && a.u32(ctnetlink.AttrID) != e.id {
		return ctnetlink.ENOENT
	}
	t.remove(e, r.from.portID, r.echo())
	return 0
}

// flush removes every entry that matches the filters.
func (t *Table) flush(r *request, a *entryAttrs, family ctnetlink.Family) errno {
	var f *entryFilter
	if needsFilter(family, a) {
		f = new(entryFilter)
		if no := f.parse(r, family, a); no != 0 {
			return no
		}
	}
	for i := range t.slabs.used {
		if e := t.slabs.at(i); e.has&alive != 0 && (f == nil || f.match(e)) {
			t.remove(e, r.from.portID, r.echo())
		}
	}
	return 0
}
