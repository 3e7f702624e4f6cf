package sync

import (
	"math/rand/v2"
	"time"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/config"
	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/wire"
	"github.com/gonntrack/gonntrack/internal/printable"
)

// Extension messages go to peers that are not known to be ours in rounds of helloRound
// at most, helloStep apart: when a connection is made, and when a node is heard that was
// not known, one round in helloRest. A peer that has not answered after helloWait is
// taken for one of conntrack-tools. Between nodes that are all ours one goes out in
// helloBeat.
const (
	helloRound = 3
	helloStep  = 150 * time.Millisecond
	helloRest  = 10 * time.Second
	helloBeat  = time.Second
	helloWait  = helloRound * helloStep
	nameMax    = 64
	// goneAfter is after how long without a message a peer has no say in what goes over
	// the link.
	goneAfter = 15 * time.Second
)

// oursState is what a node knows of its handshakes.
type oursState struct {
	number uint64    // of this node, not 0
	left   int       // how many messages are left of the round
	next   time.Time // when the next one goes out
	round  time.Time // when the last round began
	again  bool      // another one is due when helloRest is over
	role   Role
	since  time.Time // when the role was taken
	buf    []byte
}

// oursPeer is what a node knows of a peer beside what FT-FW needs.
type oursPeer struct {
	node   uint64 // its number; 0: it is not ours, as far as is known
	first  time.Time
	asked  int // messages of handshakes since first
	name   string
	role   Role
	active int // entries of its internal cache
	// refreshes: it tells again of entries that outlive their timeouts.
	refreshes bool
	expects   bool // it keeps expectations alike

	seen     seen   // the sequences that came from it
	late     bool   // its last message came late
	received uint32 // the last of our sequences that it has told
	told     bool   // it has told one

	bulkPeer
	reply *reply // to its last question
}

// initOurs gives the node its number.
func (n *Node) initOurs() {
	for n.ours.number == 0 {
		n.ours.number = rand.Uint64()
	}
}

// startRound begins a round of handshakes, if there was none a short time ago.
func (n *Node) startRound() {
	o := &n.ours
	if !n.c.Extensions {
		return
	}
	if !o.round.IsZero() && n.now.Sub(o.round) < helloRest {
		o.again = true
		return
	}
	o.round, o.next, o.left, o.again = n.now, n.now, helloRound, false
}

// tickOurs sends what is due of handshakes and returns when more will be.
func (n *Node) tickOurs() time.Time {
	o := &n.ours
	next := n.tickCompare()
	n.sample()
	if !n.c.Extensions {
		return next
	}
	n.judgePeers()
	if o.again && n.now.Sub(o.round) >= helloRest {
		n.startRound()
	}
	switch {
	case n.extended:
		if !n.now.Before(o.next) {
			n.sendHello()
			n.sendReceived()
			o.next = n.now.Add(helloBeat)
		}
		next = earliest(next, o.next)
	case o.left > 0:
		if !n.now.Before(o.next) {
			o.left--
			n.sendHello()
			o.next = n.now.Add(helloStep)
		}
		next = earliest(next, o.next)
	case o.again:
		next = earliest(next, o.round.Add(helloRest))
	}
	return next
}

// there calls f for the peers that have a say in what goes over the link.
func (n *Node) there(f func(p *peer)) {
	for _, p := range n.peers {
		if p != nil && n.now.Sub(p.seen) <= goneAfter {
			f(p)
		}
	}
}

// judgePeers finds out whether all peers that are there are ours.
func (n *Node) judgePeers() {
	all, some := true, false
	n.there(func(p *peer) {
		some = true
		all = all && p.own.node != 0
	})
	was := n.extended
	n.extended = all && some && n.c.Extensions
	if n.extended && !was {
		n.ours.next = n.now
		// They now can be told what others would not understand, and know what is gone.
		n.wantBulk()
	}
}

// decided reports whether it is known of every peer that is there if it is ours.
func (n *Node) decided() bool {
	yes := true
	if n.c.Extensions {
		n.there(func(p *peer) {
			since := n.now.Sub(p.own.first)
			yes = yes && (p.own.node != 0 || p.own.asked > 0 && since >= helloWait || since >= 2*helloWait)
		})
	}
	return yes
}

// sendExtension sends an Extension message, which nobody acknowledges by its sequence.
func (n *Node) sendExtension(e *extension) {
	e.Node = n.ours.number
	n.ours.buf = e.append(n.ours.buf[:0])
	n.sendOutside(n.ours.buf)
}

func (n *Node) sendHello() {
	for _, p := range n.peers {
		if p != nil {
			p.own.asked++
		}
	}
	can := uint32(0)
	if !n.c.DisableInternalCache {
		can |= capRefresh
	}
	if n.c.Expect {
		can |= capExpect
	}
	n.sendExtension(&extension{
		Kind: extHello, Flags: uint16(n.ours.role) & extRole,
		A: uint32(n.Internal.Stats.Active), B: n.roleAge(), C: can, D: uint32(n.c.Mode),
		Data: []byte(n.o.Name[:min(len(n.o.Name), nameMax)]),
	})
}

// sendReceived tells each peer how far its messages have come.
func (n *Node) sendReceived() {
	n.there(func(p *peer) {
		if p.own.node != 0 && p.own.seen.any {
			n.sendExtension(&extension{Kind: extReceived, To: p.own.node, A: p.own.seen.last})
		}
	})
}

// extension takes an Extension message.
func (n *Node) extension(p *peer, payload []byte) {
	var e extension
	if !n.c.Extensions {
		n.damaged(wire.BadHeader)
		return
	}
	if !e.parse(payload) {
		n.damaged(wire.BadPayload)
		return
	}
	if e.Node == n.ours.number || e.To != 0 && e.To != n.ours.number {
		return
	}
	if e.Kind == extHello {
		n.takeHello(p, &e)
		return
	}
	if p.own.node != e.Node {
		n.startRound() // it knows this node, which does not know it
		return
	}
	switch e.Kind {
	case extReceived:
		p.own.received, p.own.told = e.A, true
	case extBegin:
		n.takeBegin(p, &e)
	case extPart:
		n.takePart(p, &e)
	case extEnd:
		n.takeEnd(p, &e)
	case extGot:
		n.takeGot(p, &e)
	case extAsk:
		n.takeAsk(p, &e)
	case extTell:
		n.takeTell(p, &e)
	}
}

// takeHello takes that a peer is ours, and what it tells of itself.
func (n *Node) takeHello(p *peer, e *extension) {
	fresh := p.own.node != e.Node
	p.own.node = e.Node
	p.own.name = printable.String(string(e.Data[:min(len(e.Data), nameMax)]))
	p.own.active = int(e.A)
	p.own.refreshes, p.own.expects = e.C&capRefresh != 0, e.C&capExpect != 0
	role := Role(e.Flags & extRole)
	if role == Primary && n.hold.on && !n.hold.forget {
		if since := n.now.Add(-time.Duration(e.B) * time.Second); since.After(n.hold.since.Add(-2 * time.Second)) {
			n.log(config.Notice, "another node is primary: what has ended here is not told")
			n.ForgetDeletes()
		}
	}
	p.own.role = role
	if !fresh {
		return
	}
	p.own.misses = 0
	n.judgePeers()
	if !n.extended && n.ours.left == 0 {
		// It may not have heard this node's: one more, whoever else is on the link.
		n.ours.left, n.ours.next = 1, n.now
	}
}
