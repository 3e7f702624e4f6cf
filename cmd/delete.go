package cmd

import (
	"errors"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// delete removes the entries that match and prints each as it was listed, once
// its deletion is confirmed.
func (p *program) delete(r *Request) error {
	if r.has(optDryRun) {
		return p.wouldDelete(r)
	}
	d := &deletion{flowPrinter: p.flows(r), request: r, batch: p.table.NewBatch()}
	defer d.batch.Close()
	bar := p.startProgress("deleting", "entries", 0, true)
	defer bar.stop()
	for f, err := range bar.flows(p.matching(r)) {
		if err != nil {
			// What was deleted by then is printed all the same.
			_ = d.settle() // the dump's failure is the one to tell
			return r.refused(err)
		}
		if err := d.add(f); err != nil {
			return err
		}
	}
	if err := d.settle(); err != nil {
		return err
	}
	d.end()
	return p.counted(d.n, "%d flow entries have been deleted.", true)
}

// deletion sends deletions in batches while the dump goes on, and holds the
// lines of entries until their deletion is confirmed.
type deletion struct {
	*flowPrinter
	request *Request
	batch   *ctnetlink.Batch
	lines   []byte
	ends    []int // where each line ends
	entry   ctnetlink.FlowSpec
}

func (d *deletion) add(f *ctnetlink.Flow) error {
	d.entry.Identify(f)
	d.batch.Delete(&d.entry)
	d.lines = d.append(d.lines, f)
	d.ends = append(d.ends, len(d.lines))
	if d.batch.Full() {
		return d.settle()
	}
	return nil
}

// settle sends what waits and prints the entries that are gone. One that had
// vanished, or whose place another took, is neither printed nor counted. The
// first refusal is returned, after the lines of all that were deleted.
func (d *deletion) settle() error {
	defer func() { d.lines, d.ends = d.lines[:0], d.ends[:0] }()
	errs, err := d.batch.Do(nil)
	if err != nil {
		return d.request.refused(err)
	}
	var refused error
	start := 0
	for i, err := range errs {
		line := d.lines[start:d.ends[i]]
		start = d.ends[i]
		switch {
		case err == nil:
			if err := d.line(line); err != nil {
				return err
			}
		case errors.Is(err, ctnetlink.ENOENT):
		case refused == nil:
			refused = d.request.refused(err)
		}
	}
	return refused
}
