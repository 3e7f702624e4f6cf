package sync

import (
	"slices"
	"time"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/cache"
	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/wire"
)

// ref names what was sent: a slot of the table of connections or of expectations, or
// the index of a control.
type ref struct {
	seq  uint32
	kind refKind
	slot cache.Slot
}

type refKind uint8

const (
	refNone refKind = iota
	refConn
	refExpect
	refControl
)

// control is a message without object that may be sent again.
type control struct {
	seq     uint32
	h       wire.Header
	payload []byte
	waits   uint16 // the bits of the peers that have not acknowledged it
}

const maxControls = 1024

func (f *ftfw) at(seq uint32) *ref { return &f.ring[seq&uint32(len(f.ring)-1)] }

func (f *ftfw) table(k refKind) *table {
	if k == refExpect {
		return &f.n.expects
	}
	return &f.n.conns
}

func (f *ftfw) sent(t *table, s cache.Slot) {
	kind := refConn
	if t.expect {
		kind = refExpect
	}
	*f.at(f.n.seq) = ref{seq: f.n.seq, kind: kind, slot: s}
	mask := f.n.waiting()
	if mask == 0 {
		t.done(s)
		return
	}
	t.c.Push(&t.rs, s)
	f.n.await(t.c.Meta(s), mask)
	for f.n.conns.rs.Len+f.n.expects.rs.Len > f.limit() {
		f.overflow()
	}
}

// overflow forgets the object that waits for longest: who has not acknowledged it needs
// a bulk.
func (f *ftfw) overflow() {
	t := &f.n.conns
	if t.rs.Len < f.n.expects.rs.Len {
		t = &f.n.expects
	}
	s := t.rs.First
	m := t.c.Meta(s)
	for _, p := range f.n.peers {
		if p != nil && m.Sender&p.bit != 0 {
			p.need = true
		}
	}
	f.n.release(m)
	t.c.Remove(&t.rs, s)
	t.done(s)
}

func (f *ftfw) sentControl(h *wire.Header, payload []byte) {
	c := &f.controls[f.nextCtl]
	*c = control{seq: f.n.seq, h: *h, payload: append(c.payload[:0], payload...), waits: f.n.waiting()}
	c.h.Flags &^= wire.FlagHello | wire.FlagHelloBack
	*f.at(f.n.seq) = ref{seq: f.n.seq, kind: refControl, slot: cache.Slot(f.nextCtl)}
	f.nextCtl = (f.nextCtl + 1) % len(f.controls)
}

// againTime is after how long an object is sent again that a peer has not acknowledged,
// though it acknowledges others.
const againTime = 5 * time.Second

// again sends objects again that a peer has not acknowledged for long: all if it has
// acknowledged later ones, for then an ACK was lost for good, otherwise a few of them at
// a time, to learn whether it hears.
func (f *ftfw) again() {
	n := f.n
	probes := 0
	if n.now.Sub(f.probed) >= againTime {
		probes = 16
	}
	n.tables(func(t *table) {
		for range maxPump {
			s := t.rs.First
			if s == 0 {
				return
			}
			m := t.c.Meta(s)
			told := n.start.Add(time.Duration(m.Told-1) * time.Second)
			if n.now.Sub(told) < againTime {
				return
			}
			waits, later := false, false
			for _, p := range n.peers {
				if p != nil && !p.away && m.Sender&p.bit != 0 {
					waits = true
					later = later || p.ft.acked.After(told)
				}
			}
			switch {
			case later:
			case waits && probes > 0:
				f.probed = n.now
				probes--
			default:
				return
			}
			n.queue(t, s)
		}
	})
}

func (f *ftfw) cleared(t *table) {
	for _, p := range f.n.peers {
		if p != nil {
			p.ft.unacked = 0
		}
	}
	other := &f.n.expects
	if t == other {
		other = &f.n.conns
	}
	for s := other.rs.First; s != 0; s = other.c.Meta(s).Next {
		f.n.await(other.c.Meta(s), other.c.Meta(s).Sender)
	}
}

// ResendQueue calls f for what was sent and is not acknowledged, in the order of the
// sequences.
func (n *Node) ResendQueue(call func(control bool, seq uint32, flags wire.Flags)) {
	type sent struct {
		control bool
		seq     uint32
		flags   wire.Flags
	}
	var all []sent
	n.tables(func(t *table) {
		for s := t.rs.First; s != 0; s = t.c.Meta(s).Next {
			all = append(all, sent{seq: t.c.Meta(s).Seq})
		}
	})
	if f, ok := n.mode.(*ftfw); ok {
		for i := range f.controls {
			if c := &f.controls[i]; c.waits != 0 && f.at(c.seq).seq == c.seq && f.at(c.seq).kind == refControl {
				all = append(all, sent{true, c.seq, c.h.Flags})
			}
		}
	}
	slices.SortFunc(all, func(a, b sent) int { return int(int32(a.seq - b.seq)) })
	for _, s := range all {
		call(s.control, s.seq, s.flags)
	}
}
