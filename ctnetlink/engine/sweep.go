package engine

import (
	"cmp"
	"slices"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// sweep decides when to look for expired entries. An expired entry that a
// request finds is removed at once. The others are removed by a walk over the
// table, which for a large table is done only once in many requests.
type sweep struct {
	next   tick // no entry expires before this
	credit int  // number of entries that may be walked, earned by requests
}

const (
	// sweepAlways is the number of slots up to which a table is walked whenever
	// an entry may have expired.
	sweepAlways = 4096
	// sweepCredit is the number of entries that each request earns.
	sweepCredit = 64
)

// observe updates the earliest deadline.
func (s *sweep) observe(deadline tick) { s.next = min(s.next, deadline) }

// Expire removes the entries and expectations whose timeouts have passed and
// sends their DESTROY events, in the order in which they ended. Requests do
// this too, though not at once; Expire is for a table that receives none.
func (t *Table) Expire() {
	t.lock()
	defer t.unlock()
	t.expire()
}

// expireLazily is expire as it is done before a request.
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

// dropOne makes room for an entry: it removes expired entries, or else one that
// is not assured (early_drop). It returns false if there is none.
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
