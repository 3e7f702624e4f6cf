package live

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
	"github.com/gonntrack/gonntrack/filter"
	"github.com/gonntrack/gonntrack/stats"
)

// GroupID names a group: the entries that have these values for these keys.
type GroupID struct {
	Keys []cmdline.Key
	// Values has the values as package stats writes them, one after the other.
	Values string
}

// Group is the sum of the entries of a group.
type Group struct {
	stats.Group
	ID    GroupID
	Rates Rates
}

// GroupQuery asks for groups.
type GroupQuery struct {
	Keys   []cmdline.Key
	Filter *filter.Filter
	// Sort is "entries", "packets", "bytes", "packet_rate", "byte_rate", or the name
	// of a key.
	Sort          string
	Descending    bool
	Offset, Limit int
	// Around, if not "", are the values of a group: Offset is moved so that it is among
	// the groups, if there is one with them.
	Around string
	// Search selects groups in one of whose values this text is, without regard to
	// case; "": all.
	Search string
}

// Groups is the answer to a GroupQuery.
type Groups struct {
	Groups          []Group
	Offset, Matched int // Matched is the number of groups
	// At is the index of the group that Around names, -1 if it is not there.
	At int
	// Total is the sum of all these groups.
	Total Group
	Time  time.Time
	Took  time.Duration
}

// Groups answers a query, as Page does.
func (t *Table) Groups(ctx context.Context, query *GroupQuery) (*Groups, error) {
	q, err := t.ask(query.Filter, nil, "")
	if err != nil {
		return nil, err
	}
	defer q.done()
	if q.keys, err = q.readers(query.Keys); err != nil {
		return nil, err
	}
	byKey := slices.IndexFunc(query.Keys, func(k cmdline.Key) bool { return k.Name == query.Sort })
	if _, ok := new(groupSum).sum(query.Sort); !ok && byKey < 0 {
		return nil, fmt.Errorf("groups have no `%s'", query.Sort)
	}
	if err := q.sum(ctx); err != nil {
		return nil, err
	}
	q.search.compile(q, query.Search)
	g := &Groups{At: -1, Time: q.began}
	offset, limit := max(query.Offset, 0), rowLimit(query.Limit)
	first := firstOf(offset, limit)
	at, rank := q.chooseGroups(g, query, byKey, first), -1
	if at >= 0 && limit > 0 {
		if rank = q.rank(groupRef(at)); rank < 0 && first > 0 {
			q.chooseGroups(g, query, byKey, 0)
			rank = q.rank(groupRef(at))
		}
	}
	g.Offset = around(offset, limit, g.Matched, rank)
	for _, p := range q.selection.window(g.Offset, limit) {
		if p.ref == groupRef(at) {
			g.At = len(g.Groups)
		}
		sum := q.sums.at(int(p.ref.slot))
		g.Groups = append(g.Groups, sum.group(GroupID{Keys: query.Keys}, q.sums.values.at(sum.values)))
	}
	g.Took = time.Since(q.began)
	return g, ctx.Err()
}

// chooseGroups selects the first groups of the order, all if first is 0, and adds them
// up. It returns the number of the one that the query names, -1 if there is none.
func (q *question) chooseGroups(g *Groups, query *GroupQuery, byKey, first int) (at int) {
	at, g.Matched = -1, 0
	var total groupSum
	q.selection.reset(first)
	for n := range q.sums.n {
		sum := q.sums.at(n)
		values := q.sums.values.at(sum.values)
		if q.search.given && !q.search.matchGroup(values) {
			continue
		}
		g.Matched++
		total.add(sum)
		if at < 0 && query.Around != "" && string(values) == query.Around {
			at = n
		}
		if head, rest := q.sums.place(sum, query.Sort, byKey, query.Descending); q.selection.wants(head) {
			q.selection.add(head, rest, groupRef(n))
		}
	}
	g.Total = total.group(GroupID{Keys: query.Keys}, nil)
	return at
}

// groupRef stands for the group with a number in a selection.
func groupRef(n int) Ref { return Ref{slot: uint32(n)} }

// sum adds up the groups by the keys of the question.
func (q *question) sum(ctx context.Context) error {
	q.sums.reset()
	return q.walk(ctx, q.sums.reserve, func(e *entry) {
		q.values = q.values[:0]
		for i := range q.keys {
			q.values = q.keys[i].append(q.values, q, e)
		}
		sum := q.sums.of(q.values)
		sum.entries++
		if n, ok := e.counters(); ok {
			sum.packets += n[0] + n[2]
			sum.bytes += n[1] + n[3]
			sum.counted = true
		}
		if n, ok := e.rates(); ok {
			for i := range n {
				sum.rates[i] += float64(n[i])
			}
			sum.rated = true
		}
	})
}
