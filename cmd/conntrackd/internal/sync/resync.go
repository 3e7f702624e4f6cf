package sync

import (
	"time"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/config"
	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/wire"
)

const (
	// resyncAsks is how often peers that are there are asked for a bulk.
	resyncAsks = 4
	// resyncData is how many messages of entries are the answer, where a question may
	// have been lost.
	resyncData = 32
	// gapWait is how long after a loss peers are asked for a bulk, gapRest how long
	// after the last time.
	gapWait = 2 * time.Second
	gapRest = 30 * time.Second
	// A bulk of a node that does not say when it ends has ended oldQuiet after its last
	// message, or oldTime after it was asked for.
	oldQuiet = 4 * time.Second
	oldTime  = 30 * time.Second
	oldTries = 8
)

// resyncState is what a node knows of the bulks that it has asked for.
type resyncState struct {
	wanted bool
	asks   int
	next   time.Time
	gap    time.Time // when to ask because of a loss; zero: never
	last   time.Time // when it was asked last
}

// resyncPeer is what has come of a peer since it was asked for a bulk.
type resyncPeer struct {
	ok   bool
	data int
}

// oldBulk is a bulk of a peer that does not say where it begins and ends.
type oldBulk struct {
	want  bool      // to be asked for
	asked time.Time // zero: none is expected
	data  int
	had   int       // entries of it, when it was asked
	again int       // how many of those it has told again
	last  time.Time // when its last message came
	lost  uint64    // messages of the peer, when it was asked for
	tries int
}

// RequestResync asks the peers for their bulks (-n), until they have answered.
func (n *Node) RequestResync() {
	n.now = n.o.Now()
	n.askResync()
	for _, p := range n.peers {
		if p != nil {
			n.expectOld(p)
		}
	}
}

func (n *Node) askResync() {
	if n.c.Mode == config.Alarm {
		return
	}
	n.bulk.resync.wanted, n.bulk.resync.asks, n.bulk.resync.next = true, 0, n.now
	n.bulk.resync.gap = time.Time{}
	for _, p := range n.peers {
		if p != nil {
			p.own.answer = resyncPeer{}
		}
	}
}

// tickResync asks again who has not answered.
func (n *Node) tickResync() time.Time {
	r := &n.bulk.resync
	next := time.Time{}
	for _, p := range n.peers {
		if p != nil {
			next = earliest(next, n.tickOld(p))
		}
	}
	if !r.gap.IsZero() {
		if !n.now.Before(r.gap) {
			n.askResync()
		} else {
			next = earliest(next, r.gap)
		}
	}
	if !r.wanted {
		return next
	}
	some, all := false, true
	n.there(func(p *peer) {
		if !p.away {
			some, all = true, all && p.own.answer.ok
		}
	})
	if some && (r.asks > 0 && all || r.asks >= resyncAsks && !n.now.Before(r.next)) {
		r.wanted = false
		return next
	}
	if n.now.Before(r.next) {
		return earliest(next, r.next)
	}
	n.sendControl(&wire.Header{Type: wire.Control, Flags: wire.FlagResync}, nil, true)
	r.last = n.now
	if some {
		r.asks++
	}
	r.next = n.now.Add(time.Duration(1<<min(r.asks, 3)) * time.Second)
	return earliest(next, r.next)
}

// answered takes that a peer sends what it was asked for.
func (n *Node) answered(p *peer) { p.own.answer.ok = true }

// heardData takes that a peer has told of an entry.
func (n *Node) heardData(p *peer) {
	p.own.answer.data++
	if n.acknowledged() || p.own.answer.data >= resyncData {
		p.own.answer.ok = true
	}
	p.own.old.data++
	p.own.old.last = n.now
}

// gap takes that messages of a peer were lost that it will not send again. Peers that
// are ours have the receiver remove what is no more; others would be asked in vain.
func (n *Node) gap(p *peer) {
	r := &n.bulk.resync
	if p.own.node == 0 || !n.extended || p.own.inside || !r.gap.IsZero() || n.c.Mode == config.Alarm {
		return
	}
	r.gap = n.now.Add(gapWait)
	if rest := r.last.Add(gapRest); rest.After(r.gap) {
		r.gap = rest
	}
}

// expectOld has a peer asked for its bulk that was not known, is a new process or is to
// be asked, unless it says where its bulks begin and end.
func (n *Node) expectOld(p *peer) {
	if n.c.Mode != config.Alarm && !n.c.DisableExternalCache {
		p.own.old = oldBulk{want: true}
	}
}

// tickOld finds out when the bulk of such a peer has come, and whether it was whole.
func (n *Node) tickOld(p *peer) time.Time {
	o := &p.own.old
	switch {
	case !o.want && o.asked.IsZero():
		return time.Time{}
	case n.extended:
		*o = oldBulk{}
		return time.Time{}
	case p.away:
		return n.now.Add(time.Second)
	case o.want:
		if !n.decided() {
			return n.now.Add(100 * time.Millisecond)
		}
		*o = oldBulk{asked: n.now, lost: p.lost, tries: o.tries + 1, had: n.External.From(uint16(p.index))}
		p.generation++
		n.endSweep(p)
		n.askResync()
		return n.now
	}
	quiet := n.now.Sub(o.last) >= oldQuiet
	asked := n.now.Sub(o.asked)
	switch {
	case o.data == 0 && asked < 3*oldQuiet, o.data > 0 && !quiet && asked < oldTime:
		return n.now.Add(500 * time.Millisecond)
	case p.lost != o.lost:
		// What of it was sent again is not known.
		if o.tries < oldTries {
			o.want = true
			return n.now
		}
	default:
		p.own.whole = n.now
		n.beginSweep(p, n.heard(p))
	}
	*o = oldBulk{}
	return time.Time{}
}

// heard reports whether a peer that was asked for its bulk has got the question. One to
// which nothing of this node comes, since its link leads elsewhere, tells what changes
// only: what it does not tell is not gone. With FT-FW it has answered HELLO; otherwise
// what it told was a bulk if most of what was known came again.
func (n *Node) heard(p *peer) bool {
	if n.acknowledged() {
		return p.ft.knows
	}
	return 2*p.own.old.again >= p.own.old.had && p.own.old.data > 0
}
