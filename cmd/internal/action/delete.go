package action

import (
	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
	"github.com/gonntrack/gonntrack/ctnetlink"
)

// deleteFlows deletes the entries that match and prints each as it was listed,
// once its deletion is confirmed.
func deleteFlows(e *Env, r *cmdline.Request) error {
	w := e.Report.printer(e, r)
	if r.Has(cmdline.OptDryRun) {
		return changeMatching(e, r, w, &preview{printer: w}, "reading", "%d flow entries would have been deleted.")
	}
	if err := confirmAll(e, r); err != nil {
		return err
	}
	b, done := e.newBatch()
	defer done()
	d := newDeletion(b, r, w)
	again := newReread(e, r, d)
	defer again.close()
	return changeMatching(e, r, w, again, "deleting", "%d flow entries have been deleted.")
}

// deletion deletes entries in batches, and holds their lines until the deletion
// is confirmed.
type deletion struct {
	queue[line]
	printer *flowPrinter
	lines   []byte
	entry   ctnetlink.FlowSpec
	refusal firstRefusal
}

// line is where in the held text the line of an entry is.
type line struct{ start, end int }

func newDeletion(b *ctnetlink.Batch, r *cmdline.Request, w *flowPrinter) *deletion {
	d := &deletion{printer: w}
	d.queue = queue[line]{request: r, batch: b, answered: d.print, done: d.shown}
	return d
}

func (d *deletion) add(f *ctnetlink.Flow) error {
	d.entry.Identify(f)
	d.batch.Delete(&d.entry)
	start := len(d.lines)
	d.lines = d.printer.append(d.lines, f)
	return d.push(line{start, len(d.lines)})
}

// print prints the line of an entry that is gone. One that had vanished, or
// whose place another took, is neither printed nor counted.
func (d *deletion) print(l line, err error) error {
	if err != nil {
		d.refusal.note(d.request, err)
		return nil
	}
	return d.printer.line(d.lines[l.start:l.end])
}

func (d *deletion) shown() error {
	d.lines = d.lines[:0]
	return d.refusal.take()
}
