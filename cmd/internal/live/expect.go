package live

import (
	"context"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// Expectation is an expectation of a table.
type Expectation struct {
	Source int
	Expect *ctnetlink.Expect
}

// Expectations lists the expectations of all sources.
func (t *Table) Expectations(ctx context.Context) ([]Expectation, error) { return nil, nil }
