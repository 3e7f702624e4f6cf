package engine

import (
	"slices"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/internal/wire"
)

// eachExpect yields every expectation as the NEW message of a dump, for
// restoreExpect. Unlike the kernel's messages it holds the zone, without which
// the master could not be found.
func (t *Table) eachExpect(w *wire.Builder, yield func([]byte) bool) {
	for _, e := range t.expect.all {
		if e.ends <= t.now {
			continue
		}
		w.B = w.B[:0]
		t.beginExpect(w, e, expectHead{msg: wire.MsgNew, flags: wire.FlagMulti})
		if id := e.master.zone.id; id != 0 {
			w.U16(wire.ExpectZone, id)
		}
		w.End()
		if !yield(w.B) {
			return
		}
	}
}

// zonedMaster returns the entry with an original tuple in any zone but 0: the
// kernel's message does not have the master's zone. It returns nil if there is
// none, or more than one.
func (t *Table) zonedMaster(want *tuple) *entry {
	if t.zoned == nil {
		t.zoned = map[tuple]*entry{}
		for i := range t.slabs.used {
			if e := t.slabs.at(i); e.has&alive != 0 && e.zone.in(original) != 0 {
				_, several := t.zoned[e.tuples[original]]
				t.zoned[e.tuples[original]] = e
				if several {
					t.zoned[e.tuples[original]] = nil
				}
			}
		}
	}
	e := t.zoned[*want]
	if e == nil || e.has&alive == 0 || e.tuples[original] != *want {
		return nil
	}
	return e
}

// restoreExpect adds an expectation from the message of a dump that was made
// age ago. The error is ETIME if it, or its master, has ended since.
func (t *Table) restoreExpect(family ctnetlink.Family, attrs []byte, age time.Duration) errno {
	var a expectAttrs
	p := slices.Clone(expectPolicy)
	p[wire.ExpectFlags] = u32 // also flags that are not known
	if no := parse(attrs, a[:], p); no != 0 {
		return no
	}
	for _, n := range []uint16{wire.ExpectTuple, wire.ExpectMask, wire.ExpectMaster, wire.ExpectTimeout, wire.ExpectID} {
		if a[n] == nil {
			return ctnetlink.EINVAL
		}
	}
	left := tick(a.u32(wire.ExpectTimeout))*ticksPerSecond - tick(age/tickLen)
	if left <= 0 {
		return ctnetlink.ETIME
	}
	want, no := parseTuple(a[wire.ExpectTuple], family, original, nil)
	if no != 0 {
		return no
	}
	e, no := t.readExpect(family, &a, want, parseZone(a[wire.ExpectZone]), true)
	switch no {
	case 0:
	case ctnetlink.ENOENT:
		return ctnetlink.ETIME
	default:
		return no
	}
	for _, o := range t.expect.byDst[expectKeyOf(&e.tuple)] {
		if o.tuple == e.tuple && o.mask == e.mask && o.master.zone.id == e.master.zone.id {
			return ctnetlink.EEXIST
		}
	}
	e.ends, e.id, e.flags = t.now+left, a.u32(wire.ExpectID), a.u32(wire.ExpectFlags)
	t.extend(e.master).hasHelp = true // rules can make expectations without a helper
	t.expect.insert(e)
	return 0
}
