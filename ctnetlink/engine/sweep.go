package engine

import (
	"cmp"
	"slices"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// sweep remembers when to look for entries that have ended. Those that a
// request meets are removed on the spot; the others by walking over the table,
// which a big one affords only every so many requests.
type sweep struct {
	next   tick // no entry ends before
	credit int  // entries that may be walked over for the requests made
}

const (
	// sweepAlways is the size up to which a table is swept whenever something
	// may have ended.
	sweepAlways = 4096
	// sweepCredit is how many entries each request pays for.
	sweepCredit = 64
)

// observe takes in an entry's end.
func (s *sweep) observe(deadline tick) { s.next = min(s.next, deadline) }

// Expire removes the entries and the expectations whose time is over, with
// their DESTROY events, in the order in which they ended. Requests do the same
// sooner or later; Expire is for a table at which nobody asks.
func (t *Table) Expire() {
	t.lock()
	defer t.unlock()
	t.expire()
}

// expireLazily is expire for the beginning of a request.
func (t *Table) expireLazily() {
	if t.ends.credit += sweepCredit; int(t.slabs.used) > max(sweepAlways, t.ends.credit) {
		t.expireExpectations()
		return
	}
	t.expire()
}

func (t *Table) expire() {
	t.expireExpectations()
	if t.now < t.ends.next {
		return
	}
	t.ends = sweep{next: never}
	var ended []*entry
	for i := range t.slabs.used {
		e := t.slabs.at(i)
		switch {
		case e.has&alive == 0:
		case e.expired(t.now):
			ended = append(ended, e)
		default:
			t.ends.observe(e.deadline)
		}
	}
	slices.SortStableFunc(ended, func(a, b *entry) int { return cmp.Compare(a.deadline, b.deadline) })
	for _, e := range ended {
		t.remove(e, 0, nil)
	}
}

// dropOne removes an entry that is not assured, or one that has ended; false
// when there is none (early_drop).
func (t *Table) dropOne() bool {
	if t.expire(); t.count+t.pinned < t.o.Max {
		return true
	}
	if t.unassured == 0 {
		return false
	}
	for range t.slabs.used {
		if t.cursor++; t.cursor >= t.slabs.used {
			t.cursor = 0
		}
		e := t.slabs.at(t.cursor)
		if e.has&alive != 0 && e.status&ctnetlink.StatusAssured == 0 {
			t.remove(e, 0, nil)
			t.stats.earlyDrop++
			return true
		}
	}
	return false
}
