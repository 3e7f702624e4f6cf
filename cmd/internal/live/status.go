package live

import (
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// Status is what is known of the tables as a whole.
type Status struct {
	// Entries is how many entries are kept, Marked how many of them are marked.
	Entries, Marked int
	// Total and Maximum are the entries of the tables, whatever the filter, and
	// the most there can be; Maximum is 0 if that is unknown.
	Total, Maximum uint64

	// Reading reports that the first dump is not complete: Entries of about Total
	// have been read.
	Reading bool
	// Complete is when the last dump was complete, Took how long it took.
	Complete time.Time
	Took     time.Duration
	// Asked is the interval that was asked for, Interval the one between dumps now,
	// which is longer if a dump would take more than Share of a core.
	Asked, Interval time.Duration
	Share           float64

	// Births and Deaths are per second, over the last seconds. With EventsOff only
	// dumps tell of them.
	Births, Deaths float64
	// EventsOff says why there are no events, "" if there are.
	EventsOff string
	// Loss are the events that were lost since the start.
	Loss ctnetlink.Loss

	// Packets and Bytes are per second, of all entries that are kept; RatesKnown
	// reports that there were two dumps and that the kernel counts.
	Packets, Bytes float64
	RatesKnown     bool
	// AccountingOff and TimestampsOff report that the kernel does not count or does
	// not note when entries began (nf_conntrack_acct, nf_conntrack_timestamp).
	AccountingOff, TimestampsOff bool

	// Drops, EarlyDrops and InsertFailed are per second (conntrack -S).
	Drops, EarlyDrops, InsertFailed float64
	StatsKnown                      bool

	// Failed is the last error of a dump or of the counters, nil if it was right.
	Failed error
}

// Status returns the state of the tables.
func (t *Table) Status() Status { return Status{} }
