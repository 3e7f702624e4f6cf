package cmd

import "github.com/gonntrack/gonntrack/ctnetlink"

// listExpect prints the expectations of a family, or of both.
func (p *program) listExpect(r *Request) error {
	w := p.flows(r)
	for x, err := range p.table.DumpExpect(r.Family) {
		if err != nil {
			return r.refused(err)
		}
		if err := w.expect(x); err != nil {
			return err
		}
	}
	w.end()
	return p.counted(w.n, "%d expectations have been shown.", false)
}

// expectation returns what -G and -D of expectations name: the expected tuple,
// by the original direction's options.
func (r *Request) expectation() *ctnetlink.ExpectSpec {
	x := &ctnetlink.ExpectSpec{Family: r.family(), Tuple: r.Orig}
	queryFields(&x.Tuple)
	return x
}

// queryFields makes the tuple of a protocol of queries whole: expectations
// have no options for type, code and id, which are 0.
func queryFields(t *ctnetlink.Tuple) {
	if t.Proto == ctnetlink.ProtoICMP || t.Proto == ctnetlink.ProtoICMPv6 {
		t.Has |= ctnetlink.FieldICMP
	}
}

// getExpect prints the one expectation that has the tuple.
func (p *program) getExpect(r *Request) error {
	x, err := p.table.GetExpect(r.expectation())
	if err != nil {
		return r.refused(err)
	}
	w := p.flows(r)
	if err := w.expect(x); err != nil {
		return err
	}
	w.end()
	return nil
}

// createExpect makes an expectation of the master that -s, -d and the ports
// name.
func (p *program) createExpect(r *Request) error {
	x := &ctnetlink.ExpectSpec{
		Family: r.family(), Master: r.Orig, Tuple: r.Expected, Mask: r.Mask,
		Timeout: r.Timeout, HasTimeout: true,
	}
	x.Tuple.Proto, x.Tuple.Has = r.Orig.Proto, x.Tuple.Has|ctnetlink.FieldProto
	x.Mask.Proto, x.Mask.Has = r.Orig.Proto, x.Mask.Has|ctnetlink.FieldProto
	queryFields(&x.Master)
	queryFields(&x.Tuple)
	queryFields(&x.Mask)
	return r.refused(p.table.CreateExpect(x))
}

// deleteExpect removes the expectation that has the tuple.
func (p *program) deleteExpect(r *Request) error {
	if r.has(optDryRun) {
		return p.wouldDeleteExpect(r)
	}
	if err := p.table.DeleteExpect(r.expectation()); err != nil {
		return r.refused(err)
	}
	return p.counted(1, "%d expectations have been deleted.", true)
}
