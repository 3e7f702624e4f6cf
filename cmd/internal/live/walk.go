package live

import (
	"context"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// entry is an entry of a Table, to be read with t.mu held. It must not be kept
// beyond that; ref can be.
type entry struct {
	p    *page
	i    int
	now  uint32 // time of the source's clock, in expiryUnit
	wall int64  // the same in seconds since 1970
}

// setClock sets the time that timeouts and ages are told for.
func (e *entry) setClock(now time.Time) { e.now, e.wall = e.p.source.stampOf(now).expiry, now.Unix() }

// walk calls f with every entry, until f returns false or ctx ends, and returns
// ctx's error then. It takes the lock for reading for a part of the entries at a time:
// entries may come, change and go meanwhile, and each that was there all the time is
// shown once. f must not lock, and must not keep the entry.
func (t *Table) walk(ctx context.Context, f func(e *entry) bool) error {
	var e entry
	for n := 0; ; n++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		t.mu.RLock()
		if n >= len(t.pages.all) {
			t.mu.RUnlock()
			return nil
		}
		goOn := true
		if p := t.pages.all[n]; p != nil {
			e.p = p
			e.setClock(p.source.now())
			goOn = p.alive.each(func(i int) bool {
				e.i = i
				return f(&e)
			})
		}
		t.mu.RUnlock()
		if !goOn {
			return nil
		}
	}
}

// find returns an entry, ok is false if it has ended. t.mu is held.
func (t *Table) find(r Ref) (e entry, ok bool) {
	s := slot(r.slot)
	if s.page() >= len(t.pages.all) {
		return e, false
	}
	p := t.pages.all[s.page()]
	if p == nil || !p.alive.has(s.at()) || p.cores[s.at()].serial != r.serial || p.source.source != int(r.source) {
		return e, false
	}
	e = entry{p: p, i: s.at()}
	e.setClock(p.source.now())
	return e, true
}

// len returns the number of entries. t.mu is held.
func (t *Table) len() (n int) {
	for _, c := range t.copies {
		n += c.n
	}
	return n
}

// tallyOf returns what has happened to the entries of a source. t.mu is held.
func (t *Table) tallyOf(source int) tally { return t.copies[source].tally }

// setMarked marks an entry or takes its mark away, and reports whether that changed
// anything. t.mu is held for writing.
func (t *Table) setMarked(e *entry, on bool) (changed bool) {
	r := e.core()
	if on == (r.has&flagMarked != 0) {
		return false
	}
	r.has ^= flagMarked
	if on {
		t.marked++
	} else {
		t.marked--
	}
	return true
}

func (e *entry) core() *core               { return &e.p.cores[e.i] }
func (e *entry) source() int               { return e.p.source.source }
func (e *entry) ipv6() bool                { return e.p.kind&kindIPv6 != 0 }
func (e *entry) orig() tuple               { return e.p.orig(e.i) }
func (e *entry) reply() tuple              { return e.p.reply(e.i) }
func (e *entry) proto() ctnetlink.Protocol { return e.core().proto }
func (e *entry) marked() bool              { return e.core().has&flagMarked != 0 }
func (e *entry) status() (ctnetlink.Status, bool) {
	r := e.core()
	return ctnetlink.Status(r.status), r.has&hasStatus != 0
}

// ref returns the name of the entry.
func (e *entry) ref() Ref {
	return Ref{source: uint16(e.source()), slot: uint32(slotOf(e.p, e.i)), serial: e.core().serial}
}

// hasPorts reports whether the tuples have ports or keys: the source's is in the high
// half of tuple.ports, the destination's in the low one.
func (e *entry) hasPorts() bool { return e.core().has&ports != 0 }

// state returns the state of the protocol, see [ctnetlink.Flow.State].
func (e *entry) state() (ctnetlink.State, bool) {
	r := e.core()
	if r.state == noState {
		return 0, false
	}
	return ctnetlink.NewState(r.proto, r.state), true
}

func (e *entry) id() (uint32, bool)   { return e.core().id, e.core().has&hasID != 0 }
func (e *entry) mark() (uint32, bool) { return e.core().mark, e.core().has&hasMark != 0 }

// zone returns the zone that the entry is in, in the directions that orig and reply
// report; 0 and neither if it is in none.
func (e *entry) zone() (id uint16, orig, reply bool) {
	r := e.core()
	return r.zone, r.has&zoneOrig != 0, r.has&zoneReply != 0
}

// counters returns packets and bytes of the original and of the reply direction.
func (e *entry) counters() (n [4]uint64, ok bool) {
	r := e.core()
	for k := range n {
		n[k] = r.counters[k].value()
	}
	return n, r.has&hasCounters != 0
}

// rates returns packets and bytes per second, in the order of counters.
func (e *entry) rates() (n [4]float32, ok bool) {
	r := e.core()
	return r.rates, r.rates[0] >= 0
}

// timeout returns the seconds that are left.
func (e *entry) timeout() (seconds uint32, ok bool) {
	r := e.core()
	left := int32(r.expires - e.now)
	return uint32(max(left, 0)) / expirySecond, r.has&hasTimeout != 0
}

// start returns when the entry began, in seconds since 1970, age how many seconds ago.
func (e *entry) start() (seconds uint32, ok bool) { return e.core().start, e.core().has&hasStart != 0 }

func (e *entry) age() (seconds int64, ok bool) {
	start, ok := e.start()
	return max(e.wall-int64(start), 0), ok
}
