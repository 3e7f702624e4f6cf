package sync

import (
	"time"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/cache"
)

// Parts of a bulk, where nobody acknowledges single messages (NOTRACK).
const (
	// partLen is how many objects there are in a part at most: there is a bit for each
	// in the answer.
	partLen = 256
	// firstParts and maxParts are how many parts are sent at first before one is
	// acknowledged, and at most. All of them must fit the receiver's memory of
	// sequences.
	firstParts = 4
	maxParts   = seenLen / partLen / 2
	// partWait is how long to wait until a peer is asked again for a part, partAsks how
	// often that is done.
	partWait = 100 * time.Millisecond
	partAsks = 30
)

// part is a part of a bulk that was sent, and that not all peers have.
type part struct {
	number uint32
	table  *table
	slots  []cache.Slot // of its messages; nil: of a dump, which cannot be sent again
	from   uint32       // the sequences
	to     uint32
	got    uint16    // bits of the peers that have answered
	sent   time.Time // when it was asked for last
	asks   int
}

// parts is the parts of a bulk that are under way.
type parts struct {
	next   uint32 // number of the next part
	window int
	list   []part
	free   [][]cache.Slot // for parts to come
	walked bool           // all were sent once

	// Of a dump.
	open  uint32 // the first sequence of the part that is being sent, 0: none
	lossy bool   // peers lack something
}

func (w *parts) reset() {
	*w = parts{window: firstParts, list: w.list[:0], free: w.free}
}

// runParts sends parts, as many as peers can be expected to take.
func (n *Node) runParts() time.Time {
	b := &n.bulk
	w := &b.parts
	n.dropParts()
	for !w.walked && len(w.list) < w.window && n.o.Link.Room() {
		p := n.newPart(nil)
		w.walked = !n.walkBulk(partLen, func(t *table, s cache.Slot) {
			if p.table != t && p.table != nil {
				n.endPart(p)
				p = n.newPart(t)
			}
			p.table = t
			n.addToPart(&p, s)
		})
		n.endPart(p)
	}
	if w.walked && len(w.list) == 0 {
		b.phase = bulkClosing
		return n.now
	}
	if len(w.list) < w.window && !w.walked {
		return n.now.Add(5 * time.Millisecond) // the link is full
	}
	return n.now.Add(partWait / 2)
}

// newPart returns a part that has nothing yet.
func (n *Node) newPart(t *table) part {
	w := &n.bulk.parts
	p := part{number: w.next, table: t}
	w.next++
	if l := len(w.free); l > 0 {
		p.slots, w.free = w.free[l-1][:0], w.free[:l-1]
	} else {
		p.slots = make([]cache.Slot, 0, partLen)
	}
	return p
}

// addToPart sends an object as one of a part, unless nobody is told of it.
func (n *Node) addToPart(p *part, s cache.Slot) {
	before := n.seq
	if n.sendBulk(p.table, s); n.seq == before {
		return
	}
	if len(p.slots) == 0 {
		p.from = n.seq
	}
	p.slots = append(p.slots, s)
	p.to = n.seq
}

// endPart asks peers for a part, unless it is empty.
func (n *Node) endPart(p part) {
	w := &n.bulk.parts
	if len(p.slots) == 0 {
		w.free = append(w.free, p.slots)
		return
	}
	n.askPart(&p)
	w.list = append(w.list, p)
}

// askPart asks peers whether they have all of a part.
func (n *Node) askPart(p *part) {
	n.sendExtension(&extension{Kind: extPart, A: n.bulk.number, B: p.number, C: p.from, D: p.to})
	p.sent = n.now
	p.asks++
}

// dropParts removes the parts that all peers have answered, and asks again for others.
func (n *Node) dropParts() {
	w := &n.bulk.parts
	var mask uint16
	n.taking(func(p *peer) { mask |= p.bit })
	keep := w.list[:0]
	for i := range w.list {
		p := w.list[i]
		if mask&^p.got != 0 {
			if n.now.Sub(p.sent) >= partWait {
				n.askPart(&p)
			}
			if p.asks <= partAsks {
				keep = append(keep, p)
				continue
			}
			n.giveUp(&p)
		}
		if p.slots != nil {
			w.free = append(w.free, p.slots)
		}
	}
	w.list = keep
}

// giveUp has those who do not answer have no share in the bulk: they are sent another
// one when they are heard.
func (n *Node) giveUp(p *part) {
	n.taking(func(q *peer) {
		if p.got&q.bit == 0 {
			q.own.takes = 0
			n.wantBulk()
		}
	})
}

// takePart answers what of a part has arrived: a bit for each sequence.
func (n *Node) takePart(p *peer, e *extension) {
	count := e.D - e.C + 1
	if count > partLen {
		return
	}
	bits := make([]byte, (count+7)/8)
	for i := range count {
		if p.own.seen.count(e.C+i, e.C+i) == 1 {
			bits[i/8] |= 1 << (i % 8)
		}
	}
	n.sendExtension(&extension{Kind: extGot, To: p.own.node, A: e.A, B: e.B, C: e.C, D: e.D, Data: bits})
}

// gotPart takes what of a part has arrived at a peer, and sends the rest as another part.
func (n *Node) gotPart(q *peer, e *extension) {
	w := &n.bulk.parts
	for i := range w.list {
		p := &w.list[i]
		if p.number != e.B || p.from != e.C || p.to != e.D || p.got&q.bit != 0 {
			continue
		}
		p.got |= q.bit
		rest := n.newPart(p.table)
		missing := uint32(0)
		for i := range p.to - p.from + 1 {
			if int(i/8) < len(e.Data) && e.Data[i/8]>>(i%8)&1 == 1 {
				continue
			}
			missing++
			if int(i) >= len(p.slots) {
				w.lossy = true // a dump's
				continue
			}
			t, s := p.table, p.slots[i]
			if t.c.Object(s) != nil && t.c.Meta(s).Flags&cache.Dead == 0 {
				n.addToPart(&rest, s)
			}
		}
		n.endPart(rest)
		if missing == 0 {
			w.window = min(w.window+1, maxParts)
		} else {
			w.window = max(w.window/2, 2)
		}
		return
	}
}
