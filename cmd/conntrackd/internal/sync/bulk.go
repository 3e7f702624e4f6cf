package sync

import (
	"time"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/cache"
)

// A bulk is the whole of the internal caches, sent to all peers.
//
// Where all of them are ours it has a beginning, which each peer must have got before
// the first object is sent, and an end, which says that all of it has arrived: peers then
// remove what they know of this node from before. With FT-FW it has arrived when it was
// acknowledged; with NOTRACK the peers are asked for each part of it.
const (
	// bulkAsk is how long to wait for the answer to a mark before it is sent again,
	// bulkAsks how often that is done.
	bulkAsk  = 200 * time.Millisecond
	bulkAsks = 15
	// bulkRest is how long a bulk waits for the one before it to have begun that long
	// ago, if no peer is waiting for it.
	bulkRest = time.Second
)

// bulkPhase is how far a bulk is.
type bulkPhase uint8

const (
	bulkIdle    bulkPhase = iota
	bulkOpening           // peers are told that it begins
	bulkRunning
	bulkClosing // all is sent; peers are told that it ends
)

// bulkState is what a node knows of the bulks that it sends and asks for.
type bulkState struct {
	wanted bool      // one is to be sent
	since  time.Time // since when
	last   moment    // when one was wanted last
	until  moment    // that of the bulk that runs
	phase  bulkPhase
	number uint32 // of the bulk, from 1 on
	began  time.Time
	asked  time.Time // when peers were told last that it begins or ends
	asks   int
	marks  bool // the peers that take part are told of its parts

	expects bool       // the second of the two tables
	at      cache.Slot // where the walk is; 0 before it begins
	paid    time.Time  // up to when bulkRate has been used
	parts   parts

	// What keeps a bulk from having an end: the internal cache is not the whole table, as
	// it was flushed, or it has changed beside the bulk.
	partial   bool
	disturbed bool
	again     bool // another bulk is due when the cache is whole

	dump  bool // a dump of the kernel's table is being sent instead of a cache
	dumps int  // how many dumps there have been in this bulk

	resync resyncState
}

// initBulk is called once. What is in the table at the start is told in a bulk, also if
// nobody is heard: there may be somebody who cannot be.
func (n *Node) initBulk() {
	n.initOurs()
	n.now = n.o.Now()
	n.wantBulk()
	if n.c.StartupResync {
		n.RequestResync()
	}
}

// Bulk sends the internal cache to the peers (-B).
func (n *Node) Bulk() {
	n.now = n.o.Now()
	n.wantBulk()
}

// wantBulk has a bulk sent as soon as one can be.
func (n *Node) wantBulk() {
	if _, ok := n.mode.(*alarm); ok {
		return // it is sent all the time
	}
	b := &n.bulk
	b.last = n.moment()
	if !b.wanted {
		b.wanted, b.since = true, n.now
	}
}

// tickBulk sends the next part of a bulk and returns when there is more to do, zero if
// never.
func (n *Node) tickBulk() time.Time {
	next := earliest(earliest(n.tickResync(), n.tickHold()), n.tickMissed())
	b := &n.bulk
	if b.wanted && n.mayBegin() {
		n.beginBulk()
	}
	switch b.phase {
	case bulkOpening:
		next = earliest(next, n.openBulk())
	case bulkRunning:
		next = earliest(next, n.runBulk())
	case bulkClosing:
		next = earliest(next, n.closeBulk())
	}
	if b.wanted {
		next = earliest(next, n.now.Add(100*time.Millisecond))
	}
	return next
}

// mayBegin reports whether a bulk can begin: there are peers, it is known which of them
// are ours, the link takes messages, and the bulk before has been sent.
func (n *Node) mayBegin() bool {
	b := &n.bulk
	some := false
	n.there(func(p *peer) { some = true })
	if !some {
		// Peers of NOTRACK may be silent.
		return b.phase == bulkIdle && n.now.Sub(b.since) >= goneAfter
	}
	if b.phase == bulkOpening || b.phase == bulkRunning || !n.o.Link.Room() {
		return false
	}
	return n.decided() && (b.began.IsZero() || n.now.Sub(b.began) >= bulkRest)
}

// beginBulk begins a bulk.
func (n *Node) beginBulk() {
	b := &n.bulk
	b.wanted, b.until = false, b.last
	b.number++
	b.began, b.asked, b.asks = n.now, time.Time{}, 0
	b.expects, b.at, b.paid = false, 0, n.now
	b.marks = n.extended
	b.dump, b.dumps = false, 0
	b.parts.reset()
	b.disturbed, b.again = false, false
	b.phase = bulkOpening
	for _, p := range n.peers {
		if p != nil {
			p.own.takes, p.own.done = 0, false
		}
	}
}

// taking calls f for the peers that are there, ours, and have got the beginning of the
// bulk.
func (n *Node) taking(f func(p *peer)) {
	n.there(func(p *peer) {
		if p.own.node != 0 && p.own.takes == n.bulk.number && !p.away {
			f(p)
		}
	})
}

// openBulk tells peers of the beginning until all have got it.
func (n *Node) openBulk() time.Time {
	b := &n.bulk
	if b.marks {
		waits := false
		n.there(func(p *peer) { waits = waits || !p.away && p.own.takes != b.number })
		if waits && b.asks < bulkAsks {
			return n.mark(&extension{Kind: extBegin, A: b.number})
		}
	}
	b.phase, b.asks, b.asked = bulkRunning, 0, time.Time{}
	return n.now
}

// mark sends a mark of a bulk if it is due, and returns when it is again.
func (n *Node) mark(e *extension) time.Time {
	b := &n.bulk
	if due := b.asked.Add(bulkAsk); !b.asked.IsZero() && n.now.Before(due) {
		return due
	}
	n.sendExtension(e)
	b.asked = n.now
	b.asks++
	return n.now.Add(bulkAsk)
}

// closeBulk tells peers of the end once all has arrived, until they know it.
func (n *Node) closeBulk() time.Time {
	b := &n.bulk
	if !b.marks {
		b.phase = bulkIdle
		return time.Time{}
	}
	if n.acknowledged() && n.conns.bulk+n.expects.bulk > 0 {
		return n.now.Add(20 * time.Millisecond)
	}
	if b.asks == 0 && !n.mayEnd() {
		b.phase = bulkIdle
		return time.Time{}
	}
	waits := false
	n.taking(func(p *peer) { waits = waits || !p.own.done })
	if !waits || b.asks >= bulkAsks {
		n.missed()
		b.phase = bulkIdle
		return time.Time{}
	}
	due := b.asked.Add(bulkAsk)
	if !b.asked.IsZero() && n.now.Before(due) {
		return due
	}
	n.taking(func(p *peer) {
		if !p.own.done {
			n.sendExtension(&extension{Kind: extEnd, To: p.own.node, A: b.number, B: b.parts.next})
		}
	})
	b.asked = n.now
	b.asks++
	return n.now.Add(bulkAsk)
}

// mayEnd reports whether peers may remove what the bulk did not tell. Otherwise another
// bulk follows, at once or when the internal cache is the whole table again.
func (n *Node) mayEnd() bool {
	b := &n.bulk
	switch {
	case b.partial || n.refreshing || n.holding():
		b.again = true
	case b.disturbed && !n.c.DisableInternalCache, n.beside.crowded:
		n.wantBulk()
	default:
		return true
	}
	return false
}

// whole takes that the internal cache has the whole table.
func (n *Node) whole() {
	n.bulk.partial = false
	n.goOn()
}

// goOn has a bulk follow one that could not have an end.
func (n *Node) goOn() {
	if b := &n.bulk; b.again && b.phase == bulkIdle && !b.partial && !n.holding() {
		b.again = false
		n.wantBulk()
	}
}
