package action

import (
	"errors"

	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
	"github.com/gonntrack/gonntrack/ctnetlink"
)

// listExpect prints the expectations of a family, or of both.
func listExpect(e *Env, r *cmdline.Request) error {
	w := e.Report.printer(e, r)
	if err := showExpectations(e, r, w, r.Family); err != nil {
		return err
	}
	return e.Report.count(e, w.n, "%d expectations have been shown.", false)
}

// showExpectations prints the expectations of a family, or of both.
func showExpectations(e *Env, r *cmdline.Request, w *flowPrinter, family ctnetlink.Family) error {
	for x, err := range e.conn().DumpExpect(family) {
		if err != nil {
			return refused(r, err)
		}
		if err := w.expect(x); err != nil {
			return err
		}
	}
	w.end()
	return nil
}

// countExpectations returns the number of expectations of a family, or of both.
func countExpectations(e *Env, family ctnetlink.Family) (n int, err error) {
	for _, err := range e.conn().DumpExpect(family) {
		if err != nil {
			return 0, err
		}
		n++
	}
	return n, nil
}

// expectation returns what -G and -D of expectations name: the expected tuple,
// by the original direction's options.
func expectation(r *cmdline.Request) *ctnetlink.ExpectSpec {
	x := &ctnetlink.ExpectSpec{Family: family(r), Tuple: r.Orig}
	queryFields(&x.Tuple)
	return x
}

// queryFields completes the tuple of an ICMP protocol: expectations have no
// options for type, code and id, which are 0.
func queryFields(t *ctnetlink.Tuple) {
	if t.Proto == ctnetlink.ProtoICMP || t.Proto == ctnetlink.ProtoICMPv6 {
		t.Has |= ctnetlink.FieldICMP
	}
}

// getExpect prints the expectation that has the tuple.
func getExpect(e *Env, r *cmdline.Request) error {
	_, err := showExpectation(e, r)
	return err
}

// showExpectation prints the expectation that has the tuple.
func showExpectation(e *Env, r *cmdline.Request) (*flowPrinter, error) {
	x, err := e.conn().GetExpect(expectation(r))
	if err != nil {
		return nil, refused(r, err)
	}
	w := e.Report.printer(e, r)
	if err := w.expect(x); err != nil {
		return nil, err
	}
	w.end()
	return w, nil
}

// createExpect makes an expectation of the master that -s, -d and the ports
// name.
func createExpect(e *Env, r *cmdline.Request) error {
	x := &ctnetlink.ExpectSpec{
		Family: family(r), Master: r.Orig, Tuple: r.Expected, Mask: r.Mask,
		Timeout: timeoutOf(r), HasTimeout: true,
	}
	x.Tuple.Proto, x.Tuple.Has = r.Orig.Proto, x.Tuple.Has|ctnetlink.FieldProto
	x.Mask.Proto, x.Mask.Has = r.Orig.Proto, x.Mask.Has|ctnetlink.FieldProto
	queryFields(&x.Master)
	queryFields(&x.Tuple)
	queryFields(&x.Mask)
	return refused(r, e.conn().CreateExpect(x))
}

// deleteExpect deletes the expectation that has the tuple, or shows it.
func deleteExpect(e *Env, r *cmdline.Request) error {
	counted := "%d expectations have been deleted."
	var err error
	if r.Has(cmdline.OptDryRun) {
		counted = "%d expectations would have been deleted."
		_, err = showExpectation(e, r)
	} else {
		err = refused(r, e.conn().DeleteExpect(expectation(r)))
	}
	n := 1
	if errors.Is(err, ctnetlink.ENOENT) && !needsEntries(r) {
		n, err = 0, nil
	}
	if err != nil {
		return err
	}
	return e.Report.count(e, n, counted, needsEntries(r))
}
