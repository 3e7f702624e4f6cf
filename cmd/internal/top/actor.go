package top

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/gonntrack/gonntrack/cmd/internal/action"
	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
	"github.com/gonntrack/gonntrack/cmd/internal/live"
	"github.com/gonntrack/gonntrack/cmd/internal/target"
	"github.com/gonntrack/gonntrack/ctnetlink"
)

// actor changes the tables. Its methods wait for the tables: only commands call them.
type actor struct {
	tables []*target.Table

	mu sync.Mutex // of the changes: one after the other
	// seen is how many entries the change that is under way has gone through.
	seen atomic.Int64
	// quiet is for tests, nil: it is called before entries are read again for a change,
	// and what it returns when they have been changed.
	quiet func(change) (end func())
}

// leastGroup and mostGroup bound how many entries are read again together before they
// are changed: the fewer, the less time there is to replace one. As long as none has
// been replaced the number doubles.
const (
	leastGroup = 8
	mostGroup  = 128
)

// outcome is what became of a change.
type outcome struct {
	change change
	// named is how many entries were named, done how many were changed. ended had
	// ended, differ no longer matched what they were chosen for.
	named, done, ended, differ int
	// err is why the rest was not changed, nil if nothing failed.
	err error
}

// String returns a sentence: deleted 118 of 120: 2 had ended.
func (o *outcome) String() string {
	verb := "deleted"
	if o.change.mark != "" {
		verb = "set the mark of"
	}
	text := fmt.Sprintf("%s %d of %d", verb, o.done, o.named)
	switch {
	case o.done == o.named && o.named == 1:
		text = verb + " 1 entry"
	case o.done == o.named:
		text = fmt.Sprintf("%s %d entries", verb, o.named)
	}
	before := ": "
	for _, left := range []struct {
		n    int
		what string
	}{{o.ended, "had ended"}, {o.differ, "no longer matched"}} {
		if left.n > 0 {
			text += fmt.Sprintf("%s%d %s", before, left.n, left.what)
			before = ", "
		}
	}
	return text
}

// changing is a change of the entries of one table that is under way.
type changing struct {
	outcome *outcome
	choice  *live.Choice
	table   *target.Table
	source  int
	quiet   func(change) (end func())
	batch   *ctnetlink.Batch
	group   int // how many are read again together
	waiting []live.Identity
	// sent are those of waiting that a request was sent for.
	sent []int
}

// run changes the entries that are left in a choice. Each is read again before that,
// and one that is not the same entry, or that no longer matches, is left out.
func (a *actor) run(ctx context.Context, c *live.Choice, ch change) (o outcome) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.seen.Store(0)
	o = outcome{change: ch, named: c.Len()}
	parts := make([]*changing, len(a.tables))
	defer func() {
		for i, p := range parts {
			if p != nil {
				_ = p.batch.Close() // nothing waits in it
				o.commit(a.tables[i])
			}
		}
		if o.err == nil {
			// Those that have ended since the number was told.
			o.ended = max(o.named-o.done-o.differ, o.ended)
		}
	}()
	for row := range c.All() {
		source := row.Ref.Source()
		p := parts[source]
		if p == nil {
			t := a.tables[source]
			p = &changing{
				outcome: &o, choice: c, table: t, source: source, quiet: a.quiet, batch: t.Conn.NewBatch(), group: leastGroup,
			}
			parts[source] = p
		}
		p.waiting = append(p.waiting, live.Identity{})
		p.waiting[len(p.waiting)-1].Identify(row)
		a.seen.Add(1)
		if len(p.waiting) < p.group {
			continue
		}
		if p.flush(ctx); o.err == nil {
			o.err = ctx.Err()
		}
		if o.err != nil {
			return o
		}
	}
	for _, p := range parts {
		if p != nil && o.err == nil {
			p.flush(ctx)
		}
	}
	return o
}

// commit writes the file that a table is in. The changes are lost if that fails.
func (o *outcome) commit(t *target.Table) {
	if t.File == nil {
		return
	}
	if err := t.File.Commit(); err != nil {
		o.done, o.err = 0, fmt.Errorf("%s; nothing was changed", target.FileErrorText(err))
	}
}

// flush reads the entries that wait again, and changes those that are still the same.
func (p *changing) flush(ctx context.Context) {
	if p.quiet != nil {
		defer p.quiet(p.outcome.change)()
	}
	waiting := p.waiting
	p.waiting = p.waiting[:0]
	for i := range waiting {
		p.batch.Get(&waiting[i].Entry)
	}
	results, err := p.batch.Do()
	if err != nil {
		p.refuse(err)
		return
	}
	// An entry that took the place of another may have its id, and what else there is to
	// compare. Events tell of that, so those are waited for that are on their way. Since
	// entries end before others take their place, there is no later moment at which more
	// is known.
	p.choice.CatchUp(ctx, p.source)
	ended := p.outcome.ended
	p.sent = p.sent[:0]
	for n, result := range results {
		i := &waiting[n]
		f := result.Flow
		switch {
		case errors.Is(result.Err, ctnetlink.ENOENT), f != nil && (!i.Is(f) || !p.choice.Has(i.Ref)):
			p.outcome.ended++
		case f == nil:
			p.refuse(result.Err)
			return
		case !p.choice.Matches(p.source, f):
			p.outcome.differ++
		case !p.outcome.change.apply(&i.Entry, f):
			p.outcome.done++ // it has the mark
		default:
			p.sent = append(p.sent, n)
		}
	}
	p.group = min(2*p.group, mostGroup)
	if p.outcome.ended > ended {
		p.group = leastGroup
	}
	for _, n := range p.sent {
		if p.outcome.change.mark != "" {
			p.batch.Update(&waiting[n].Entry)
		} else {
			p.batch.Delete(&waiting[n].Entry)
		}
	}
	results, err = p.batch.Do()
	for _, result := range results {
		switch {
		case result.Err == nil:
			p.outcome.done++
		case errors.Is(result.Err, ctnetlink.ENOENT):
			p.outcome.ended++
		default:
			p.refuse(result.Err)
		}
	}
	if err != nil {
		p.refuse(err)
	}
}

// refuse notes why a table refused, the first time.
func (p *changing) refuse(err error) {
	if p.outcome.err == nil {
		p.outcome.err = refusal(p.outcome.change.command(), p.table, err)
	}
}

// refusal returns an error of a table in the words of a command.
func refusal(c cmdline.Command, t *target.Table, err error) error {
	return t.NameError(action.Refused(&cmdline.Request{Command: c}, err))
}

// apply adds to en what is changed in the entry f, and reports whether that is
// anything.
func (c *change) apply(en *ctnetlink.FlowSpec, f *ctnetlink.Flow) bool {
	if c.mark == "" {
		return true
	}
	if mark, _ := f.Mark(); mark&^c.mask^c.value == mark {
		return false
	}
	// As -U does: bits of the value outside of the mask flip.
	en.Mark, en.MarkMask = c.value, c.mask
	en.Set = en.Set.With(ctnetlink.AttrMark).With(ctnetlink.AttrMarkMask)
	return true
}

// deleteExpect deletes an expectation of a source.
func (a *actor) deleteExpect(source int, x *ctnetlink.ExpectSpec) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	t := a.tables[source]
	conn := t.Conn.Beside()
	defer conn.Close()
	err := conn.DeleteExpect(x)
	if errors.Is(err, ctnetlink.ENOENT) {
		return errors.New("it had ended")
	}
	if err == nil && t.File != nil {
		err = t.File.Commit()
	}
	if err != nil {
		err = t.NameError(action.Refused(&cmdline.Request{Command: cmdline.CmdDelete, Table: cmdline.TableExpect}, err))
	}
	return err
}
