package sync

import (
	"slices"
	"time"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/cache"
	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/wire"
)

const (
	// sweepStep is how many objects one Tick looks at to remove what a bulk did not tell.
	sweepStep = 8192
	// ageStep is how many it looks at for their age, each ageTime.
	ageStep = 2048
	ageTime = 100 * time.Millisecond
	// An entry that has outlived the timeout which was told of it is told again
	// tellAgain seconds later, as its traffic has made that timeout longer. One that was
	// not told again in forgetAfter seconds is forgotten.
	tellAgain   = 60
	forgetAfter = 240
	// oldTimeout is the timeout of what is committed after its own is over, in seconds.
	oldTimeout = 60
)

// expireState is where the walks through the caches are.
type expireState struct {
	sweeps []sweep
	aged   time.Time // when the ages were looked at last
	at     [4]cache.Slot
}

// sweep removes what a peer has told before its last bulk, and not since.
type sweep struct {
	p       *peer
	expects bool
	at      cache.Slot
}

// beginSweep removes, in parts, what a peer has told before its present generation, or
// not all of that: only what processes have told that it was before.
func (n *Node) beginSweep(p *peer, all bool) {
	n.endSweep(p)
	if all {
		p.floor = p.generation
	}
	n.expire.sweeps = append(n.expire.sweeps, sweep{p: p, at: 1})
}

// past reports whether what was told in a generation is gone unless it was told again.
func (p *peer) past(generation uint16) bool { return int16(generation-p.floor) < 0 }

// endSweep ends a sweep: the next bulk has begun.
func (n *Node) endSweep(p *peer) {
	n.expire.sweeps = slices.DeleteFunc(n.expire.sweeps, func(w sweep) bool { return w.p.index == p.index })
}

// tickExpire removes external entries that are gone or have expired, in parts.
func (n *Node) tickExpire() time.Time {
	e := &n.expire
	for i := range e.sweeps {
		w := &e.sweeps[i]
		c := n.External
		if w.expects {
			c = n.ExternalExpect
		}
		w.at = c.Walk(w.at, sweepStep, func(s cache.Slot) {
			if m := c.Meta(s); m.Sender == uint16(w.p.index) && w.p.past(m.Generation) {
				c.Delete(s)
			}
		})
		if w.at == 0 && !w.expects {
			w.expects, w.at = true, 1
		}
	}
	e.sweeps = slices.DeleteFunc(e.sweeps, func(w sweep) bool { return w.at == 0 })
	if len(e.sweeps) > 0 {
		return n.now
	}
	due := e.aged.Add(ageTime)
	if n.now.Before(due) {
		return due
	}
	e.aged = n.now
	if _, ok := n.mode.(*alarm); ok {
		return n.now.Add(time.Minute) // it has its own time
	}
	now := n.clock(n.now)
	busy := false
	for i, c := range []*cache.Cache{n.External, n.ExternalExpect} {
		e.at[i] = c.Walk(max(e.at[i], 1), ageStep, func(s cache.Slot) {
			if n.expired(c.Object(s), c.Meta(s), c == n.ExternalExpect, now) {
				c.Delete(s)
			}
		})
		busy = busy || c.Stats.Total > 0
	}
	if n.extended && !n.c.DisableInternalCache {
		t := &n.conns
		e.at[2] = t.c.Walk(max(e.at[2], 1), ageStep, func(s cache.Slot) {
			m := t.c.Meta(s)
			if m.Queue != 0 || m.Told == 0 || m.Flags&cache.Dead != 0 {
				return
			}
			if left, ok := t.c.Object(s).Timeout(); ok && int64(m.Told)+int64(left)+tellAgain < int64(now) {
				n.queue(t, s)
			}
		})
		busy = busy || t.c.Stats.Total > 0
	}
	if !busy {
		return n.now.Add(time.Second)
	}
	return n.now.Add(ageTime)
}

// expired reports whether an external entry has outlived what was told of it. Nodes that
// are ours tell again of what lives on; of others, only what they have not told since
// they are a new process is known to be gone.
func (n *Node) expired(o wire.Object, m *cache.Meta, expect bool, now uint32) bool {
	left, ok := o.Timeout()
	if !ok || int(m.Sender) >= len(n.peers) {
		return false
	}
	over := int64(now) - int64(m.Told) - int64(left)
	p := n.peers[m.Sender]
	switch {
	case over <= 0 || p == nil:
		return false
	case p.past(m.Generation) && !p.own.inside && !p.own.old.want && p.own.old.asked.IsZero():
		return true
	}
	return over > forgetAfter && n.extended && p.own.refreshes && !p.away
}

// Left returns for how many seconds an external entry is committed: CommitTimeout, or
// what is left of the timeout that was told. ok is false if the entry is not to be
// committed: it was told by a process of a peer that is no more, the peer has not told
// it since, and its time is over.
func (n *Node) Left(o wire.Object, m *cache.Meta, expect bool) (seconds uint32, ok bool) {
	now := n.Clock()
	if n.expired(o, m, expect, now) {
		return 0, false
	}
	if n.c.CommitTimeout > 0 {
		return uint32(n.c.CommitTimeout / time.Second), true
	}
	told, have := o.Timeout()
	if left := int64(told) - int64(now-m.Told); have && left > 0 {
		return uint32(left), true
	}
	return oldTimeout, true
}
