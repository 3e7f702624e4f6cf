package cmd

import (
	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/format"
)

// resync decides when the table is to be shown after a loss: when everything
// that the socket held at the loss has been printed. From then on every change
// comes as an event again, so that table and events together are whole.
type resync struct {
	wanted bool
	left   int // bytes of messages that may be from before the loss
}

// note takes in a batch; held is how much the socket can have held.
func (s *resync) note(b ctnetlink.EventBatch, held int) {
	if b.Gap {
		s.wanted, s.left = true, held
	}
	if s.wanted {
		s.left -= len(b.Messages)
	}
}

// due tells whether the table is to be shown now.
func (s *resync) due(idle bool) bool {
	if !s.wanted || !idle && s.left > 0 {
		return false
	}
	s.wanted = false
	return true
}

// showTable prints the entries that match, marked as neither new nor changed,
// and how many there were. What a consumer knows and this list lacks is gone.
func (w *eventWriter) showTable() error {
	n := 0
	w.open()
	w.context.Event, w.context.PortID, w.context.Program = format.EventResync, 0, ""
	if w.request.Table == tableExpect {
		var failed error
		w.visit(func() bool {
			for x, err := range w.table.DumpExpect(w.request.Family) {
				if err != nil {
					failed = w.request.refused(err)
					return false
				}
				n++
				if failed = w.expect(x); failed != nil {
					return false
				}
			}
			return true
		})
		if failed != nil {
			return failed
		}
	} else {
		for f, err := range w.program.matching(w.request) {
			if err != nil {
				return w.request.refused(err)
			}
			n++
			if err := w.flow(f); err != nil {
				return err
			}
		}
	}
	w.n -= n // they are no events
	w.context.NetNS = ""
	w.program.out.buf = w.AppendResynced(w.program.out.buf, n, &w.context)
	return nil
}
