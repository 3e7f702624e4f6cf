package action

import (
	"errors"
	"fmt"
	"iter"
	"strings"

	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
	"github.com/gonntrack/gonntrack/cmd/internal/console"
	"github.com/gonntrack/gonntrack/cmd/internal/target"
)

// dryRun reports for each line of a file what it would do, by running it on a
// copy of the table. What only the kernel decides (which port a translation
// gets, whether there is room) may differ.
type dryRun struct {
	*Env
	// scratch is the environment of the copy, nil before the first line. lines
	// counts the entries that a line acts on.
	scratch *Env
	lines   *flowPrinter
	refused int
	done    int
}

// runDry goes through the lines of a file without running them. It ends where
// the load would.
func runDry(e *Env, requests iter.Seq[*cmdline.Request], keepGoing bool) error {
	d := &dryRun{Env: e}
	defer d.close()
	for r := range requests {
		what, err := d.line(r)
		if err != nil {
			return err
		}
		if err := d.report(r, what); err != nil {
			return err
		}
		if d.refused > 0 && !keepGoing {
			break
		}
	}
	e.say("%d lines would have been loaded, %d refused.", d.done, d.refused)
	if d.refused > 0 {
		return console.ErrQuiet
	}
	return nil
}

// open makes the copy.
func (d *dryRun) open() error {
	table, err := d.table().Copy()
	if err != nil {
		return err
	}
	counting := newCounting()
	d.lines = counting.lines
	d.scratch = &Env{Streams: console.Discard(), Tables: []*target.Table{table}, Report: counting,
		Unrestored: &unrestored{}, Zones: d.Zones}
	return nil
}

func (d *dryRun) close() {
	if d.scratch != nil {
		_ = d.scratch.conn().Close()
	}
}

// report prints what a line would do.
func (d *dryRun) report(r *cmdline.Request, what string) error {
	return d.Out.Printf("line %d: %s: %s\n", r.Line, what, lineText(r))
}

// line runs a line on the copy, and returns what it would do.
func (d *dryRun) line(r *cmdline.Request) (string, error) {
	if d.scratch == nil {
		if err := d.open(); err != nil {
			return "", refused(r, err)
		}
	}
	n, err := d.before(r)
	if err != nil {
		return "", refused(r, err)
	}
	d.lines.n = 0
	err = runLine(d.scratch, r)
	var refusal *refusal
	switch {
	case errors.As(err, &refusal):
		d.refused++
		return strings.Join(append([]string{"would be refused: " + refusal.reason()}, Cause(err)...), "; "), nil
	case err != nil:
		return "", err
	}
	d.done++
	switch {
	case r.Has(cmdline.OptDryRun):
		return fmt.Sprintf("would change nothing and show %d entries", d.lines.n), nil
	case r.Command == cmdline.CmdFlush:
		return fmt.Sprintf("would delete %d entries", n), nil
	case r.Command == cmdline.CmdDelete:
		return fmt.Sprintf("would delete %d entries", d.lines.n), nil
	case r.Command == cmdline.CmdUpdate:
		return fmt.Sprintf("would update %d entries", d.lines.n), nil
	case n > 0:
		return "would update an entry", nil
	}
	return "would create an entry", nil
}

// before counts what a line does not report itself: the entries that -F removes,
// and whether the entry of -A exists.
func (d *dryRun) before(r *cmdline.Request) (n int, err error) {
	switch r.Command {
	case cmdline.CmdAdd:
		if _, err := existing(d.scratch.conn(), entry(r)); err == nil {
			n = 1
		}
	case cmdline.CmdFlush:
		for _, err := range matching(d.scratch, r, &d.lines.context) {
			if err != nil {
				return 0, err
			}
			n++
		}
	}
	return n, nil
}
