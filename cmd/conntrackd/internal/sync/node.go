package sync

import (
	"time"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/cache"
	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/config"
	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/wire"
)

// Node is this node: its caches, and what it knows of its peers. It is not safe for
// concurrent use; package daemon holds a lock around every call.
type Node struct {
	Internal, External             *cache.Cache
	InternalExpect, ExternalExpect *cache.Cache

	o       Options
	c       *config.Config
	mode    mode
	conns   table // of connections
	expects table // of expectations
	start   time.Time
	now     time.Time // of the call that runs
	stats   Stats

	seq      uint32    // of the last message that was sent
	sent     time.Time // when that was
	jumped   uint32    // by the clock, when seq last went on with another number
	buf      []byte    // a message that is built
	obj      []byte    // an object that is built
	part     []byte    // an object without what is not sent
	peers    []*peer   // at most maxPeers, by index; nil: free
	last     *peer     // who sent the last message
	extended bool      // all peers are ours: Extension messages and ours attributes are sent

	refreshing bool   // between BeginRefresh and EndRefresh
	refresh    uint16 // its number
	tell       bool   // it tells peers what has changed

	bulk   bulkState
	beside beside
	hold   holdState
	ours   oursState
	expire expireState

	samples    samples // of what was sent when
	comparison *Comparison
	asks       uint32 // questions of comparisons
}

// table is an internal cache with its queues. An object is in one of them or in none;
// a dead one is always in one.
type table struct {
	c      *cache.Cache
	tx     cache.Queue // waits to be sent
	rs     cache.Queue // was sent, and peers have not acknowledged it; by sequence
	held   cache.Queue // is dead, and peers are not told yet; by time
	expect bool
	bulk   int // objects of a bulk that have not arrived
}

func newTable(c *cache.Cache, expect bool) table {
	queue := func(id uint8) cache.Queue { return cache.Queue{ID: id} }
	return table{c: c, tx: queue(queueTx), rs: queue(queueRs), held: queue(queueHeld), expect: expect}
}

// The queues of a table.
const (
	queueTx uint8 = 1 + iota
	queueRs
	queueHeld  // dead, and held back
	queueAlarm // of the external caches in ALARM: by when an entry was told last
)

// mode is what FT-FW, NOTRACK and ALARM do each in their way.
type mode interface {
	// flags returns the flags of the next message.
	flags() wire.Flags
	// room returns how many objects may be sent now.
	room() int
	// sent is called when the object in a slot has been sent as message n.seq: it
	// decides what becomes of it (table.done, or a queue).
	sent(t *table, s cache.Slot)
	// sentControl is called when a message without object has been sent as n.seq, if
	// it is to be sent again when it is lost.
	sentControl(h *wire.Header, payload []byte)
	// take judges the sequence and the flags of a message, and reports whether its
	// content counts.
	take(p *peer, h *wire.Header) bool
	// control takes a message of type Control that counts, and reports whether it
	// knows it.
	control(p *peer, h *wire.Header) bool
	// tick does what is due and returns when there is more.
	tick() time.Time
	// joined is called for a peer that was not known, or is a new process.
	joined(p *peer)
	// cleared is called when the objects of a table were removed.
	cleared(t *table)
}

// New returns a node that knows nothing.
func New(o Options) *Node {
	n := &Node{o: o, c: o.Config}
	if n.o.Log == nil {
		n.o.Log = func(config.Level, string) {}
	}
	limit := o.Config.HashLimit
	n.Internal, n.External = cache.New(limit), cache.New(limit)
	n.InternalExpect, n.ExternalExpect = cache.New(limit), cache.New(limit)
	n.conns, n.expects = newTable(n.Internal, false), newTable(n.InternalExpect, true)
	n.now = o.Now()
	n.start = n.now
	n.seq = uint32(n.now.Unix()) - 1
	n.peers = make([]*peer, maxPeers)
	switch o.Config.Mode {
	case config.NoTrack:
		n.mode = newNoTrack(n)
	case config.Alarm:
		n.mode = newAlarm(n)
	default:
		n.mode = newFTFW(n)
	}
	n.initBulk()
	return n
}

// Clock returns the seconds since the node was made, from 1 on: the clock of the
// caches.
func (n *Node) Clock() uint32 { return n.clock(n.o.Now()) }

func (n *Node) clock(t time.Time) uint32 { return uint32(t.Sub(n.start)/time.Second) + 1 }

// log writes a line to the log.
func (n *Node) log(l config.Level, text string) { n.o.Log(l, text) }

// tables calls f for both tables.
func (n *Node) tables(f func(t *table)) {
	f(&n.conns)
	f(&n.expects)
}

// table returns the internal table of a type of message, nil if it is of no entry.
func (n *Node) table(t wire.Type) *table {
	switch t {
	case wire.New, wire.Update, wire.Delete:
		return &n.conns
	case wire.ExpectNew, wire.ExpectUpdate, wire.ExpectDelete:
		return &n.expects
	}
	return nil
}

// external returns the external cache of a type of message, nil if it is of no entry.
func (n *Node) external(t wire.Type) *cache.Cache {
	switch t {
	case wire.New, wire.Update, wire.Delete:
		return n.External
	case wire.ExpectNew, wire.ExpectUpdate, wire.ExpectDelete:
		return n.ExternalExpect
	}
	return nil
}

// Tick does what is due and returns when to call it next at the latest. It sends what
// waits, as far as the link and the peers take it.
func (n *Node) Tick() time.Time {
	n.now = n.o.Now()
	n.agePeers()
	next := earliest(n.mode.tick(), n.tickBulk())
	next = earliest(next, n.tickOurs())
	next = earliest(next, n.tickExpire())
	if n.pump(maxPump) {
		next = n.now
	}
	n.o.Link.Flush()
	if n.c.Mode == config.Alarm {
		return next // which has nothing to say that it is alive
	}
	return earliest(next, n.sent.Add(aliveTime))
}

// earliest returns the earlier of two times; a zero one is never.
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// FlushInternal empties the internal caches (-f). Nothing is sent.
func (n *Node) FlushInternal() {
	n.tables(func(t *table) {
		t.c.Clear()
		t.bulk = 0
		n.mode.cleared(t)
	})
	n.hold.objects = nil
	// Without internal cache a bulk is a dump of the table.
	n.bulk.partial = !n.c.DisableInternalCache
}

// FlushExternal empties the external caches (-f).
func (n *Node) FlushExternal() {
	n.External.Clear()
	n.ExternalExpect.Clear()
}

// Connected takes that a link or a connection to a peer is there: what was sent meanwhile
// may be lost.
func (n *Node) Connected(link int) {
	n.now = n.o.Now()
	n.startRound()
	n.wantBulk()
}
