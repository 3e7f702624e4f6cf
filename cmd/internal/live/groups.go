package live

import (
	"context"
	"time"

	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
	"github.com/gonntrack/gonntrack/ctnetlink"
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
	Search string
}

// Groups is the answer to a GroupQuery.
type Groups struct {
	Groups          []Group
	Offset, Matched int // Matched is the number of groups
	// At is the index of the group that Around names, -1 if it is not there.
	At    int
	Total Group
	Time  time.Time
	Took  time.Duration
}

// Groups answers a query, as Page does.
func (t *Table) Groups(ctx context.Context, q *GroupQuery) (*Groups, error) {
	return &Groups{At: -1}, nil
}

// StateCount is how many entries of a protocol are in a state.
type StateCount struct {
	Proto ctnetlink.Protocol
	// State is the name of the state, or for protocols without: unreplied, replied,
	// assured.
	State   string
	Entries int
}

// States counts the entries that match by protocol and state, the protocol with the
// most entries first, its states in the order of the protocol.
func (t *Table) States(ctx context.Context, m *filter.Filter) ([]StateCount, error) { return nil, nil }
