package replay

import (
	"errors"

	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
	"github.com/gonntrack/gonntrack/cmd/internal/console"
	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/filter"
	"github.com/gonntrack/gonntrack/format"
)

// eventWriter shows the events of the table after each packet.
type eventWriter struct {
	out     *console.Output
	printer *format.Printer
	context format.Context
	match   *filter.Filter
	socket  ctnetlink.Socket
	buf     []byte
	events  ctnetlink.Events
	run     *run
	shown   int
	opened  bool
}

// eventBuffer is more than the events of one packet.
const eventBuffer = 1 << 30

func newEventWriter(r *run) (*eventWriter, error) {
	q := r.options.request
	o := q.Output
	o.Events, o.Clock = true, r.now
	if o.Style == format.StyleJSON {
		o.Style = format.StyleJSONL // as conntrack -E
	}
	if m, err := q.LabelMap(); err == nil {
		o.LabelNames = m.Names
	}
	w := &eventWriter{out: r.Out, printer: format.NewPrinter(o), match: q.Filter(), buf: make([]byte, 64<<10), run: r}
	w.match.Now = r.now
	var err error
	if w.socket, err = r.table.Dial(); err != nil {
		return nil, err
	}
	if _, err := w.socket.SetReadBuffer(eventBuffer); err != nil {
		return nil, err
	}
	kinds := q.Groups
	if !q.Has(cmdline.OptEventMask) {
		kinds = cmdline.EventAll
	}
	for i, kind := range []cmdline.EventMask{cmdline.EventNew, cmdline.EventUpdate, cmdline.EventDestroy} {
		if kinds&kind != 0 {
			if err := w.socket.Join(ctnetlink.GroupNew + ctnetlink.Group(i)); err != nil {
				return nil, err
			}
		}
	}
	if format.IsRecordStyle(o.Style) {
		w.open()
	}
	return w, nil
}

func (w *eventWriter) open() {
	if !w.opened {
		w.out.Buf = w.printer.AppendHeader(w.out.Buf)
		w.opened = true
	}
}

// take shows the events that have arrived.
func (w *eventWriter) take() error {
	for {
		n, _, err := w.socket.Poll(w.buf)
		if errors.Is(err, ctnetlink.EAGAIN) {
			return nil
		}
		if err != nil {
			return err
		}
		for w.events.Reset(ctnetlink.EventBatch{Messages: w.buf[:n]}); w.events.Next(); {
			f := w.events.Flow()
			if w.events.Expectation || !w.match.Match(f) {
				continue
			}
			w.open()
			w.context.Event, w.context.Now = f.EventType(), w.run.now()
			w.out.Buf = w.printer.AppendFlow(w.out.Buf, f, &w.context)
			w.shown++
			if err := w.out.Spill(); err != nil {
				return err
			}
		}
	}
}

// end ends the document.
func (w *eventWriter) end() {
	if w.opened {
		w.out.Buf = w.printer.AppendFooter(w.out.Buf)
	} else {
		w.out.Buf = w.printer.AppendEmpty(w.out.Buf)
	}
}
