package sync

import (
	"time"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/cache"
	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/config"
)

const (
	// bulkAhead is how many objects of a bulk wait to be sent at most, so that changes
	// do not wait behind them.
	bulkAhead = 1024
	// bulkRate is how many objects a second go to peers that acknowledge nothing, in
	// steps of bulkBurst at most. What does not fit into the buffer of such a peer is lost,
	// and an ordinary one takes some 17 000: it may not read for a sixth of a second.
	bulkRate  = 100_000
	bulkBurst = 1000
)

// runBulk sends what may be sent now.
func (n *Node) runBulk() time.Time {
	b := &n.bulk
	switch {
	case n.c.DisableInternalCache:
		return n.runDump()
	case n.acknowledged():
		for n.conns.tx.Len+n.expects.tx.Len < bulkAhead && n.o.Link.Room() {
			if !n.walkBulk(256, n.queueBulk) {
				b.phase = bulkClosing
				return n.now
			}
		}
		return n.now.Add(5 * time.Millisecond)
	case b.marks:
		return n.runParts()
	}
	for range maxPump / 256 {
		if !n.o.Link.Room() {
			return n.now.Add(5 * time.Millisecond)
		}
		if n.paced() && !n.pay(256) {
			return n.now.Add(2 * time.Millisecond)
		}
		if !n.walkBulk(256, n.sendBulk) {
			b.phase = bulkClosing
			return n.now
		}
	}
	return n.now
}

// acknowledged reports whether peers acknowledge what is sent, as FT-FW has it.
func (n *Node) acknowledged() bool { return n.c.Mode == config.FTFW }

// paced reports whether nothing but a rate keeps the link from losing messages.
func (n *Node) paced() bool { return len(n.c.Links) == 0 || n.c.Links[0].Kind != config.TCP }

// pay reports whether count objects may be sent by bulkRate, and notes them.
func (n *Node) pay(count int) bool {
	b := &n.bulk
	if oldest := n.now.Add(-bulkBurst * time.Second / bulkRate); b.paid.Before(oldest) {
		b.paid = oldest
	}
	if b.paid.After(n.now) {
		return false
	}
	b.paid = b.paid.Add(time.Duration(count) * time.Second / bulkRate)
	return true
}

// moment is a point in what a node has sent.
type moment struct {
	at  uint32 // the clock
	seq uint32 // of the last message
}

func (n *Node) moment() moment { return moment{n.clock(n.now), n.seq} }

// toldSince reports whether an object was told after a moment. In doubt it was not.
func (n *Node) toldSince(m *cache.Meta, since *moment) bool {
	return m.Told > since.at || m.Told == since.at && int32(m.Seq-since.seq) > 0 && n.jumped != since.at
}

// walkBulk calls f for the next count objects at most that live, and reports whether
// there are more. What peers were told since the bulk was wanted it leaves out, unless
// they remove what it does not tell: to tell an entry again that ends at a peer meanwhile
// would bring it back there.
func (n *Node) walkBulk(count int, f func(t *table, s cache.Slot)) bool {
	b := &n.bulk
	t := &n.conns
	if b.expects {
		t = &n.expects
	}
	b.at = t.c.Walk(max(b.at, 1), count, func(s cache.Slot) {
		if m := t.c.Meta(s); m.Flags&cache.Dead == 0 && (b.marks || !n.toldSince(m, &b.until)) {
			f(t, s)
		}
	})
	if b.at != 0 {
		return true
	}
	if b.expects {
		return false
	}
	b.expects = true
	return n.InternalExpect.Stats.Total > 0
}

// flagBulk marks an object of a bulk that has not arrived.
const flagBulk = cache.Flags(1 << 3)

// arrived takes that nobody is waited for any more to acknowledge an object.
func (t *table) arrived(s cache.Slot) {
	if m := t.c.Meta(s); m.Flags&flagBulk != 0 {
		m.Flags &^= flagBulk
		t.bulk--
	}
}

// queueBulk queues an object of a bulk. What is told of all is no change: Update has the
// receiver keep what it has injected.
func (n *Node) queueBulk(t *table, s cache.Slot) {
	m := t.c.Meta(s)
	if m.Flags&flagBulk == 0 {
		m.Flags |= flagBulk
		t.bulk++
	}
	m.Flags |= cache.Changed
	n.queue(t, s)
}

// sendBulk sends an object of a bulk.
func (n *Node) sendBulk(t *table, s cache.Slot) {
	t.c.Meta(s).Flags |= cache.Changed
	n.sendObject(t, s)
}
