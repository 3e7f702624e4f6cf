package sync

import (
	"time"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/config"
)

// resyncAsked takes that a peer asks for a bulk.
func (n *Node) resyncAsked(p *peer) {
	if b := &n.bulk; b.wanted || b.phase == bulkOpening {
		// It is about to come. What the peer was told before this it may have forgotten.
		b.last = n.moment()
		if b.phase == bulkOpening {
			b.until = b.last
		}
		return
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
	p.need, p.own.missed = false, false
	p.own.takes = 0 // what it has of the bulk that runs is not the whole
	n.wantBulk()
}

const (
	// missedRest is how long after the beginning of a bulk another one begins because a
	// peer does not know the end of it. The time doubles with each that it does not
	// answer, up to missedMost.
	missedRest = 5 * time.Second
	missedMost = 5 * time.Minute
)

// missed notes which peers of ours do not know that the bulk has ended: they were away, or
// what they answered was lost. They keep what is gone until they get another bulk.
func (n *Node) missed() {
	n.there(func(p *peer) {
		if p.own.node == 0 || p.own.takes == n.bulk.number && p.own.done {
			return
		}
		p.own.missed = true
		if !p.away {
			p.own.misses++
		}
	})
}

// missedWait returns for how long after the last bulk a peer waits for another one.
func (p *peer) missedWait() time.Duration {
	if p.need || p.own.misses == 0 {
		return missedRest
	}
	return min(missedRest<<min(p.own.misses-1, 10), missedMost)
}

// tickMissed has a bulk follow for peers that have missed the end of one.
func (n *Node) tickMissed() time.Time {
	b, next := &n.bulk, time.Time{}
	if b.phase != bulkIdle || b.wanted {
		return next
	}
	for _, p := range n.peers {
		if p == nil || !p.need && !p.own.missed || p.away {
			continue
		}
		if due := b.began.Add(p.missedWait()); n.now.Before(due) {
			next = earliest(next, due)
		} else {
			n.peerNeeds(p)
			next = n.now
		}
	}
	return next
}
