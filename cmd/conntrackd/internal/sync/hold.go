package sync

import (
	"net/netip"
	"slices"
	"time"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/cache"
	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/wire"
	"github.com/gonntrack/gonntrack/ctnetlink"
)

const (
	// holdTime is for how long ends of entries are held back at most: by then a node
	// that has lost its role has been told so.
	holdTime = 15 * time.Second
	// maxHeld is how many of them are, where there is no internal cache to keep them.
	maxHeld = 1 << 17
	// translated are the flags of an entry whose source is translated.
	translated = ctnetlink.StatusSrcNAT | ctnetlink.StatusSrcNATDone
)

// holdState is what a node knows of ends that are held back.
type holdState struct {
	on      bool
	all     bool // not only of translated entries, and without limit
	forget  bool // the role is lost: ends that come late are dropped
	since   time.Time
	lost    lostAddresses
	objects []heldObject // without internal cache: deletes that were not sent
}

// heldObject is an entry that has ended, and when.
type heldObject struct {
	t  wire.Type // Delete or ExpectDelete
	o  wire.Object
	at time.Time
}

// HoldDeletes has ends of entries that are translated to addresses, and of what these
// entries expect, wait until the role of this node is known: own addresses, or the links
// that have them, are gone, upon which the kernel ends entries that were masqueraded
// behind them, which live on at the node that takes over. The unspecified address of a
// family stands for all of it; without addresses, it is not known which are gone. Ends
// wait until ReleaseDeletes, ForgetDeletes or SetRole, or until a peer has become primary,
// but none of them for longer than 15 seconds; then it is sent.
func (n *Node) HoldDeletes(addresses ...netip.Addr) {
	n.now = n.o.Now()
	n.hold.on, n.hold.since = true, n.now
	n.hold.lost.add(n.now, addresses)
}

// holdAll has the ends of all entries wait, without limit.
func (n *Node) holdAll() {
	n.hold.on, n.hold.all, n.hold.forget, n.hold.since = true, true, false, n.now
}

// ReleaseDeletes sends the ends that were held back.
func (n *Node) ReleaseDeletes() {
	n.now = n.o.Now()
	n.hold.on, n.hold.all, n.hold.forget, n.hold.lost = false, false, false, nil
	n.endHold(n.releaseDelete)
	for _, h := range n.hold.objects {
		n.sendBypass(h.t, h.o)
	}
	n.hold.objects = nil
	n.goOn()
}

func (n *Node) releaseDelete(t *table, s cache.Slot) {
	t.c.Meta(s).Flags &^= cache.Held
	n.queue(t, s)
}

// ForgetDeletes drops the ends that were held back: nobody is told of them. Those that
// follow within 15 seconds are dropped as well: the kernel removes entries some time
// after their address has gone.
func (n *Node) ForgetDeletes() {
	n.now = n.o.Now()
	if n.hold.on {
		n.hold.forget, n.hold.since = true, n.now
	}
	n.endHold(n.drop)
	n.hold.objects = nil
	n.goOn()
}

// Held returns how many ends are held back.
func (n *Node) Held() int { return n.conns.held.Len + n.expects.held.Len + len(n.hold.objects) }

// holding reports whether there are entries that have ended here and live on for the peers:
// ends that are held back, or that were dropped a short while ago. Who takes over may not
// have committed them yet, and must not remove them at the end of a bulk.
func (n *Node) holding() bool { return n.hold.forget || n.Held() > 0 }

func (n *Node) endHold(f func(*table, cache.Slot)) {
	n.tables(func(t *table) {
		for s := t.held.First; s != 0; s = t.held.First {
			f(t, s)
		}
	})
}

// holdsEnd reports whether the end of an object is to be held back.
func (n *Node) holdsEnd(o wire.Object, expect bool) bool {
	if !n.hold.on || n.hold.all {
		return n.hold.on
	}
	var after time.Time
	if !n.hold.forget {
		after = n.now.Add(-holdTime)
	}
	if expect {
		return n.endsExpected(o, after)
	}
	return n.hold.lost.ends(o, after)
}

// holds reports whether the end of an entry, which is dead, is held back; it then is in
// the queue of those, or is dropped.
func (n *Node) holds(t *table, s cache.Slot) bool {
	if !n.holdsEnd(t.c.Object(s), t.expect) {
		return false
	}
	if n.hold.forget {
		n.drop(t, s)
		return true
	}
	n.release(t.c.Meta(s))
	m := t.c.Meta(s)
	m.Flags |= cache.Held
	m.Told = n.clock(n.now)
	n.bulk.disturbed = true
	t.c.Push(&t.held, s)
	return true
}

// forgetHeld drops the end that is held back for longest: its space is needed. Peers need
// a bulk then.
func (n *Node) forgetHeld(t *table) {
	n.drop(t, t.held.First)
	for _, p := range n.peers {
		if p != nil {
			p.need = true
		}
	}
}

// holdsBypass is holds where there is no internal cache.
func (n *Node) holdsBypass(t wire.Type, o wire.Object) bool {
	switch {
	case !n.holdsEnd(o, t == wire.ExpectDelete):
		return false
	case n.hold.forget:
		return true
	case len(n.hold.objects) >= maxHeld:
		return false
	}
	n.hold.objects = append(n.hold.objects, heldObject{t, slices.Clone(o), n.now})
	return true
}

// tickHold sends the ends that have waited for long enough, and ends a hold whose time is
// over. Where addresses come and go all the time there is always one.
func (n *Node) tickHold() time.Time {
	h := &n.hold
	if !h.on || h.all && !h.forget {
		return time.Time{}
	}
	if !n.now.Before(h.since.Add(holdTime)) {
		n.ReleaseDeletes()
		return time.Time{}
	}
	had := n.Held()
	now, wait := n.clock(n.now), uint32(holdTime/time.Second)
	n.tables(func(t *table) {
		for s := t.held.First; s != 0 && now-t.c.Meta(s).Told >= wait; s = t.held.First {
			n.releaseDelete(t, s)
		}
	})
	for len(h.objects) > 0 && n.now.Sub(h.objects[0].at) >= holdTime {
		n.sendBypass(h.objects[0].t, h.objects[0].o)
		h.objects = h.objects[1:]
	}
	if had > 0 && n.Held() == 0 {
		n.goOn()
	}
	return n.now.Add(time.Second)
}
