package ctnetlink

// Resync decides when to dump the table after events were lost: when everything that
// the socket held at the loss has been processed. From then on every change comes as an
// event again, so that the dump and the events together are complete. The zero value
// has seen no loss.
type Resync struct {
	wanted bool
	left   int // bytes of messages that may be from before the loss
}

// Observe notes a batch that was processed. held is how many bytes the socket can have
// held, see [Listener.ReadBuffer].
func (s *Resync) Observe(b EventBatch, held int) {
	if b.Gap {
		s.wanted, s.left = true, held
	}
	if s.wanted {
		s.left -= len(b.Messages)
	}
}

// Due reports whether to dump the table now, once for each loss. idle reports whether no
// event waits, see [Listener.Idle]; it is called only after a loss.
func (s *Resync) Due(idle func() bool) bool {
	if !s.wanted || s.left > 0 && !idle() {
		return false
	}
	s.wanted = false
	return true
}
