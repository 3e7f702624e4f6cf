package live

import (
	"context"
	"math"
	"slices"
	"time"

	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/filter"
)

// Query asks for entries in an order.
type Query struct {
	// Filter selects entries among those that are kept; nil: all.
	Filter *filter.Filter
	// Order are the keys to sort by; entries that are equal in all of them are in
	// an order that does not change. Empty: an order that does not change.
	Order []Key
	// Offset and Limit select rows of the order. Limit 0 is none. Offset is moved if
	// there are fewer rows from it on than Limit, though there are some before.
	Offset, Limit int
	// Around, if not zero, is an entry: Offset is moved so that it is among the
	// rows, if it is among the entries.
	Around Ref
	// Group selects the entries of one group, see Groups; nil: of any.
	Group *GroupID
	// Search selects rows in one of whose cells this text is, without regard to case;
	// "": all.
	Search string
}

// Key is what entries or groups are sorted by.
type Key struct {
	cmdline.Key
	Descending bool
}

// Page is the answer to a Query.
type Page struct {
	Rows []Row
	// Offset is the place of the first row in the order, Matched how many entries
	// match.
	Offset, Matched int
	// At is the index of Query.Around in Rows, -1 if it is not there.
	At int
	// Time is when it was asked, Took how long the answer took.
	Time time.Time
	Took time.Duration
}

const (
	// spareRows are selected beside those of a page, in place of entries that end before
	// their row is made.
	spareRows = 16
	// leastFirst is how many of the first entries are kept while walking, maxFirst up to
	// which row they are: further down all entries are noted and then divided.
	leastFirst = 250
	maxFirst   = 5000
)

// Page answers a query. It walks all entries, in parts, so that it does not keep
// events waiting; entries may change meanwhile. ctx ends it early. Other errors say why
// there is no answer: what is not kept of entries was asked for.
func (t *Table) Page(ctx context.Context, query *Query) (*Page, error) {
	q, err := t.ask(query.Filter, query.Group, query.Search)
	if err != nil {
		return nil, err
	}
	defer q.done()
	if err := q.order.compile(q, query.Order); err != nil {
		return nil, err
	}
	p := &Page{At: -1, Time: q.began}
	offset, limit := max(query.Offset, 0), rowLimit(query.Limit)
	first := firstOf(offset, limit)
	if p.Matched, err = q.choose(ctx, first); err != nil {
		return nil, err
	}
	rank := -1
	if !query.Around.IsZero() && limit > 0 {
		if rank = q.rank(query.Around); rank < 0 && first > 0 && q.isThere(query.Around) {
			if p.Matched, err = q.choose(ctx, 0); err != nil {
				return nil, err
			}
			rank = q.rank(query.Around)
		}
	}
	p.Offset = around(offset, limit, p.Matched, rank)
	q.addRows(p, limit, query.Around)
	p.Took = time.Since(q.began)
	return p, nil
}

// firstOf returns how many of the first places are kept for some rows, 0 for all.
func firstOf(offset, limit int) int {
	if offset >= maxFirst || limit >= maxFirst {
		return 0
	}
	return max(offset+limit+spareRows, leastFirst)
}

// rowLimit returns a limit that can be added to.
func rowLimit(limit int) int { return min(max(limit, 0), math.MaxInt32/2) }

// around returns which of n rows is the first that is shown, so that limit rows are if
// there are so many, and the one with number rank is among them; -1: none.
func around(offset, limit, n, rank int) int {
	offset = min(offset, max(n-limit, 0))
	if rank >= 0 && limit > 0 {
		offset = max(min(offset, rank), rank-limit+1)
	}
	return offset
}

// choose selects the first entries of the order, all if first is 0. It returns how many
// are meant.
func (q *question) choose(ctx context.Context, first int) (matched int, err error) {
	s := &q.selection
	s.reset(first)
	reserve := func() {}
	if first == 0 {
		reserve = func() { s.places = slices.Grow(s.places, pageLen) }
	}
	err = q.walk(ctx, reserve, func(e *entry) {
		matched++
		if head, rest := q.order.place(q, e); s.wants(head) {
			s.add(head, rest, e.ref())
		}
	})
	return matched, err
}

// rank returns how many entries are before one, -1 if it is not among those that were
// selected. All that are before one of these were.
func (q *question) rank(r Ref) int {
	if p := q.selection.find(r); p != nil {
		return q.selection.countBefore(p)
	}
	return -1
}

// isThere reports whether an entry is one of those that are meant.
func (q *question) isThere(r Ref) bool {
	q.t.mu.RLock()
	defer q.t.mu.RUnlock()
	e, ok := q.t.find(r)
	if ok {
		q.see(&e)
		ok = q.matches(&e)
	}
	return ok
}

// addRows adds the rows of the page, limit of them if there are so many. An entry that
// has ended meanwhile, or no longer matches, has none.
func (q *question) addRows(p *Page, limit int, at Ref) {
	if limit == 0 {
		return
	}
	places := q.selection.window(p.Offset, limit+spareRows)
	p.Rows = make([]Row, 0, min(limit, len(places)))
	flows := make([]ctnetlink.Flow, cap(p.Rows))
	const part = 256 // how many are read at a time
	for len(places) > 0 && len(p.Rows) < limit {
		some := places[:min(part, len(places))]
		places = places[len(some):]
		q.t.mu.RLock()
		for _, place := range some {
			e, ok := q.t.find(place.ref)
			if !ok || len(p.Rows) == limit {
				continue
			}
			if q.see(&e); !q.matches(&e) {
				continue
			}
			f := &flows[len(p.Rows)]
			if err := f.Decode(e.appendMessage(make([]byte, 0, messageSize))); err != nil {
				continue // cannot be: it was made of a message that was right
			}
			if place.ref == at {
				p.At = len(p.Rows)
			}
			p.Rows = append(p.Rows, Row{Ref: place.ref, Flow: f, Rates: e.ratesNow(), Marked: e.marked()})
		}
		q.t.mu.RUnlock()
	}
}

// messageSize is more than most messages have.
const messageSize = 320
