package action

import (
	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/format"
)

// resync decides when to show the table after a loss: when everything that the
// socket held at the loss has been printed. From then on every change comes as an
// event again, so that table and events together are complete.
type resync struct {
	wanted bool
	left   int // bytes of messages that may be from before the loss
}

// observe takes in a batch; held is how much the socket can have held.
func (s *resync) observe(b ctnetlink.EventBatch, held int) {
	if b.Gap {
		s.wanted, s.left = true, held
	}
	if s.wanted {
		s.left -= len(b.Messages)
	}
}

// due reports whether to show the table now.
func (s *resync) due(idle bool) bool {
	if !s.wanted || !idle && s.left > 0 {
		return false
	}
	s.wanted = false
	return true
}

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
