package action

import (
	"errors"

	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
	"github.com/gonntrack/gonntrack/cmd/internal/console"
	"github.com/gonntrack/gonntrack/ctnetlink"
)

// A changer acts on entries while they are dumped. It may queue requests; flush
// sends them and shows the entries that were changed. The first refusal is
// returned after that.
type changer interface {
	add(f *ctnetlink.Flow) error
	flush() error
}

// changeMatching hands the entries that a request selects to a changer, whose
// printer is w, and reports how many were shown.
func changeMatching(e *Env, r *cmdline.Request, w *flowPrinter, c changer, verb, counted string) error {
	bar := e.StartProgress(verb, "entries", 0, true)
	defer bar.Stop()
	for f, err := range console.Count2(bar, matching(e, r, &w.context)) {
		if err != nil {
			// What was changed by then is shown all the same.
			_ = c.flush() // the dump's failure is the one to report
			return refused(r, err)
		}
		if err := c.add(f); err != nil {
			return err
		}
	}
	if err := c.flush(); err != nil {
		return err
	}
	w.end()
	return e.Report.count(e, w.n, counted, r.Command != cmdline.CmdFlush)
}

// preview is the changer of --dry-run: it shows the entries that would be
// changed, as they are.
type preview struct {
	printer *flowPrinter
	wanted  func(f *ctnetlink.Flow) bool // nil: all
}

func (p *preview) add(f *ctnetlink.Flow) error {
	if p.wanted != nil && !p.wanted(f) {
		return nil
	}
	return p.printer.flow(f)
}

func (*preview) flush() error { return nil }

// queue sends requests in batches. Each has an item that identifies it.
type queue[T any] struct {
	request *cmdline.Request
	batch   *ctnetlink.Batch
	items   []T
	// answered takes the answer to a request: nil, or why it was refused. It
	// returns an error that ends the run.
	answered func(item T, err error) error
	// done is called after the answers of a batch; nil: nothing is to be done.
	done func() error
}

// push notes the item of a request that was just added to the batch, and sends
// the batch when it is full.
func (q *queue[T]) push(item T) error {
	q.items = append(q.items, item)
	if q.batch.Full() {
		return q.flush()
	}
	return nil
}

// flush sends the requests that wait.
func (q *queue[T]) flush() error {
	items := q.items
	q.items = q.items[:0]
	errs, err := q.batch.Do(nil)
	if err != nil {
		return refused(q.request, err)
	}
	for i, err := range errs {
		if err := q.answered(items[i], err); err != nil {
			return err
		}
	}
	if q.done != nil {
		return q.done()
	}
	return nil
}

// firstRefusal keeps the first refusal of a batch, to be returned after the
// entries that were changed have been shown.
type firstRefusal struct{ err error }

// note keeps err unless it means that the entry has vanished.
func (f *firstRefusal) note(r *cmdline.Request, err error) {
	if f.err == nil && !errors.Is(err, ctnetlink.ENOENT) {
		f.err = refused(r, err)
	}
}

// take returns the refusal, and forgets it.
func (f *firstRefusal) take() error {
	err := f.err
	f.err = nil
	return err
}
