package action

import (
	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
	"github.com/gonntrack/gonntrack/format"
)

// get prints the one entry that has the tuple, if it matches everything else
// that was given.
func get(e *Env, r *cmdline.Request) error {
	f, err := e.conn().Get(named(r))
	if err != nil {
		return refused(r, err)
	}
	w := e.Report.printer(e, r)
	if r.Filter().Match(f) {
		if err := w.flow(f); err != nil {
			return err
		}
	}
	w.end()
	return e.Report.count(e, w.n, "%d flow entries have been shown.", true)
}

// explain describes that entry in words: -G --explain. No count is printed
// beside them.
func explain(e *Env, r *cmdline.Request) error {
	f, err := e.conn().Get(named(r))
	if err != nil {
		return refused(r, err)
	}
	if !r.Filter().Match(f) {
		return e.Report.count(e, 0, "%d flow entries have been shown.", true)
	}
	e.Out.Buf = format.AppendExplanation(e.Out.Buf, f, &format.Explanation{LabelNames: r.Output.LabelNames})
	return e.Out.Flush()
}
