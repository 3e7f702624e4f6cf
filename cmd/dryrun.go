package cmd

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/format"
)

// wouldDelete prints what -D, or -F, would delete.
func (p *program) wouldDelete(r *Request) error {
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
	return p.counted(w.n, "%d flow entries would have been deleted.", r.Command == cmdDelete)
}

// wouldUpdate prints the entries that -U would change, as they are.
func (p *program) wouldUpdate(r *Request) error {
	w := p.flows(r)
	for f, err := range p.matching(r) {
		if err != nil {
			return r.refused(err)
		}
		if !r.changes(new(ctnetlink.FlowSpec), f) {
			continue
		}
		if err := w.flow(f); err != nil {
			return err
		}
	}
	w.end()
	return p.counted(w.n, "%d flow entries would have been updated.", true)
}

// wouldDeleteExpect prints the expectation that -D would delete.
func (p *program) wouldDeleteExpect(r *Request) error {
	x, err := p.table.GetExpect(r.expectation())
	if err != nil {
		return r.refused(err)
	}
	w := p.flows(r)
	if err := w.expect(x); err != nil {
		return err
	}
	w.end()
	return p.counted(1, "%d expectations would have been deleted.", true)
}

// wouldFlushExpect prints the expectations that -F would delete.
func (p *program) wouldFlushExpect(r *Request) error {
	w := p.flows(r)
	for x, err := range p.table.DumpExpect(ctnetlink.FamilyAny) {
		if err != nil {
			return r.refused(err)
		}
		if err := w.expect(x); err != nil {
			return err
		}
	}
	w.end()
	return p.counted(w.n, "%d expectations would have been deleted.", false)
}

// rehearsal tells of each line of a file what would become of it: it runs them
// on a copy of the table. What only the kernel decides (which port a translation
// gets, whether there is room) may differ.
type rehearsal struct {
	*program
	// stage is the program that runs the lines; nil before the first. lines
	// counts the entries that it acts on, and prints them nowhere.
	stage   *program
	lines   *flowPrinter
	refused int
	done    int
}

// rehearse goes through the lines of a file without carrying them out. It ends
// where the load would.
func (p *program) rehearse(requests iter.Seq[*Request], keepGoing bool) error {
	h := &rehearsal{program: p}
	defer h.close()
	for r := range requests {
		what, err := h.line(r)
		if err != nil {
			return err
		}
		if err := h.tell(r, what); err != nil {
			return err
		}
		if h.refused > 0 && !keepGoing {
			break
		}
	}
	p.say("%d lines would have been loaded, %d refused.", h.done, h.refused)
	if h.refused > 0 {
		return errQuiet
	}
	return nil
}

// open makes the stage.
func (h *rehearsal) open() error {
	table, err := h.copyTable()
	if err != nil {
		return err
	}
	stage := *h.program
	stage.table, stage.file, stage.held = table, nil, nil
	stage.stdout, stage.stderr, stage.out = io.Discard, io.Discard, newOutput(io.Discard)
	h.lines = &flowPrinter{Printer: format.NewPrinter(format.Options{}), out: stage.out, held: true}
	stage.each = &each{printer: h.lines}
	h.stage = &stage
	return nil
}

func (h *rehearsal) close() {
	if h.stage != nil {
		_ = h.stage.table.Close()
	}
}

// tell prints what would become of a line.
func (h *rehearsal) tell(r *Request, what string) error {
	h.out.buf = fmt.Appendf(h.out.buf, "line %d: %s: %s\n", r.line, what, strings.TrimSpace(r.text))
	return h.out.spill()
}

// line runs a line on the stage, and says what would become of it.
func (h *rehearsal) line(r *Request) (string, error) {
	if h.stage == nil {
		if err := h.open(); err != nil {
			return "", r.refused(err)
		}
	}
	n, err := h.before(r)
	if err != nil {
		return "", r.refused(err)
	}
	h.lines.n = 0
	err = h.stage.run(r)
	var refused *refusal
	switch {
	case errors.As(err, &refused):
		h.refused++
		return "would be refused: " + refused.reason(), nil
	case err != nil:
		return "", err
	}
	h.done++
	switch {
	case r.has(optDryRun):
		return fmt.Sprintf("would change nothing and show %d entries", h.lines.n), nil
	case r.Command == cmdFlush:
		return fmt.Sprintf("would delete %d entries", n), nil
	case r.Command == cmdDelete:
		return fmt.Sprintf("would delete %d entries", h.lines.n), nil
	case r.Command == cmdUpdate:
		return fmt.Sprintf("would update %d entries", h.lines.n), nil
	case n > 0:
		return "would update an entry", nil
	}
	return "would create an entry", nil
}

// before counts what a line will not tell itself: the entries that -F removes,
// and whether -A finds its own.
func (h *rehearsal) before(r *Request) (n int, err error) {
	switch r.Command {
	case cmdAdd:
		if _, err := h.stage.table.Get(originally(r.entry())); err == nil {
			n = 1
		}
	case cmdFlush:
		for _, err := range h.stage.matching(r) {
			if err != nil {
				return 0, err
			}
			n++
		}
	}
	return n, nil
}
