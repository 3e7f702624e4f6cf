package sync

import (
	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/cache"
	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/wire"
	"github.com/gonntrack/gonntrack/ctnetlink"
)

// Event takes a change of the kernel's table: New, Update, Delete and the same of
// expectations. silent: this daemon has made it, so peers are not told.
func (n *Node) Event(t wire.Type, o wire.Object, silent bool) {
	n.now = n.o.Now()
	tb := n.table(t)
	if tb == nil || len(o) == 0 {
		return
	}
	if tb.expect && t != wire.ExpectDelete && !n.wanted(o) {
		return
	}
	if n.c.DisableInternalCache {
		n.bypass(t, o, silent)
		return
	}
	k := o.Key()
	s := tb.c.Find(&k)
	switch t {
	case wire.New, wire.ExpectNew:
		n.eventNew(tb, s, o, silent)
	case wire.Update, wire.ExpectUpdate:
		n.eventUpdate(tb, s, o, silent)
	default:
		n.eventDelete(tb, s, o, silent)
	}
}

// eventNew makes an entry, or makes it anew, and returns its slot, 0 if there is no space.
func (n *Node) eventNew(t *table, s cache.Slot, o wire.Object, silent bool) cache.Slot {
	if s == 0 {
		if s = n.add(t, o); s == 0 {
			return 0
		}
	} else {
		if t.c.Meta(s).Flags&cache.Dead != 0 {
			t.c.Revive(s)
			t.c.Remove(&t.held, s)
		}
		t.c.Set(s, o)
		m := t.c.Meta(s)
		m.Flags &^= cache.Changed | cache.Held
		m.Created = n.clock(n.now)
	}
	t.c.Meta(s).Generation = n.refresh
	if !silent {
		n.queue(t, s)
	} else {
		n.bulk.disturbed = true // it may be behind where a bulk is
	}
	return s
}

// eventUpdate changes an entry, which is made if it is not known.
func (n *Node) eventUpdate(t *table, s cache.Slot, o wire.Object, silent bool) {
	if s == 0 || t.c.Meta(s).Flags&cache.Dead != 0 {
		if s = n.eventNew(t, s, o, silent); s != 0 {
			t.c.Meta(s).Flags |= cache.Changed
		}
		return
	}
	same := n.refreshing && t.c.Object(s).SameButTimeout(o)
	t.c.Set(s, o)
	m := t.c.Meta(s)
	m.Flags |= cache.Changed
	m.Generation = n.refresh
	if !silent && !same {
		n.queue(t, s)
	}
}

// eventDelete ends an entry. That of one that is not known is nothing.
func (n *Node) eventDelete(t *table, s cache.Slot, o wire.Object, silent bool) {
	switch {
	case s == 0 || t.c.Meta(s).Flags&cache.Dead != 0:
	case silent:
		n.drop(t, s)
	default:
		n.bury(t, s)
	}
}

// bury ends an entry and has peers told, at once or when the role of this node is known.
func (n *Node) bury(t *table, s cache.Slot) {
	t.c.Bury(s)
	if n.holds(t, s) {
		return
	}
	n.queue(t, s)
	n.reap(t)
}

// add adds an object that is not there, and returns 0 if there is no space.
func (n *Node) add(t *table, o wire.Object) cache.Slot {
	if t.held.Len > 0 && t.c.Stats.Total >= uint64(n.c.HashLimit) {
		n.forgetHeld(t)
	}
	s := t.c.Add(o)
	if s != 0 {
		t.c.Meta(s).Created = n.clock(n.now)
	}
	return s
}

// reap forgets ends of entries, the oldest first, if so many wait for peers and the link
// that they would take the space of entries that live. Peers need a bulk then.
func (n *Node) reap(t *table) {
	limit := max(n.c.ResendQueueSize, n.c.HashLimit/4)
	for range 64 {
		if t.c.Stats.Total-t.c.Stats.Active-uint64(t.held.Len) <= uint64(limit) {
			return
		}
		s := t.rs.First
		if s == 0 {
			s = t.tx.First
		}
		if s == 0 {
			return
		}
		m := t.c.Meta(s)
		for _, p := range n.peers {
			if p != nil && (m.Queue == queueTx || m.Sender&p.bit != 0) {
				p.need = true
			}
		}
		n.release(m)
		q := &t.tx
		if m.Queue == queueRs {
			q = &t.rs
		}
		t.c.Remove(q, s)
		t.done(s)
	}
}

// queue puts an object at the end of what waits to be sent, unless it is there: it is
// sent once, as it is then.
func (n *Node) queue(t *table, s cache.Slot) {
	m := t.c.Meta(s)
	switch m.Queue {
	case queueTx:
		return
	case queueRs:
		n.release(m)
	}
	t.c.Push(&t.tx, s)
}

// drop removes an object of which nobody is told.
func (n *Node) drop(t *table, s cache.Slot) {
	n.release(t.c.Meta(s))
	t.arrived(s)
	t.c.Delete(s)
}

// BeginRefresh begins a dump of the kernel's table into the internal cache (-R,
// overrun): until EndRefresh, Event(Update) is called for each entry; what is as it
// was known is not sent. tell: peers are told what is gone.
func (n *Node) BeginRefresh(tell bool) {
	n.refreshing, n.tell = true, tell
	n.refresh++
	n.bulk.disturbed = true
	n.beside = beside{}
	if n.dumping() {
		n.beside.begin()
	}
}

// EndRefresh ends a dump that was whole: what was there before and was not told is gone.
func (n *Node) EndRefresh() {
	if !n.refreshing {
		return
	}
	n.now = n.o.Now()
	n.refreshing = false
	if n.c.DisableInternalCache {
		n.dumped(true)
		return
	}
	defer n.whole()
	n.tables(func(t *table) {
		if t.expect && !n.c.Expect {
			return
		}
		for s := cache.Slot(1); s != 0; {
			s = t.c.Walk(s, 1<<16, func(s cache.Slot) {
				m := t.c.Meta(s)
				switch {
				case m.Generation == n.refresh || m.Flags&cache.Dead != 0:
				case n.tell:
					n.bury(t, s)
				default:
					n.drop(t, s)
				}
			})
		}
	})
}

// CancelRefresh ends a dump that was not whole: nothing is removed.
func (n *Node) CancelRefresh() {
	n.refreshing = false
	if n.c.DisableInternalCache {
		n.dumped(false)
	}
}

// Wants reports whether an object of the kernel's table is one that is kept alike.
func (n *Node) Wants(o wire.Object) bool { return !o.Expect() || n.wanted(o) }

// wanted reports whether an expectation is told to peers: its helper is on the list, and
// its master is known.
func (n *Node) wanted(o wire.Object) bool {
	if !n.c.Expect {
		return false
	}
	var x ctnetlink.ExpectSpec
	if o.ExpectSpec(&x) != nil || !n.c.KeepsExpectations(x.Helper) {
		return false
	}
	if n.c.DisableInternalCache {
		return true
	}
	k := wire.TupleKey(&x.Master, x.Zone, x.Zone)
	s := n.Internal.Find(&k)
	return s != 0 && n.Internal.Meta(s).Flags&cache.Dead == 0
}
