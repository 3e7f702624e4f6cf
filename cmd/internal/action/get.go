package action

import (
	"errors"

	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
	"github.com/gonntrack/gonntrack/ctnetlink"
)

// get prints the one entry that has the tuple, if it matches everything else
// that was given.
func get(e *Env, r *cmdline.Request) error {
	f, matches, err := getNamed(e, r)
	if err != nil {
		return refused(r, err)
	}
	w := e.Report.printer(e, r)
	end, err := findProcesses(e, r, &w.context)
	if err != nil {
		return err
	}
	defer end()
	if matches {
		if err := w.flow(f); err != nil {
			return err
		}
	}
	w.end()
	return e.Report.count(e, w.n, "%d flow entries have been shown.", true)
}

// getNamed returns the entry that a request names by a tuple, and reports whether
// it matches everything that was given. Where another entry has the tuple as that
// of its other direction, the one that matches is returned.
func getNamed(e *Env, r *cmdline.Request) (f *ctnetlink.Flow, matches bool, err error) {
	c, name, m := e.conn(), named(r), e.filter(r)
	f, err = c.Get(name)
	if err == nil && m.Match(f) || err != nil && !errors.Is(err, ctnetlink.ENOENT) {
		return f, err == nil, err
	}
	name.Exact = true
	if exact, err := c.Get(name); err == nil && m.Match(exact) {
		return exact, true, nil
	}
	return f, false, err
}
