package action

import (
	"errors"
	"iter"

	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
	"github.com/gonntrack/gonntrack/cmd/internal/console"
	"github.com/gonntrack/gonntrack/ctnetlink"
)

// batchLoader runs the lines of a file without ending at the first that the
// table refuses: creations are sent in batches, each refused line is reported,
// and at the end how many there were.
type batchLoader struct {
	*Env
	load *cmdline.Request
	queue[creation]
	done    int
	refused int
}

// creation is a line that makes an entry.
type creation struct {
	request *cmdline.Request
	entry   *ctnetlink.FlowSpec
}

// loadAll runs requests that were validated before, in their order.
func loadAll(e *Env, load *cmdline.Request, requests iter.Seq[*cmdline.Request]) error {
	b := &batchLoader{Env: e, load: load}
	b.queue = queue[creation]{batch: e.conn().NewBatch(), answered: b.created}
	defer b.batch.Close()
	for r := range requests {
		if err := b.add(r); err != nil {
			return err
		}
	}
	if err := b.flush(); err != nil {
		return err
	}
	e.say("%d lines have been loaded, %d refused.", b.done, b.refused)
	if b.refused > 0 {
		return console.ErrQuiet
	}
	return nil
}

func (b *batchLoader) add(r *cmdline.Request) error {
	if !r.Command.Is(cmdline.CmdCreate, cmdline.CmdAdd) {
		// It must see what was created before it.
		if err := b.flush(); err != nil {
			return err
		}
		return b.count(r, runLine(b.Env, r))
	}
	c := creation{r, entry(r)}
	b.request = r
	b.batch.Create(c.entry)
	return b.push(c)
}

// created takes the answer to a creation.
func (b *batchLoader) created(c creation, err error) error {
	if c.request.Command == cmdline.CmdAdd && errors.Is(err, ctnetlink.EEXIST) {
		err = addToExisting(b.Env, c.request, c.entry)
	}
	err = createWithoutHelper(b.Env, c.entry, err)
	if err == nil {
		checkLabels(b.Env, c.entry)
	}
	return b.count(c.request, refused(c.request, err))
}

// count counts a line, and reports it when it was refused. Any other error ends
// the run.
func (b *batchLoader) count(r *cmdline.Request, err error) error {
	var refused *refusal
	switch {
	case err == nil:
		b.done++
		return nil
	case !errors.As(err, &refused):
		return err
	}
	b.refused++
	_ = b.Out.Flush()
	b.Err.Printf("%s: %s\n", cmdline.CompatVersion, refusedLine(b.load, r, err))
	for _, line := range Cause(err) {
		b.Err.Printf("%s: %s\n", cmdline.CompatVersion, line)
	}
	return nil
}
