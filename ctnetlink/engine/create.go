package engine

import (
	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/internal/wire"
)

// newEntry handles NEW: it creates an entry or updates an existing one
// (ctnetlink_new_conntrack).
func (t *Table) newEntry(r *request) errno {
	a, no := t.parseEntry(r)
	if no != 0 {
		return no
	}
	z := parseZone(a[ctnetlink.AttrZone])
	var tuples [2]tuple
	for d := range direction(2) {
		val := a[ctnetlink.AttrTupleOrig+ctnetlink.Attr(d)]
		if val == nil {
			continue
		}
		var no errno
		if tuples[d], no = parseTuple(val, r.family, d, &z); no != 0 {
			return no
		}
	}
	var e *entry
	switch {
	case a.has(ctnetlink.AttrTupleOrig):
		e = t.lookup(&tuples[original], z)
	case a.has(ctnetlink.AttrTupleReply):
		e = t.lookup(&tuples[reply], z)
	}
	switch {
	case e != nil && r.flags&wire.FlagExcl != 0:
		return ctnetlink.EEXIST
	case e != nil:
		if no := t.change(e, a); no != 0 {
			return no
		}
		t.event(eventUpdate|eventLabels, e, r.from.portID, r.echo())
		return 0
	case r.flags&wire.FlagCreate == 0:
		return ctnetlink.ENOENT
	case !a.has(ctnetlink.AttrTupleOrig), !a.has(ctnetlink.AttrTupleReply),
		tuples[original].proto != tuples[reply].proto:
		return ctnetlink.EINVAL
	}
	return t.create(r, a, tuples, z)
}

// create creates an entry (ctnetlink_create_conntrack). If the request is
// refused the table is unchanged, except that an entry may have been dropped to
// make room.
func (t *Table) create(r *request, a *entryAttrs, tuples [2]tuple, z zone) errno {
	if t.full() && !t.dropEarly(0) { // whatever the tuple, it looks at the first buckets
		return ctnetlink.ENOMEM
	}
	if !a.has(ctnetlink.AttrTimeout) {
		return ctnetlink.EINVAL
	}
	e := t.slabs.alloc()
	e.tuples, e.zone = tuples, z
	e.deadline = t.now.after(a.u32(ctnetlink.AttrTimeout))
	e.has = hasSynproxy | hasTimeout | t.features()
	e.start = t.wall
	if no := t.fill(e, r, a); no != 0 {
		t.discard(e)
		return no
	}
	if t.occupied(e) {
		t.discard(e)
		return ctnetlink.EEXIST
	}
	t.stats.insert++
	e.id = t.newID()
	kind := eventNew
	x := t.extension(e)
	if x != nil && x.master != nil {
		x.master.retain()
		kind |= eventRelated
	}
	t.add(e)
	if a.has(ctnetlink.AttrLabels) && t.changeLabels(e, a) == 0 {
		kind |= eventLabels
	}
	t.event(kind, e, r.from.portID, r.echo())
	return 0
}

// features returns the features of an entry that is created now.
func (t *Table) features() (f features) {
	if t.o.Accounting {
		f |= hasCounters
	}
	if t.o.Timestamps {
		f |= hasTimes
	}
	if !t.o.NoEvents && (t.o.AlwaysEvents || t.sockets.listened()) {
		f |= hasEvents
	}
	return f
}

// settings are the attributes of a new entry that an update could change too,
// in the order in which the kernel applies them on creation.
var settings = []struct {
	attr  ctnetlink.Attr
	apply func(*Table, *entry, *entryAttrs) errno
}{
	{ctnetlink.AttrStatus, (*Table).changeStatus},
	{ctnetlink.AttrSeqAdjOrig, (*Table).changeSeqAdj},
	{ctnetlink.AttrSeqAdjReply, (*Table).changeSeqAdj},
	{ctnetlink.AttrProtoInfo, (*Table).changeProtoInfo},
	{ctnetlink.AttrSynproxy, (*Table).changeSynproxy},
	{ctnetlink.AttrMark, (*Table).changeMark},
}

// fill sets the fields of a new entry from a request, in the kernel's order.
func (t *Table) fill(e *entry, r *request, a *entryAttrs) errno {
	if a.has(ctnetlink.AttrHelp) {
		name, no := parseHelp(a[ctnetlink.AttrHelp])
		if no != 0 {
			return no
		}
		h := findHelper(name, e.family(), e.protocol())
		if h == nil {
			return ctnetlink.EOPNOTSUPP
		}
		x := t.extend(e)
		x.helper, x.hasHelp, x.ftp.pickup = h, true, [2]bool{true, true}
		e.status |= ctnetlink.StatusHelper
	}
	if no := t.setupNAT(e, a); no != 0 {
		return no
	}
	e.status |= ctnetlink.StatusConfirmed
	for _, step := range settings {
		if a.has(step.attr) {
			if no := step.apply(t, e, a); no != 0 {
				return no
			}
		}
	}
	if !a.has(ctnetlink.AttrTupleMaster) {
		return 0
	}
	want, no := parseTuple(a[ctnetlink.AttrTupleMaster], r.family, original, nil)
	if no != 0 {
		return no
	}
	m := t.lookup(&want, e.zone)
	if m == nil {
		return ctnetlink.ENOENT
	}
	e.status |= ctnetlink.StatusExpected
	t.extend(e).master = t.masterOf(m)
	return 0
}

// occupied reports whether the table has an entry with one of e's tuples
// (nf_conntrack_hash_check_insert).
func (t *Table) occupied(e *entry) bool {
	return t.find(&e.tuples[original], e.zone, original) != nil ||
		t.find(&e.tuples[reply], e.zone, reply) != nil
}

// discard frees an entry that was never added to the table.
func (t *Table) discard(e *entry) {
	t.ext.drop(e)
	t.slabs.release(e)
}
