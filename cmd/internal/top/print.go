package top

import (
	"cmp"
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/gonntrack/gonntrack/cmd/internal/action"
	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
	"github.com/gonntrack/gonntrack/cmd/internal/console"
	"github.com/gonntrack/gonntrack/cmd/internal/live"
	"github.com/gonntrack/gonntrack/cmd/internal/target"
	"github.com/gonntrack/gonntrack/filter"
	"github.com/gonntrack/gonntrack/format"
)

// printer prints looks at the tables without a screen: --once and --batch.
type printer struct {
	*console.Streams
	options *options
	set     *target.Set
	table   *live.Table

	// status and at are the state of the tables and the time of the look that is
	// printed, n is how many were printed before.
	status live.Status
	at     time.Time
	n      int
	// failed is why the tables were not read as a whole for the look, "" if they were.
	failed string
	// entries and groups write the records of all looks; nil: none yet.
	entries *format.Printer
	groups  *format.GroupRecords
}

// printLooks prints one look at the tables, or with --batch one after the other.
func printLooks(s *console.Streams, o *options) error {
	set, err := target.Open(choice(o.request), s)
	if err != nil {
		return err
	}
	return printSet(s, o, set)
}

// printSet prints looks at the tables of a set, and closes it.
func printSet(s *console.Streams, o *options, set *target.Set) error {
	action.Dress(o.request)
	out := &o.request.Output
	out.Rates, out.NetNS, out.Looks = true, set.Several, o.batch
	if out.Style == format.StyleTable {
		out.Width, out.Color = console.LineWidth(s.Out), console.UseColor(s.Out)
	}
	share := 0.0
	if o.once {
		share = 1 // nobody waits for a second look longer than for the first
	}
	p := &printer{Streams: s, options: o, set: set, table: newTable(o, set, share)}
	return set.Close(p.run())
}

// newTable returns a copy of the tables of a set, to be read with a share of a core; 0
// is the usual one.
func newTable(o *options, set *target.Set, share float64) *live.Table {
	m := keptFilter(o)
	if m != nil && len(set.Tables) == 1 {
		m.Now = set.Tables[0].Now
	}
	options := live.Options{Filter: m, Interval: o.interval, Share: share}
	if labels, err := o.request.LabelMap(); err == nil {
		options.LabelNames = labels.Names
	}
	return live.New(sources(set), options)
}

// keptFilter returns the filter of the entries that are kept, nil: of all. Without one
// an entry that a dump finds has been born, and has not just begun to match.
func keptFilter(o *options) *filter.Filter {
	if !o.request.Selects() {
		return nil
	}
	return o.request.Filter()
}

// run prints until there were enough looks, or a signal is received.
func (p *printer) run() error {
	ctx, stop := context.WithCancel(context.Background())
	if p.options.batch {
		ctx, stop = signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	}
	ended := make(chan error, 1)
	go func() { ended <- p.table.Run(ctx) }()
	err := p.print(ctx, ended)
	if ctx.Err() != nil {
		err = nil
	}
	stop()
	if err == nil {
		err = p.Out.Flush()
	}
	<-ended // the tables are not used any more
	return err
}

// print prints looks while the tables are read. ended gets the error that ends the
// reading; print puts one back.
func (p *printer) print(ctx context.Context, ended chan error) error {
	wanted := p.options.times
	if p.options.once {
		wanted = 1
	}
	var last time.Time // when the look that was printed last was complete
	for wanted == 0 || p.n < wanted {
		err := p.await(ctx, ended, &last)
		if err == nil {
			err = p.look(ctx)
		}
		if err == nil {
			err = p.Out.Flush()
		}
		if err != nil {
			return err
		}
		p.complain()
		p.n++
	}
	if p.failed != "" {
		return console.ErrQuiet // it was said
	}
	return nil
}

// complain says on standard error that a table could not be read, once, unless the head
// of a table says it.
func (p *printer) complain() {
	failed := ""
	if err := p.status.Failed; err != nil {
		failed = notRead(p.options.request, p.set, err).Error()
	}
	if failed != p.failed && failed != "" && p.options.request.Output.Style != format.StyleTable {
		p.Err.Printf("%s: %s\n", cmdline.CompatVersion, failed)
	}
	p.failed = failed
}

// errEnded reports that a table is not read any more, for no reason that is known.
var errEnded = errors.New("the table is not read any more")

// poll is how often the status is looked at.
const poll = 10 * time.Millisecond

// await waits until there is a look to print: the first one has rates, if there can be
// any. A table that cannot be read again is no reason to wait longer.
func (p *printer) await(ctx context.Context, ended chan error, last *time.Time) error {
	ticker := time.NewTicker(poll)
	defer ticker.Stop()
	begun := time.Now()
	var first time.Time // when the first look was complete
	for {
		select {
		case err := <-ended:
			ended <- nil
			if err == nil {
				err = cmp.Or(ctx.Err(), errEnded)
			}
			return notRead(p.options.request, p.set, err)
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
		st := p.table.Status()
		if st.Reading || st.Complete.IsZero() {
			continue
		}
		if first.IsZero() {
			first, begun = st.Complete, time.Now()
		}
		again := p.n > 0 && st.Complete.After(last.Add(p.options.interval/2))
		rated := p.n == 0 && (st.Complete.After(first) || p.countless(&st))
		failed := st.Failed != nil && time.Since(begun) >= max(p.options.interval, st.Interval)
		if again || rated || failed {
			p.status, *last = st, st.Complete
			return nil
		}
	}
}

// countless reports that a second look would not tell rates.
func (p *printer) countless(st *live.Status) bool {
	if st.AccountingOff {
		return true
	}
	for _, t := range p.set.Tables {
		if t.File == nil || t.File.Past().Time.IsZero() {
			return false
		}
	}
	return true // dumps, whose clocks are stopped
}

// look prints a look at the tables.
func (p *printer) look(ctx context.Context) error {
	p.at = time.Now()
	action.Dress(p.options.request) // each look may wait for names
	if p.options.request.View().By != nil {
		return p.printGroups(ctx)
	}
	return p.printEntries(ctx)
}

// pipeRows is how many rows are printed where there is no terminal.
const pipeRows = 20

// rows returns how many rows are printed under a number of lines: as many as a
// terminal has room for, with the prompt after them.
func (p *printer) rows(above int) int {
	if limit := p.options.request.View().Limit; limit > 0 {
		return limit
	}
	if p.options.request.Output.Style == format.StyleTable {
		if height := console.Height(p.Out); height > 0 {
			return max(height-above-1, 1)
		}
	}
	return pipeRows
}
