package cmd

import (
	"iter"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/filter"
)

// matching streams the entries that a request chooses: -L, -D and -U all act on
// these, so that what one shows is what the others change. With --all-netns they
// come from one network namespace after the other.
func (p *program) matching(r *Request) iter.Seq2[*ctnetlink.Flow, error] {
	return func(yield func(*ctnetlink.Flow, error) bool) {
		m := r.filter()
		hint := newHint(m)
		p.visit(func() bool {
			for _, part := range m.Split() {
				for _, q := range r.dumps(part) {
					for f, err := range p.table.Dump(q) {
						if err != nil {
							yield(nil, err)
							return false
						}
						hint.see(f)
						if part.Match(f) && !yield(f, nil) {
							return false
						}
					}
				}
			}
			return true
		})
		hint.tell(p)
	}
}

// dumps returns the dumps in which what m matches is found.
func (r *Request) dumps(m *filter.Filter) []*ctnetlink.DumpRequest {
	switch r.Table {
	case tableDying:
		return []*ctnetlink.DumpRequest{{Table: ctnetlink.TableDying}}
	case tableUnconfirmed:
		return []*ctnetlink.DumpRequest{{Table: ctnetlink.TableUnconfirmed}}
	}
	dumps := m.Kernel()
	if r.Zero {
		for _, q := range dumps {
			q.Table = ctnetlink.TableZeroing
		}
	}
	return dumps
}

// list prints the entries that match.
func (p *program) list(r *Request) error {
	if p.saving != "" {
		return p.save(r)
	}
	if r.shown().by != nil {
		return p.summary(r)
	}
	w := p.flows(r)
	for f, err := range r.ordered(p.matching(r), &w.context) {
		if err != nil {
			return r.refused(err)
		}
		if err := w.flow(f); err != nil {
			return err
		}
	}
	if err := p.appendExpectations(r, w); err != nil {
		return err
	}
	w.end()
	return p.counted(w.n, "%d flow entries have been shown.", false)
}

// get prints the one entry that has the tuple, if it matches all that was
// given.
func (p *program) get(r *Request) error {
	f, err := p.table.Get(r.named())
	if err != nil {
		return r.refused(err)
	}
	if r.has(optExplain) {
		return p.explain(r, f)
	}
	w := p.flows(r)
	if r.filter().Match(f) {
		if err := w.flow(f); err != nil {
			return err
		}
	}
	w.end()
	return p.counted(w.n, "%d flow entries have been shown.", true)
}
