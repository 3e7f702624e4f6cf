package sync

import "time"

const (
	// stallTime is after how long without ACK some more is sent: the peer may have a
	// larger window than there is room for.
	stallTime = 100 * time.Millisecond
	// steadyWindow is from where on the window grows slowly before any loss: as many
	// messages as the socket buffers in the examples of conntrack-tools take.
	steadyWindow = 8192
)

// room returns how many objects may be sent now.
func (f *ftfw) room() int {
	room := f.window
	for _, p := range f.n.peers {
		switch {
		case p == nil || p.away:
		case !p.ft.knows && f.n.now.Sub(p.since) < helloTime:
			f.stalled = time.Time{} // it does not wait for an ACK now
			return 0
		case p.ft.acks && !p.deaf(f.n.now):
			room = min(room, f.window-p.ft.unacked)
		}
	}
	if room > 0 {
		f.stalled = time.Time{}
		return room
	}
	if f.n.conns.tx.Len+f.n.expects.tx.Len == 0 {
		return 0
	}
	if f.stalled.IsZero() {
		f.stalled = f.n.now
	} else if f.n.now.Sub(f.stalled) >= stallTime {
		f.window = min(f.window+max(f.n.c.ACKWindowSize, 64), f.limit())
		f.stalled = f.n.now
	}
	return 0
}

// grow makes the window larger, as far as the resend queue takes it: by as much as was
// acknowledged until the first loss, then more slowly.
func (f *ftfw) grow(by int) {
	if f.window >= f.steady {
		by = max(by*256/f.window, 1)
	}
	f.window = min(f.window+by, f.limit())
}

// shrink makes the window smaller because messages from a sequence on were lost, once for
// all that were on their way together.
func (f *ftfw) shrink(from uint32) {
	if int32(from-f.reduced) <= 0 {
		return
	}
	f.reduced = f.n.seq
	flight := 0
	for _, p := range f.n.peers {
		if p != nil && !p.away {
			flight = max(flight, p.ft.unacked)
		}
	}
	f.window = max(min(f.window, flight)*2/3, 2*f.n.c.ACKWindowSize, 256)
	f.steady = f.window
}

// limit returns how many objects may be unacknowledged at most. A queue smaller than two
// windows of the peer would wait for its timer again and again.
func (f *ftfw) limit() int { return max(f.n.c.ResendQueueSize, 4*f.n.c.ACKWindowSize, 1024) }
