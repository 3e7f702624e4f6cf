package live

import (
	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/format"
)

// Ref names an entry of a Table. Two entries never have the same Ref, also if
// one takes the place of the other in the table.
type Ref struct {
	source uint16
	slot   uint32
	serial uint32
}

// IsZero reports whether r names nothing.
func (r Ref) IsZero() bool { return r == Ref{} }

// Source returns the index of the source of the entry.
func (r Ref) Source() int { return int(r.source) }

// Rates are what an entry or a group counted per second between the last two
// looks at it.
type Rates = format.Rates

// Row is an entry as it was at the time of a question.
type Row struct {
	Ref Ref
	// Flow has what is kept of the entry: everything but its master, sequence
	// adjustments, synproxy and verification tags; times are of whole seconds. The
	// timeout has run down to now.
	Flow   *ctnetlink.Flow
	Rates  Rates
	Marked bool
}
