package action

import (
	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
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
