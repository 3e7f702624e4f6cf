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

// Expectations lists the expectations of all sources. It asks the tables. An error is
// that of the first source that refused, if none was listed; others are passed over.
func (t *Table) Expectations(ctx context.Context) (all []Expectation, err error) {
	listed := 0
	for _, p := range t.feed.parts {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		found, ferr := p.expectations()
		if ferr == nil {
			listed++
		} else if err == nil {
			err = p.fail(ferr)
		}
		all = append(all, found...)
	}
	if listed > 0 {
		err = nil
	}
	return all, err
}

// expectations lists the expectations of the source.
func (p *part) expectations() (all []Expectation, err error) {
	p.asking.Lock()
	defer p.asking.Unlock()
	for x, err := range p.beside.DumpExpect(ctnetlink.FamilyAny) {
		if err != nil {
			return nil, err
		}
		all = append(all, Expectation{p.n, x.Clone()})
	}
	return all, nil
}
