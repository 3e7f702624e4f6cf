package action

import (
	"time"

	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
	"github.com/gonntrack/gonntrack/cmd/internal/console"
	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/format"
)

// flowPrinter prints the entries, or expectations, that a command shows.
type flowPrinter struct {
	*format.Printer
	out     *console.Output
	context format.Context
	framed  bool // a header goes before the first and a footer after the last
	opened  bool // the header was written
	held    bool // more entries follow, of other tables
	n       int
}

// newFlowPrinter returns the printer for a command's entries. -D and -U show
// neither XML's header lines nor time stamps, -D no labels.
func newFlowPrinter(e *Env, r *cmdline.Request) *flowPrinter {
	o := r.Output
	w := &flowPrinter{out: e.Out, context: format.Context{Now: time.Now(), Verb: 'A', NetNS: e.netns()}}
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
		w.context.Now = time.Now()
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
