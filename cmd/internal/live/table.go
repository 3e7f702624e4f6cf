package live

import (
	"math/rand/v2"
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
	// LabelNames are the names of label bits, see [format.Options]: for orders, groups and
	// searches.
	LabelNames []string
}

// Table is a copy of the entries of one or several tables. Its methods may be
// called at any time, also while Run feeds it.
//
// mu guards everything that is kept of entries: pages, indexes, extras, tallies.
// What changes them (apply, beginDump and the methods of dumping) is called with mu
// held for writing, for a batch of events or some hundred entries at a time. What
// reads them (walk takes the lock itself; find, len and the methods of entry do not)
// is called with mu held, for reading at least.
type Table struct {
	mu      sync.RWMutex
	sources []Source
	options Options
	feed    feed // what Run keeps, see feed.go

	copies []*sourceCopy // of the sources, by their index
	pages  pages
	extras extras
	serial uint32 // of the latest entry
	seed   uint64 // of the indexes
	marked int    // number of entries that are marked
	match  matcher

	watches map[Ref][]*watched // entries whose end somebody waits for
}

// New returns an empty copy of the tables of sources.
func New(sources []Source, o Options) *Table {
	t := &Table{sources: sources, options: o, seed: rand.Uint64()}
	for i := range sources {
		t.copies = append(t.copies, newSourceCopy(t, i))
	}
	t.feed.init(t)
	return t
}
