package sync

import (
	"time"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/cache"
	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/wire"
)

const (
	// maxPump is how many objects one call of Tick sends, so that the lock is not held
	// for long.
	maxPump = 4096
	// aliveTime is after how long without a message a node tells that it is alive.
	aliveTime = time.Second
)

// pump sends at most max objects of those that wait, as far as the peers and the link
// take them. It reports whether more could be sent at once.
func (n *Node) pump(max int) bool {
	room := n.mode.room()
	i := 0
	for _, t := range [...]*table{&n.conns, &n.expects} {
		for ; t.tx.First != 0 && room > 0; i++ {
			if i == max {
				return true
			}
			if i%64 == 0 && !n.o.Link.Room() {
				return false
			}
			if n.sendObject(t, t.tx.First) {
				room--
			}
		}
	}
	return false
}

// sendObject sends an object that waits, as it is now, and reports whether there was
// something to send: entries that only our own nodes understand are not told to others.
func (n *Node) sendObject(t *table, s cache.Slot) bool {
	m := t.c.Meta(s)
	ty := wire.New
	switch {
	case m.Flags&cache.Dead != 0:
		ty = wire.Delete
	case m.Flags&cache.Changed != 0:
		ty = wire.Update
	}
	if t.expect {
		ty += wire.ExpectNew
	}
	payload := n.payload(t.c.Object(s))
	if payload == nil {
		t.c.Remove(&t.tx, s)
		t.done(s)
		return false
	}
	n.send(&wire.Header{Type: ty}, payload)
	t.c.Remove(&t.tx, s)
	m.Seq, m.Told = n.seq, n.clock(n.now)
	n.mode.sent(t, s)
	return true
}

// done ends the sending of an object that is in no queue: a dead one is removed.
func (t *table) done(s cache.Slot) {
	t.arrived(s)
	if t.c.Meta(s).Flags&cache.Dead != 0 {
		t.c.Delete(s)
	}
}

// payload returns what is sent of an object, nil if nothing.
func (n *Node) payload(o wire.Object) []byte {
	p := []byte(o)
	if !n.extended {
		p = o.Classic()
	}
	if n.c.CommitTimeout == 0 || p == nil {
		return p
	}
	n.part = n.part[:0]
	for b := range wire.Object(p).Timeless() {
		n.part = append(n.part, b...)
	}
	return n.part
}

// send sends a message with the next sequence.
func (n *Node) send(h *wire.Header, payload []byte) {
	n.seq++
	if n.seq == 0 {
		n.seq++ // 0 stands for none
	}
	h.Seq = n.seq
	h.Flags |= n.mode.flags()
	n.buf = h.Append(n.buf[:0], payload)
	n.o.Link.Append(n.buf)
	n.sent = n.now
}

// sendControl sends a message without object. again: it is sent anew if a peer has not
// got it, in modes where that is known.
func (n *Node) sendControl(h *wire.Header, payload []byte, again bool) {
	n.send(h, payload)
	if again {
		n.mode.sentControl(h, payload)
	}
}

// sendOutside sends an Extension message, which has no sequence of its own: it has that
// of the message before it. conntrack-tools, which does not know the type, looks at
// sequences before types: it takes such a message for a late one and neither misses
// another nor counts any as lost, which it does with a number that is far away.
func (n *Node) sendOutside(payload []byte) {
	h := wire.Header{Type: wire.Extension, Seq: n.seq}
	n.buf = h.Append(n.buf[:0], payload)
	n.o.Link.Append(n.buf)
}
