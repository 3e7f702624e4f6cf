package sync

import (
	"time"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/cache"
	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/config"
)

// A bulk is the whole of the internal caches, sent to all peers.
//
// Where all of them are ours it has a beginning, which each peer must have got before
// the first object is sent, and an end, which says that all of it has arrived: peers then
// remove what they know of this node from before. With FT-FW it has arrived when it was
// acknowledged; with NOTRACK the peers are asked for each part of it.
const (
	// bulkAhead is how many objects of a bulk wait to be sent at most, so that changes
	// do not wait behind them.
	bulkAhead = 1024
	// bulkRate is how many objects a second go to peers that acknowledge nothing, in
	// steps of bulkBurst at most: as many as an ordinary socket buffer takes.
	bulkRate  = 200_000
	bulkBurst = 1000
	// bulkAsk is how long to wait for the answer to a mark before it is sent again,
	// bulkAsks how often that is done.
	bulkAsk  = 200 * time.Millisecond
	bulkAsks = 15
	// bulkRest is how long a bulk waits for the one before it to have begun that long
	// ago, if no peer is waiting for it.
	bulkRest = time.Second
	// missedRest is how long after the beginning of a bulk another one begins because a
	// peer does not know the end of it.
	missedRest = 5 * time.Second
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

// bulkPeer is what a node knows of the bulks of a peer, and how far the peer is with its.
type bulkPeer struct {
	takes  uint32 // the bulk of this node whose beginning the peer has got
	done   bool   // and whose end
	number uint32 // the bulk that comes from it
	last   uint32 // the last one that came whole
	whole  time.Time
	inside bool // number has begun and not ended
	old    oldBulk
	answer resyncPeer
}

// initBulk is called once.
func (n *Node) initBulk() {
	n.initOurs()
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
	if b := &n.bulk; !b.wanted {
		b.wanted, b.since = true, n.now
	}
}

// resyncAsked takes that a peer asks for a bulk.
func (n *Node) resyncAsked(p *peer) {
	if n.bulk.wanted || n.bulk.phase == bulkOpening {
		return // it is about to come
	}
	n.log(config.Notice, "resync requested by other node")
	n.log(config.Notice, "sending bulk update")
	n.wantBulk()
}

// peerJoined has a peer sent everything that was not known.
func (n *Node) peerJoined(p *peer) {
	p.own = oursPeer{first: n.now}
	n.startRound()
	n.wantBulk()
	n.expectOld(p)
}

// peerRestarted is peerJoined for one that is a new process.
func (n *Node) peerRestarted(p *peer) {
	name, last, whole := p.own.name, p.own.last, p.own.whole
	p.own = oursPeer{first: n.now, name: name}
	p.own.last, p.own.whole = last, whole
	n.judgePeers()
	n.startRound()
	n.wantBulk()
	n.expectOld(p)
}

// peerNeeds has a peer sent everything that lacks something which is forgotten.
func (n *Node) peerNeeds(p *peer) {
	p.need = false
	p.own.takes = 0 // what it has of the bulk that runs is not the whole
	n.wantBulk()
}

// peerAway takes that a peer was not heard for awayTime.
func (n *Node) peerAway(p *peer) {}

// peerLeft takes that a peer is forgotten.
func (n *Node) peerLeft(p *peer) {}

// connected takes that a link or a connection is there: what was sent meanwhile may be
// lost.
func (n *Node) connected(link int) {
	n.startRound()
	n.wantBulk()
}

// disconnected takes that a link or a connection is lost.
func (n *Node) disconnected(link int) {}

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

// mayBegin reports whether a bulk can begin: there is somebody, who is ours or not, and
// the one before has been sent.
func (n *Node) mayBegin() bool {
	b := &n.bulk
	some := false
	n.there(func(p *peer) { some = true })
	if !some {
		// Peers of NOTRACK may be silent.
		return b.phase == bulkIdle && n.now.Sub(b.since) >= goneAfter
	}
	if b.phase == bulkOpening || b.phase == bulkRunning {
		return false
	}
	return n.decided() && (b.began.IsZero() || n.now.Sub(b.began) >= bulkRest)
}

// beginBulk begins a bulk.
func (n *Node) beginBulk() {
	b := &n.bulk
	b.wanted = false
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

// walkBulk calls f for the next count objects at most that live, and reports whether
// there are more.
func (n *Node) walkBulk(count int, f func(t *table, s cache.Slot)) bool {
	b := &n.bulk
	t := &n.conns
	if b.expects {
		t = &n.expects
	}
	b.at = t.c.Walk(max(b.at, 1), count, func(s cache.Slot) {
		if t.c.Meta(s).Flags&cache.Dead == 0 {
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

// missed notes which peers of ours do not know that the bulk has ended: they were away, or
// what they answered was lost. They keep what is gone until they get another bulk.
func (n *Node) missed() {
	n.there(func(p *peer) {
		if p.own.node != 0 && (p.own.takes != n.bulk.number || !p.own.done) {
			p.need = true
		}
	})
}

// tickMissed has a bulk follow for peers that have missed the end of one.
func (n *Node) tickMissed() time.Time {
	b, next := &n.bulk, time.Time{}
	if b.phase != bulkIdle || b.wanted {
		return next
	}
	for _, p := range n.peers {
		if p == nil || !p.need || p.away {
			continue
		}
		if due := b.began.Add(missedRest); n.now.Before(due) {
			next = earliest(next, due)
		} else {
			n.peerNeeds(p)
			next = n.now
		}
	}
	return next
}

// mayEnd reports whether peers may remove what the bulk did not tell. Otherwise another
// bulk follows, at once or when the internal cache is the whole table again.
func (n *Node) mayEnd() bool {
	b := &n.bulk
	switch {
	case b.partial || n.refreshing || n.Held() > 0:
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
	if b := &n.bulk; b.again && b.phase == bulkIdle && !b.partial && n.Held() == 0 {
		b.again = false
		n.wantBulk()
	}
}

// takeGot takes that a peer has got the beginning, a part or the end of a bulk.
func (n *Node) takeGot(p *peer, e *extension) {
	b := &n.bulk
	if e.A != b.number || b.phase == bulkIdle {
		return
	}
	switch e.B {
	case beginPart:
		if b.phase == bulkOpening {
			p.own.takes = b.number
		}
	case endPart:
		if b.phase == bulkClosing && p.own.takes == b.number {
			p.own.done = true
		}
	default:
		if p.own.takes == b.number {
			n.gotPart(p, e)
		}
	}
}

// takeBegin takes that a bulk of a peer begins: what is told from here on is of a new
// generation.
func (n *Node) takeBegin(p *peer, e *extension) {
	if p.own.number != e.A || !p.own.inside && p.own.last != e.A {
		p.own.number, p.own.inside = e.A, true
		p.generation++
		n.endSweep(p)
	}
	n.answered(p)
	n.sendExtension(&extension{Kind: extGot, To: p.own.node, A: e.A, B: beginPart})
}

// takeEnd takes that all of a bulk of a peer has arrived: what it did not tell is gone.
func (n *Node) takeEnd(p *peer, e *extension) {
	if e.A != p.own.number {
		return
	}
	if p.own.inside {
		p.own.inside, p.own.last, p.own.whole = false, e.A, n.now
		n.beginSweep(p)
	}
	if p.own.last == e.A {
		n.sendExtension(&extension{Kind: extGot, To: p.own.node, A: e.A, B: endPart})
	}
}
