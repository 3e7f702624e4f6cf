package action

import (
	"time"

	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
	"github.com/gonntrack/gonntrack/cmd/internal/console"
	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/format"
	"github.com/gonntrack/gonntrack/stats"
)

// A reporter takes what actions report: it prints that, collects it to be
// printed once for several tables, or discards it.
type reporter interface {
	// printer returns the printer of the entries that a command shows.
	printer(e *Env, r *cmdline.Request) *flowPrinter
	// count reports how many entries a command acted on. With needed, none is a
	// failure.
	count(e *Env, n int, form string, needed bool) error
	// record reports the values of a table, or of a CPU, as a record. A command
	// that has several makes a list.
	record(e *Env, r *cmdline.Request, list bool, values []format.Value)
	// endRecords reports that the command has no more records.
	endRecords(e *Env, r *cmdline.Request, list bool) error
	// report reports what is known about a table as a whole.
	report(e *Env, r *cmdline.Request, report *stats.Report) error
}

// printing prints what is reported at once.
type printing struct{ records *format.Records }

func (*printing) printer(e *Env, r *cmdline.Request) *flowPrinter { return newFlowPrinter(e, r) }

func (*printing) count(e *Env, n int, form string, needed bool) error {
	if err := e.Out.Flush(); err != nil {
		return err
	}
	e.say(form, n)
	if needed && n == 0 {
		return console.ErrQuiet
	}
	return nil
}

func (p *printing) begin(e *Env, r *cmdline.Request, list bool) {
	switch {
	case p.records != nil:
	case e.Look == nil:
		p.records = format.NewRecords(r.Output.Style, list)
	default:
		if e.Look.records == nil {
			e.Look.records = format.NewRecords(r.Output.Style, list)
		}
		p.records = e.Look.records
	}
}

func (p *printing) record(e *Env, r *cmdline.Request, list bool, values []format.Value) {
	p.begin(e, r, list)
	if name := e.netns(); name != "" {
		values = append(values, format.Text("netns", name))
	}
	if e.Look != nil {
		values = append([]format.Value{format.Time("time", e.Look.at)}, values...)
	}
	e.Out.Buf = p.records.Append(e.Out.Buf, values)
}

func (p *printing) endRecords(e *Env, r *cmdline.Request, list bool) error {
	p.begin(e, r, list)
	e.Out.Buf = p.records.AppendEnd(e.Out.Buf)
	return e.Out.Flush()
}

func (*printing) report(e *Env, r *cmdline.Request, report *stats.Report) error {
	return printReports(e, r, []*stats.Report{report})
}

// collecting reports the actions on several tables as one.
type collecting struct {
	printing
	shared  *flowPrinter
	reports []*stats.Report

	counted bool
	n       int // where nothing was shown
	form    string
	needed  bool
}

func (c *collecting) printer(e *Env, r *cmdline.Request) *flowPrinter {
	if c.shared == nil {
		c.shared = newFlowPrinter(e, r)
		c.shared.held = true
	}
	c.shared.context.NetNS = e.netns()
	return c.shared
}

// count writes what was shown of the table: no other table is changed when that
// fails.
func (c *collecting) count(e *Env, n int, form string, needed bool) error {
	c.counted, c.n, c.form, c.needed = true, c.n+n, form, needed
	return e.Out.Flush()
}

func (c *collecting) record(e *Env, r *cmdline.Request, _ bool, values []format.Value) {
	c.printing.record(e, r, true, values)
}

func (c *collecting) endRecords(*Env, *cmdline.Request, bool) error { return nil }

func (c *collecting) report(_ *Env, _ *cmdline.Request, report *stats.Report) error {
	c.reports = append(c.reports, report)
	return nil
}

// total returns how many entries all actions together acted on: the printer of
// all of them counts what it shows.
func (c *collecting) total() int {
	if c.shared != nil {
		return c.shared.n
	}
	return c.n
}

// finish prints what was collected.
func (c *collecting) finish(e *Env, r *cmdline.Request) error {
	if c.shared != nil {
		c.shared.held = false
		c.shared.end()
	}
	if c.records != nil {
		e.Out.Buf = c.records.AppendEnd(e.Out.Buf)
	}
	direct := &printing{}
	switch {
	case c.reports != nil:
		return printReports(e, r, c.reports)
	case c.counted:
		return direct.count(e, c.total(), c.form, c.needed)
	}
	return e.Out.Flush()
}

// quiet prints entries, but not how many there were: the lines of a file that is
// loaded have no counts.
type quiet struct{ printing }

func (*quiet) count(e *Env, _ int, _ string, _ bool) error { return e.Out.Flush() }

// counting counts the entries that are shown, and prints nothing.
type counting struct {
	quiet
	lines *flowPrinter
}

func newCounting() *counting {
	return &counting{lines: &flowPrinter{
		Printer: format.NewPrinter(format.Options{}), out: console.Discard().Out, held: true, now: time.Now,
	}}
}

func (c *counting) printer(*Env, *cmdline.Request) *flowPrinter { return c.lines }

// flowPrinter prints the entries, or expectations, that a command shows.
type flowPrinter struct {
	*format.Printer
	out     *console.Output
	context format.Context
	framed  bool // a header goes before the first and a footer after the last
	opened  bool // the header was written
	held    bool // more entries follow, of other tables
	n       int
	now     func() time.Time
}

// newFlowPrinter returns the printer for a command's entries. -D and -U show
// neither XML's header lines nor time stamps, -D no labels. The records of several
// looks have one printer.
func newFlowPrinter(e *Env, r *cmdline.Request) *flowPrinter {
	if e.Look == nil || !format.IsRecordStyle(r.Output.Style) {
		return makeFlowPrinter(e, r)
	}
	if e.Look.printer == nil {
		e.Look.printer = makeFlowPrinter(e, r)
		e.Look.printer.open() // the names of CSV's columns do not wait for an entry
	}
	w := e.Look.printer
	w.n, w.context.Look, w.context.NetNS = 0, e.Look.at, e.netns()
	return w
}

func makeFlowPrinter(e *Env, r *cmdline.Request) *flowPrinter {
	o := r.Output
	o.Clock = e.now
	w := &flowPrinter{out: e.Out, now: e.now, context: format.Context{Now: e.now(), Verb: 'A', NetNS: e.netns()}}
	switch r.Command {
	case cmdline.CmdDelete:
		o.KTimestamp, o.Labels = false, false
		w.context.Verb = 'D'
		w.framed = o.Style != format.StyleXML
	case cmdline.CmdUpdate:
		o.KTimestamp = false
		w.framed = o.Style != format.StyleXML
	case cmdline.CmdEvents:
		o.Events, w.framed = true, true
		if o.Style == format.StyleJSON {
			o.Style = format.StyleJSONL // a document that has no end
		}
	default:
		w.framed = true
	}
	o.Expect = r.Table == cmdline.TableExpect
	w.Printer = format.NewPrinter(o)
	return w
}

func (w *flowPrinter) flow(f *ctnetlink.Flow) error {
	w.open()
	w.out.Buf = w.append(w.AppendSeparator(w.out.Buf, w.n), f)
	w.n++
	return w.out.Spill()
}

// open writes the header, once.
func (w *flowPrinter) open() {
	if w.framed && !w.opened {
		w.out.Buf = w.AppendHeader(w.out.Buf)
		w.opened = true
	}
}

// append appends an entry's line; its age is counted until now.
func (w *flowPrinter) append(dst []byte, f *ctnetlink.Flow) []byte {
	if f.Has(ctnetlink.AttrTimestamp) {
		w.context.Now = w.now()
	}
	return w.AppendFlow(dst, f, &w.context)
}

// line prints an entry whose line was made before.
func (w *flowPrinter) line(line []byte) error {
	w.open()
	w.out.Buf = append(w.AppendSeparator(w.out.Buf, w.n), line...)
	w.n++
	return w.out.Spill()
}

func (w *flowPrinter) expect(x *ctnetlink.Expect) error {
	w.open()
	w.out.Buf = w.AppendExpect(w.AppendSeparator(w.out.Buf, w.n), x, &w.context)
	w.n++
	return w.out.Spill()
}

// end writes the footer, or what an empty list looks like. A command that fails
// does not write it, so that no reader takes a part for the whole.
func (w *flowPrinter) end() {
	switch {
	case w.held:
	case w.opened:
		w.out.Buf = w.AppendFooter(w.out.Buf)
	case w.framed:
		w.out.Buf = w.AppendEmpty(w.out.Buf)
	}
}
