package sync

import (
	"math/rand/v2"
	"slices"
	"time"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/cache"
	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/wire"
)

const (
	// ackTime is after how long without another message a change is acknowledged.
	ackTime = 50 * time.Millisecond
	// helloTime is how long objects wait for a peer to answer HELLO: what it misses
	// before it has, it does not ask for.
	helloTime = 2 * time.Second
	// stallTime is after how long without ACK some more is sent: the peer may have a
	// larger window than there is room for.
	stallTime = 100 * time.Millisecond
	// againTime is after how long an object is sent again that a peer has not
	// acknowledged, though it acknowledges others.
	againTime = 5 * time.Second
	// deafTime is after how long without an ACK a peer is not waited for.
	deafTime = 5 * time.Second
	// maxLate is how late a message may be that is not taken for one of a new process.
	maxLate = 64
	// steadyWindow is from where on the window grows slowly before any loss: as many
	// messages as the socket buffers in the examples of conntrack-tools take.
	steadyWindow = 8192
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
	knows   bool // it has answered HELLO
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

func (f *ftfw) at(seq uint32) *ref { return &f.ring[seq&uint32(len(f.ring)-1)] }

func (f *ftfw) table(k refKind) *table {
	if k == refExpect {
		return &f.n.expects
	}
	return &f.n.conns
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

func (f *ftfw) room() int {
	room := f.window
	for _, p := range f.n.peers {
		switch {
		case p == nil || p.away:
		case !p.ft.knows && f.n.now.Sub(p.since) < helloTime:
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

// joined answers a peer at once: it waits for HELLO_BACK before it sends much.
func (f *ftfw) joined(p *peer) { f.n.sent = time.Time{} }

func (f *ftfw) left(p *peer) {}

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
