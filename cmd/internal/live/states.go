package live

import (
	"context"
	"slices"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/filter"
)

// StateCount is how many entries of a protocol are in a state.
type StateCount struct {
	Proto ctnetlink.Protocol
	// State is the name of the state, or for protocols without: unreplied, replied,
	// assured.
	State   string
	Entries int
}

// withoutState are the states of protocols without any, in the order in which an entry
// has them.
var withoutState = [...]string{"unreplied", "replied", "assured"}

// States counts the entries that match by protocol and state, the protocol with the
// most entries first, its states in the order of the protocol.
func (t *Table) States(ctx context.Context, m *filter.Filter) ([]StateCount, error) {
	q, err := t.ask(m, nil, "")
	if err != nil {
		return nil, err
	}
	defer q.done()
	var counts [256]*[256 + len(withoutState)]int
	var totals [256]int
	err = q.walk(ctx, func() {}, func(e *entry) {
		proto := e.proto()
		if counts[proto] == nil {
			counts[proto] = new([256 + len(withoutState)]int)
		}
		counts[proto][q.stateNumber(e)]++
		totals[proto]++
	})
	if err != nil {
		return nil, err
	}
	var list []StateCount
	for n := range counts {
		proto := ctnetlink.Protocol(n)
		for number := 0; counts[n] != nil && number < len(counts[n]); number++ {
			c := StateCount{Proto: proto, Entries: counts[n][number]}
			switch {
			case c.Entries == 0:
				continue
			case number >= 256:
				c.State = withoutState[number-256]
			default:
				c.State = stateName(proto, number)
			}
			list = append(list, c)
		}
	}
	slices.SortStableFunc(list, func(a, b StateCount) int { return totals[b.Proto] - totals[a.Proto] })
	return list, nil
}

// stateNumber returns the number of the state of the entry that is looked at, or 256
// plus an index of withoutState.
func (q *question) stateNumber(e *entry) int {
	status, _ := e.status()
	state, ok := e.state()
	if q.odd {
		f := q.whole(e)
		status, _ = f.Status()
		state, ok = f.State()
	}
	switch {
	case ok && e.proto().StateNames() != nil:
		return int(state.Number())
	case status&ctnetlink.StatusAssured != 0:
		return 256 + 2
	case status&ctnetlink.StatusSeenReply != 0:
		return 256 + 1
	}
	return 256
}
