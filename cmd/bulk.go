package cmd

import (
	"errors"
	"fmt"
	"strings"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// bulk runs the lines of a file without ending at the first that the table
// refuses: creations are sent in batches, each refused line is reported, and
// at the end how many there were.
type bulk struct {
	*program
	batch   *ctnetlink.Batch
	waiting []*Request
	entries []*ctnetlink.FlowSpec
	done    int
	refused int
}

// loadAll runs requests that were judged before, in their order.
func (p *program) loadAll(requests func(yield func(*Request) bool)) error {
	b := &bulk{program: p, batch: p.table.NewBatch()}
	defer b.batch.Close()
	for r := range requests {
		if err := b.add(r); err != nil {
			return err
		}
	}
	if err := b.settle(); err != nil {
		return err
	}
	p.say("%d lines have been loaded, %d refused.", b.done, b.refused)
	if b.refused > 0 {
		return errQuiet
	}
	return nil
}

func (b *bulk) add(r *Request) error {
	if !oneOf(r.Command, cmdCreate, cmdAdd) {
		// It must see what was created before it.
		if err := b.settle(); err != nil {
			return err
		}
		return b.told(r, b.run(r))
	}
	en := r.entry()
	b.batch.Create(en)
	b.waiting, b.entries = append(b.waiting, r), append(b.entries, en)
	if b.batch.Full() {
		return b.settle()
	}
	return nil
}

// settle sends the creations that wait.
func (b *bulk) settle() error {
	waiting, entries := b.waiting, b.entries
	b.waiting, b.entries = b.waiting[:0], b.entries[:0]
	errs, err := b.batch.Do(nil)
	if err != nil {
		return waiting[0].refused(err)
	}
	for i, err := range errs {
		r := waiting[i]
		if r.Command == cmdAdd && errors.Is(err, ctnetlink.EEXIST) {
			err = b.addToExisting(r, entries[i])
		}
		err = b.bare(entries[i], err)
		if err == nil {
			b.checkLabels(entries[i])
		}
		if err := b.told(r, r.refused(err)); err != nil {
			return err
		}
	}
	return nil
}

// told counts a line, and reports it when it was refused. What is no refusal
// of the line ends the run.
func (b *bulk) told(r *Request, err error) error {
	var refused *refusal
	switch {
	case err == nil:
		b.done++
		return nil
	case !errors.As(err, &refused):
		return err
	}
	b.refused++
	_ = b.out.flush()
	fmt.Fprintf(b.stderr, "%s: line %d: %s: %s\n", compatVersion, r.line, err, strings.TrimSpace(r.text))
	return nil
}
