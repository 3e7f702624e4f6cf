package sync

import (
	"slices"
	"time"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/cache"
	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/wire"
)

const (
	// holdTime is for how long ends of entries are held back at most: by then a node
	// that has lost its role has been told so.
	holdTime = 15 * time.Second
	// maxHeld is how many of them are, where there is no internal cache to keep them.
	maxHeld = 1 << 17
	// translated are the bits of the status of an entry whose source is translated:
	// IPS_SRC_NAT and IPS_SRC_NAT_DONE.
	translated = 1<<4 | 1<<7
)

// holdState is what a node knows of ends that are held back.
type holdState struct {
	on      bool
	all     bool // not only of translated entries, and without limit
	since   time.Time
	conns   cache.Queue
	objects []wire.Object // without internal cache: deletes that were not sent
}

// HoldDeletes has ends of translated entries wait until the role of this node is known:
// an own address or a link is gone, upon which the kernel ends entries that were
// masqueraded behind it, which live on at the node that takes over. They wait until
// ReleaseDeletes, ForgetDeletes or SetRole, or until a peer has become primary, but not
// for longer than 15 seconds; then they are sent.
func (n *Node) HoldDeletes() {
	n.now = n.o.Now()
	n.hold.on, n.hold.since = true, n.now
}

// holdAll has the ends of all entries wait, without limit.
func (n *Node) holdAll() {
	n.hold.on, n.hold.all, n.hold.since = true, true, n.now
}

// ReleaseDeletes sends the ends that were held back.
func (n *Node) ReleaseDeletes() {
	n.now = n.o.Now()
	n.endHold(func(s cache.Slot) {
		n.conns.c.Meta(s).Flags &^= cache.Held
		n.queue(&n.conns, s)
	})
	for _, o := range n.hold.objects {
		n.sendBypass(wire.Delete, o)
	}
	n.hold.objects = nil
}

// ForgetDeletes drops the ends that were held back: nobody is told of them.
func (n *Node) ForgetDeletes() {
	n.endHold(func(s cache.Slot) { n.drop(&n.conns, s) })
	n.hold.objects = nil
}

// Held returns how many ends are held back.
func (n *Node) Held() int { return n.hold.conns.Len + len(n.hold.objects) }

func (n *Node) endHold(f func(cache.Slot)) {
	n.hold.on, n.hold.all = false, false
	for s := n.hold.conns.First; s != 0; s = n.hold.conns.First {
		f(s)
	}
	n.goOn()
}

// holdsEnd reports whether the end of an object is to be held back.
func (n *Node) holdsEnd(o wire.Object) bool {
	if !n.hold.on {
		return false
	}
	status, _ := number32(o, attrStatus)
	return n.hold.all || status&translated != 0
}

// holds reports whether the end of an entry, which is dead, is held back; it then is in
// the queue of those.
func (n *Node) holds(t *table, s cache.Slot) bool {
	if t.expect || !n.holdsEnd(t.c.Object(s)) {
		return false
	}
	n.release(t.c.Meta(s))
	n.hold.conns.ID = queueHeld
	t.c.Meta(s).Flags |= cache.Held
	t.c.Push(&n.hold.conns, s)
	return true
}

// holdsBypass is holds where there is no internal cache.
func (n *Node) holdsBypass(o wire.Object) bool {
	if len(n.hold.objects) >= maxHeld || !n.holdsEnd(o) {
		return false
	}
	n.hold.objects = append(n.hold.objects, slices.Clone(o))
	return true
}

// tickHold ends a hold whose time is over.
func (n *Node) tickHold() time.Time {
	if !n.hold.on || n.hold.all {
		return time.Time{}
	}
	if due := n.hold.since.Add(holdTime); n.now.Before(due) {
		return due
	}
	n.ReleaseDeletes()
	return time.Time{}
}
