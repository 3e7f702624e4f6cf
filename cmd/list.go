package cmd

import (
	"iter"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// matching streams the entries that a request chooses: -L, -D and -U all act on
// these, so that what one shows is what the others change.
func (p *program) matching(r *Request) iter.Seq2[*ctnetlink.Flow, error] {
	m := r.filter()
	dumps := m.Kernel()
	switch {
	case r.Table == tableDying:
		dumps = []*ctnetlink.DumpRequest{{List: ctnetlink.ListDying}}
	case r.Table == tableUnconfirmed:
		dumps = []*ctnetlink.DumpRequest{{List: ctnetlink.ListUnconfirmed}}
	case r.Zero:
		for _, q := range dumps {
			q.List = ctnetlink.ListZeroing
		}
	}
	return func(yield func(*ctnetlink.Flow, error) bool) {
		for _, q := range dumps {
			for f, err := range p.table.Dump(q) {
				if (err != nil || m.Match(f)) && !yield(f, err) || err != nil {
					return
				}
			}
		}
	}
}

// list prints the entries that match.
func (p *program) list(r *Request) error {
	w := p.flows(r)
	for f, err := range p.matching(r) {
		if err != nil {
			return r.refused(err)
		}
		if err := w.flow(f); err != nil {
			return err
		}
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
	w := p.flows(r)
	if r.filter().Match(f) {
		if err := w.flow(f); err != nil {
			return err
		}
	}
	w.end()
	return p.counted(w.n, "%d flow entries have been shown.", true)
}
