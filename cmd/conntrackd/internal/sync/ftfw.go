package sync

import (
	"math/rand/v2"
	"time"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/wire"
)

const (
	// ackTime is after how long without another message a change is acknowledged.
	ackTime = 50 * time.Millisecond
	// helloTime is how long objects wait for a peer to answer HELLO: what it misses
	// before it has, it does not ask for.
	helloTime = 2 * time.Second
	// deafTime is after how long without an ACK a peer is not waited for.
	deafTime = 5 * time.Second
	// maxLate is how late a message may be that is not taken for one of a new process.
	maxLate = 64
	// maxHellos is how many messages say HELLO to a peer that does not answer.
	maxHellos = 64
)

// ftPeer is what FT-FW knows of a peer.
type ftPeer struct {
	// What it sends.
	have    bool      // last is known
	last    uint32    // its last message
	first   uint32    // the first that is not acknowledged
	pending int       // how many those are
	data    time.Time // when the first of those came that is of an entry; zero: none
	hello   bool      // its last message said HELLO
	owed    bool      // a HELLO_BACK is to be sent

	// What it has got.
	knows   bool // it has answered HELLO, or acknowledged what this node has sent
	hellos  int  // messages that have said HELLO to it
	acks    bool // it acknowledges
	unacked int  // objects that wait for its ACK
	// acked is when it acknowledged something last, or when unacked became positive.
	acked time.Time
}

// deaf reports whether a peer that is heard acknowledges nothing: nobody waits for it
// until it does.
func (p *peer) deaf(now time.Time) bool { return p.ft.unacked > 0 && now.Sub(p.ft.acked) > deafTime }

// ftfw is the mode FT-FW: messages are acknowledged, those that are lost are sent again.
type ftfw struct {
	n        *Node
	window   int       // how many objects may be unacknowledged
	steady   int       // from where on the window grows slowly
	reduced  uint32    // the last sequence when the window was made smaller
	stalled  time.Time // since when there is no room
	probed   time.Time // when objects were sent again that a deaf peer has not acknowledged
	ring     []ref     // by sequence: what was sent
	controls []control // messages without object
	nextCtl  int
	work     work // that peers may cause
}

func newFTFW(n *Node) mode {
	f := &ftfw{n: n, window: max(4*n.c.ACKWindowSize, 1024), controls: make([]control, maxControls)}
	size := 4096
	for size < f.limit()*2 && size < 1<<20 {
		size *= 2
	}
	f.ring = make([]ref, size)
	f.steady = min(steadyWindow, f.limit())
	// The sequences of nodes should not overlap: an ACK does not say whom it is for.
	n.seq = rand.Uint32()
	f.reduced = n.seq
	return f
}

// greeting reports whether messages say HELLO: nobody was heard, or somebody has not
// answered.
func (f *ftfw) greeting() bool {
	any := false
	for _, p := range f.n.peers {
		if p == nil {
			continue
		}
		any = true
		if !p.ft.knows && !p.away && p.ft.hellos < maxHellos {
			return true
		}
	}
	return !any
}

func (f *ftfw) flags() (flags wire.Flags) {
	if f.greeting() {
		flags |= wire.FlagHello
	}
	for _, p := range f.n.peers {
		if p == nil {
			continue
		}
		if flags&wire.FlagHello != 0 && !p.ft.knows {
			p.ft.hellos++
		}
		if p.ft.owed {
			flags |= wire.FlagHelloBack
			p.ft.owed = false
		}
	}
	return flags
}

func (f *ftfw) take(p *peer, h *wire.Header) bool {
	q := &p.ft
	hello := h.Flags&wire.FlagHello != 0
	if hello {
		q.owed, q.acks = true, true
	}
	if h.Flags&wire.FlagHelloBack != 0 {
		q.knows, q.acks = true, true
	}
	d := int32(h.Seq - q.last)
	if q.have && hello && (d <= -maxLate && !q.hello || d > maxAhead || d < -maxAhead) {
		// A new process that has the address of the old one.
		f.n.restarted(p, p.sender)
		q.have, q.acks, q.owed = false, true, true
		q.knows = h.Flags&wire.FlagHelloBack != 0
	}
	q.hello = hello
	switch {
	case !q.have:
		q.first = h.Seq
	case d == 1:
		if q.pending == 0 {
			q.first = h.Seq
		}
	case d > 1:
		p.lost += uint64(d - 1)
		f.n.stats.Lost += uint64(d - 1)
		f.ack(p)
		f.n.sendControl(&wire.Header{Type: wire.Control, Flags: wire.FlagNACK, From: q.last + 1, To: h.Seq - 1}, nil, true)
		q.first = h.Seq
	default:
		f.n.stats.Before++
		return false
	}
	q.have, q.last = true, h.Seq
	q.pending++
	if h.Type != wire.Control && q.data.IsZero() {
		q.data = f.n.now
	}
	if q.pending >= max(f.n.c.ACKWindowSize, 1) {
		f.ack(p)
	}
	return true
}

// ack acknowledges what is not acknowledged.
func (f *ftfw) ack(p *peer) {
	if p.ft.pending == 0 {
		return
	}
	f.n.sendControl(&wire.Header{Type: wire.Control, Flags: wire.FlagACK, From: p.ft.first, To: p.ft.last}, nil, true)
	p.ft.pending, p.ft.data = 0, time.Time{}
}

func (f *ftfw) control(p *peer, h *wire.Header) bool {
	switch {
	case h.Flags&wire.FlagACK != 0:
		p.ft.acks = true
		if f.ambiguous(p, h.To) {
			f.jump()
			return true
		}
		f.acked(p, h.From, h.To)
	case h.Flags&wire.FlagNACK != 0:
		p.ft.acks = true
		f.nacked(p, h.From, h.To)
	case h.Flags&wire.FlagResync != 0:
		f.n.resyncAsked(p)
	case h.Flags&wire.FlagAlive != 0:
	default:
		return false
	}
	return true
}

func (f *ftfw) tick() time.Time {
	n := f.n
	next := time.Time{}
	owed := false
	for _, p := range n.peers {
		if p == nil {
			continue
		}
		if !p.ft.data.IsZero() {
			if due := p.ft.data.Add(ackTime); n.now.Before(due) {
				next = earliest(next, due)
			} else {
				f.ack(p)
			}
		}
		if p.need && !p.away && !p.deaf(n.now) {
			n.peerNeeds(p)
		}
		owed = owed || p.ft.owed
	}
	f.again()
	if owed || n.now.Sub(n.sent) >= aliveTime {
		f.alive()
	}
	if n.conns.tx.Len+n.expects.tx.Len == 0 {
		f.stalled = time.Time{}
	} else if !f.stalled.IsZero() {
		next = earliest(next, f.stalled.Add(stallTime))
	}
	return next
}

// alive sends what tells that this node is alive: an ACK, or nothing but that.
func (f *ftfw) alive() {
	done := false
	for _, p := range f.n.peers {
		if p != nil && p.ft.pending > 0 && !p.away {
			f.ack(p)
			done = true
		}
	}
	if !done {
		f.n.sendControl(&wire.Header{Type: wire.Control, Flags: wire.FlagAlive}, nil, false)
	}
}

// joined answers a peer at once: it waits for HELLO_BACK before it sends much.
func (f *ftfw) joined(p *peer) { f.n.sent = time.Time{} }
