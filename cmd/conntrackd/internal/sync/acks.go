package sync

import (
	"math/rand/v2"
)

// span returns the part of a range of sequences that is remembered: its first one, and
// how many there are.
func (f *ftfw) span(from, to uint32) (first uint32, count int) {
	behind, until := int32(f.n.seq-from), int32(f.n.seq-to)
	if behind < 0 || behind < until {
		return 0, 0 // not sent yet, or no range
	}
	behind, until = min(behind, int32(len(f.ring)-1)), max(until, 0)
	return f.n.seq - uint32(behind), int(behind-until) + 1
}

// ambiguous reports whether an ACK of a peer may be for another node, whose sequence is
// where that of this node is: ACKs do not say whom they are for.
func (f *ftfw) ambiguous(p *peer, to uint32) bool {
	if _, count := f.span(to, to); count != 1 {
		return false
	}
	for _, q := range f.n.peers {
		if q == nil || q == p || q.away || !q.ft.have {
			continue
		}
		if d := int32(q.ft.last - to); d > -1<<10 && d < 1<<16 {
			return true
		}
	}
	return false
}

// jump continues with another sequence, as a node does that starts, and sends all that
// is not acknowledged anew.
func (f *ftfw) jump() {
	n := f.n
	n.seq, n.jumped = rand.Uint32(), n.clock(n.now)
	f.reduced = n.seq
	for _, p := range n.peers {
		if p != nil {
			p.ft.knows, p.ft.hellos = false, 0
		}
	}
	n.tables(func(t *table) {
		for t.rs.First != 0 {
			n.queue(t, t.rs.First)
		}
	})
}

// acked takes that a peer has the messages of a range.
func (f *ftfw) acked(p *peer, from, to uint32) {
	first, count := f.span(from, to)
	if !f.work.may(count, 2*len(f.ring), f.n.now) {
		return
	}
	freed := 0
	for i := range max(count, 0) {
		seq := first + uint32(i)
		r := f.at(seq)
		if r.seq != seq {
			continue
		}
		p.ft.knows = true // it follows this node's sequence, and asks for what it misses
		if r.kind == refControl {
			if c := &f.controls[r.slot]; c.seq == seq {
				c.waits &^= p.bit
			}
		}
		if r.kind != refConn && r.kind != refExpect {
			continue
		}
		t := f.table(r.kind)
		m := t.c.Meta(r.slot)
		if m.Queue != queueRs || m.Seq != seq || m.Sender&p.bit == 0 {
			continue
		}
		freed++
		p.ft.unacked--
		if m.Sender &^= p.bit; m.Sender == 0 {
			t.c.Remove(&t.rs, r.slot)
			t.done(r.slot)
		}
	}
	if freed > 0 {
		p.ft.acked = f.n.now
		f.grow(freed)
	}
}

// nacked takes that a peer lacks the messages of a range: they are sent again, as they
// are now.
func (f *ftfw) nacked(p *peer, from, to uint32) {
	first, count := f.span(from, to)
	if !f.work.may(count, 2*len(f.ring), f.n.now) {
		return
	}
	resent := false
	last := f.n.seq
	for i := range max(count, 0) {
		seq := first + uint32(i)
		if int32(seq-last) > 0 {
			break
		}
		r := f.at(seq)
		if r.seq != seq {
			continue
		}
		switch r.kind {
		case refConn, refExpect:
			t := f.table(r.kind)
			if m := t.c.Meta(r.slot); m.Queue == queueRs && m.Seq == seq {
				f.n.queue(t, r.slot)
				resent = true
			}
		case refControl:
			c := &f.controls[r.slot]
			r.kind = refNone
			if c.seq == seq {
				h := c.h
				f.n.sendControl(&h, c.payload, true)
			}
		}
	}
	if resent {
		f.shrink(first)
	}
}
