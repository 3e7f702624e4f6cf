package sync

import (
	"time"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/cache"
	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/wire"
)

// maxDumps is how many dumps a bulk makes at most to be whole, where there is no
// internal cache.
const maxDumps = 5

// inject changes the kernel's table by a received entry (DisableExternalCache).
func (n *Node) inject(t wire.Type, o wire.Object, payload []byte) {
	n.o.Inject.Inject(t, o)
	if !n.c.DisableInternalCache {
		n.injected(t, o, payload)
	}
}

// injected has the internal cache follow what is injected, of which no event comes. An
// entry is there if this node has told it, or found it in a dump: the peer's state of it
// is newer, and must not be told as it was.
func (n *Node) injected(t wire.Type, o wire.Object, payload []byte) {
	tb := n.table(t)
	if tb == nil {
		return
	}
	k := o.Key()
	s := tb.c.Find(&k)
	if s == 0 || tb.c.Meta(s).Flags&cache.Dead != 0 {
		return
	}
	if t == wire.Delete || t == wire.ExpectDelete {
		n.drop(tb, s)
		return
	}
	o, err := wire.Merge(n.obj[:0], t, tb.c.Object(s), payload)
	if err != nil {
		return
	}
	n.obj = o
	tb.c.Set(s, o)
}

// bypass sends an event at once (DisableInternalCache). It leaves with the next Tick at
// the latest.
func (n *Node) bypass(t wire.Type, o wire.Object, silent bool) {
	if ends := t == wire.Delete || t == wire.ExpectDelete; n.dumping() && (ends || !silent) {
		n.beside.note(t, o)
	}
	if silent {
		return
	}
	if n.refreshing && n.tell {
		n.bypassDump(o, t)
		return
	}
	switch t {
	case wire.New:
		n.stats.BypassNew++
	case wire.Update:
		n.stats.BypassUpdated++
	case wire.Delete:
		n.stats.BypassDestroyed++
	}
	if (t == wire.Delete || t == wire.ExpectDelete) && n.holdsBypass(t, o) {
		return
	}
	n.sendBypass(t, o)
}

// sendBypass sends what no cache keeps.
func (n *Node) sendBypass(t wire.Type, o wire.Object) {
	if p := n.payload(o); p != nil {
		n.send(&wire.Header{Type: t}, p)
	}
}

// bypassDump sends an entry of a dump.
func (n *Node) bypassDump(o wire.Object, t wire.Type) {
	b := &n.bulk
	bulk := b.dump && b.phase == bulkRunning
	if !bulk && (!n.tell || n.extended) {
		return // a bulk follows
	}
	before := n.seq
	n.sendBypass(t, o)
	if !bulk || n.seq == before {
		return
	}
	if !b.marks {
		b.paid = b.paid.Add(time.Second / bulkRate)
		return
	}
	w := &b.parts
	if w.open == 0 {
		w.open = n.seq
	}
	if n.seq-w.open+1 >= partLen {
		n.closePart()
	}
}

// closePart ends a part of a dump.
func (n *Node) closePart() {
	w := &n.bulk.parts
	if w.open == 0 {
		return
	}
	p := part{number: w.next, from: w.open, to: n.seq}
	w.next++
	w.open = 0
	n.askPart(&p)
	w.list = append(w.list, p)
}

// Room reports whether a dump that Source was asked for may go on.
func (n *Node) Room() bool {
	n.now = n.o.Now()
	b := &n.bulk
	switch {
	case b.phase != bulkRunning || !b.dump:
		return true
	case b.marks:
		return len(b.parts.list) < b.parts.window && n.o.Link.Room()
	case n.paced():
		return !b.paid.After(n.now) && n.o.Link.Room()
	}
	return n.o.Link.Room()
}

// dumped takes that a dump has ended, and whether it was whole.
func (n *Node) dumped(whole bool) {
	b := &n.bulk
	n.beside.end()
	if !b.dump || b.phase != bulkRunning {
		if whole && n.tell && n.extended {
			n.wantBulk() // events were lost: peers have to know what is gone
		}
		return
	}
	n.closePart()
	b.parts.walked = true
	b.parts.lossy = b.parts.lossy || !whole
}

// runDump has the kernel's table sent.
func (n *Node) runDump() time.Time {
	b := &n.bulk
	w := &b.parts
	switch {
	case n.o.Source == nil:
		b.phase = bulkClosing
		return n.now
	case !b.dump:
		if n.refreshing {
			break // another dump runs
		}
		b.dump = true
		b.dumps++
		n.o.Source.Dump()
	case b.marks:
		n.dropParts()
		fallthrough
	default:
		if !w.walked || len(w.list) > 0 {
			break
		}
		if w.lossy && b.dumps < maxDumps {
			number, window := w.next, max(w.window, 1)
			w.reset()
			w.next, w.window = number, window
			b.dump = false
			return n.now
		}
		if b.phase = bulkClosing; w.lossy {
			b.phase = bulkIdle // peers do not have all: none is told that it ends
		}
		return n.now
	}
	return n.now.Add(20 * time.Millisecond)
}
