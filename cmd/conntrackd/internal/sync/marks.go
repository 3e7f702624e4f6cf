package sync

import "time"

// bulkPeer is what a node knows of the bulks of a peer, and how far the peer is with its.
type bulkPeer struct {
	takes  uint32 // the bulk of this node whose beginning the peer has got
	done   bool   // and whose end
	missed bool   // it has not got the end of the last one
	misses int    // how many ends in a row it has not answered
	number uint32 // the bulk that comes from it
	last   uint32 // the last one that came whole
	whole  time.Time
	inside bool // number has begun and not ended
	old    oldBulk
	answer resyncPeer
}

// takeGot takes that a peer has got the beginning, a part or the end of a bulk.
func (n *Node) takeGot(p *peer, e *extension) {
	b := &n.bulk
	switch {
	case e.A != b.number:
		return
	case b.phase == bulkIdle:
		// It is late: nobody waits for it any more.
		if e.B == endPart && p.own.takes == b.number {
			p.own.done, p.own.missed, p.own.misses = true, false, 0
		}
		return
	}
	switch e.B {
	case beginPart:
		if b.phase == bulkOpening {
			p.own.takes = b.number
		}
	case endPart:
		if b.phase == bulkClosing && p.own.takes == b.number {
			p.own.done, p.own.misses = true, 0
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
		n.beginSweep(p, true)
	}
	if p.own.last == e.A {
		n.sendExtension(&extension{Kind: extGot, To: p.own.node, A: e.A, B: endPart})
	}
}
