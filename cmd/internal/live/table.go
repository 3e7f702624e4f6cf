package live

import (
	"context"
	"sync"
	"time"

	"github.com/gonntrack/gonntrack/filter"
)

// Options configure a Table. The zero value is ready for use.
type Options struct {
	// Filter selects the entries that are kept; nil: all.
	Filter *filter.Filter
	// Interval is the time from one dump to the next, 0 for a second. If that
	// takes more than Share of a core, dumps are rarer.
	Interval time.Duration
	// Share is the part of a core that dumps may take, 0 for a tenth.
	Share float64
	// Events is how many of the latest events are kept, 0 for 10000.
	Events int
}

// Table is a copy of the entries of one or several tables. Its methods may be
// called at any time, also while Run feeds it.
type Table struct {
	mu      sync.RWMutex
	sources []Source
	options Options
	feed    feed // what Run keeps, see feed.go
}

// New returns an empty copy of the tables of sources.
func New(sources []Source, o Options) *Table {
	t := &Table{sources: sources, options: o}
	t.feed.init(t)
	return t
}

// Run feeds the table until ctx ends, and returns nil then. It returns an error if
// a table cannot be read at all. Without events, for lack of rights for example,
// it goes on with dumps, and Status says so.
func (t *Table) Run(ctx context.Context) error { return nil }

// SetInterval changes the time from one dump to the next.
func (t *Table) SetInterval(d time.Duration) {}
