package action

import (
	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
	"github.com/gonntrack/gonntrack/format"
)

// showTable prints the entries that match, marked as neither new nor changed,
// and how many there were. A consumer drops what it knows and this list lacks.
func (w *eventWriter) showTable() error {
	before := w.n
	w.open()
	w.context.Event, w.context.PortID, w.context.Program = format.EventResync, 0, ""
	show := w.showFlows
	if w.request.Table == cmdline.TableExpect {
		show = w.showExpectations
	}
	if err := show(); err != nil {
		return err
	}
	shown := w.n - before
	w.n = before // they are no events
	w.context.NetNS = ""
	w.out.Buf = w.AppendResynced(w.out.Buf, shown, &w.context)
	return nil
}

func (w *eventWriter) showFlows() error {
	for f, err := range matching(w.env, w.request, &w.context) {
		if err != nil {
			return refused(w.request, err)
		}
		if err := w.flow(f); err != nil {
			return err
		}
	}
	return nil
}

func (w *eventWriter) showExpectations() error {
	for _, t := range w.env.Tables {
		one := w.env.at(t)
		w.context.NetNS = one.netns()
		for x, err := range t.Conn.DumpExpect(w.request.Family) {
			if err != nil {
				return refused(w.request, one.failed(err))
			}
			if err := w.expect(x); err != nil {
				return err
			}
		}
	}
	return nil
}
