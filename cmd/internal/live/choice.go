package live

import (
	"context"
	"iter"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/filter"
)

// Mark marks an entry, or takes its mark away. It does nothing if the entry has
// ended. An entry that ends loses its mark; the entry that takes its place has none.
func (t *Table) Mark(r Ref, on bool) {}

// MarkMatching marks the entries that match, or takes their marks away, and returns
// how many changed.
func (t *Table) MarkMatching(ctx context.Context, m *filter.Filter, g *GroupID, on bool) (int, error) {
	return 0, nil
}

// Choice is a set of entries that something is to be done with. An entry that ends
// leaves it, and no entry enters it.
type Choice struct{}

// ChooseMarked returns the entries that are marked now.
func (t *Table) ChooseMarked() *Choice { return nil }

// ChooseMatching returns the entries that match now.
func (t *Table) ChooseMatching(ctx context.Context, m *filter.Filter, g *GroupID) (*Choice, error) {
	return nil, nil
}

// ChooseOne returns one entry.
func (t *Table) ChooseOne(r Ref) *Choice { return nil }

// Len returns how many entries are left in the choice.
func (c *Choice) Len() int { return 0 }

// All returns the entries that are left in the choice. Each is looked at when its
// turn comes. A row is valid until the next.
func (c *Choice) All() iter.Seq[*Row] { return func(func(*Row) bool) {} }

// Done releases the choice.
func (c *Choice) Done() {}

// Ending is how an entry ended.
type Ending struct {
	Ended bool
	// Flow is the entry as its DESTROY event showed it, nil if a dump found that it
	// was gone.
	Flow *ctnetlink.Flow
	// PortID is that of the process that deleted it, 0: none did, or that is not
	// known.
	PortID uint32
}

// Watch returns a function that tells the current row of an entry, and how it ended;
// the row is the last that was known then. stop ends it.
func (t *Table) Watch(r Ref) (look func() (*Row, Ending), stop func()) {
	return func() (*Row, Ending) { return nil, Ending{} }, func() {}
}
