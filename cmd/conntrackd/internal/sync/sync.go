// Package sync keeps the caches of nodes alike: the protocols FT-FW, NOTRACK and ALARM
// of conntrack-tools, and what makes them lose nothing.
package sync

import (
	"time"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/cache"
	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/config"
	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/link"
	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/wire"
)

// Link is where messages go: *link.Set.
type Link interface {
	Append(m []byte)
	Flush()
	Room() bool
}

// Injector changes the kernel's table at once, where there is no external cache.
type Injector interface {
	Inject(t wire.Type, o wire.Object)
}

// Source lists the kernel's table, where there is no internal cache.
type Source interface {
	// Dump calls f with the object of each entry.
	Dump(f func(o wire.Object)) error
}

// Options are the options of a node.
type Options struct {
	Config *config.Config
	Link   Link
	Inject Injector // with DisableExternalCache
	Source Source
	Now    func() time.Time
	Log    func(level config.Level, text string)
}

// Node is this node: its caches, and what it knows of its peers. It is not safe for
// concurrent use; package daemon holds a lock around every call.
type Node struct {
	Internal, External             *cache.Cache
	InternalExpect, ExternalExpect *cache.Cache
}

// New returns a node that knows nothing.
func New(o Options) *Node { panic("unwritten") }

// Event takes a change of the kernel's table: New, Update, Delete and the same of
// expectations. silent: this daemon has made it, so peers are not told.
func (n *Node) Event(t wire.Type, o wire.Object, silent bool) { panic("unwritten") }

// Receive takes what a link has received.
func (n *Node) Receive(from link.Sender, b []byte) { panic("unwritten") }

// Connected and Lost take what links say.
func (n *Node) Connected(link int) { panic("unwritten") }
func (n *Node) Lost(link int)      { panic("unwritten") }

// Tick does what is due and returns when to call it next at the latest. It sends what
// waits, as far as the link and the peers take it.
func (n *Node) Tick() time.Time { panic("unwritten") }

// Bulk sends the internal cache to the peers (-B).
func (n *Node) Bulk() { panic("unwritten") }

// RequestResync asks the peers for theirs (-n).
func (n *Node) RequestResync() { panic("unwritten") }

// FlushInternal and FlushExternal empty the caches (-f). Nothing is sent.
func (n *Node) FlushInternal() { panic("unwritten") }
func (n *Node) FlushExternal() { panic("unwritten") }

// Refresh begins and ends a dump of the kernel's table into the internal cache (-R,
// overrun): between the two, Event(Update) is called for each entry; what was there
// before and was not told is gone, and peers are told so, with changed entries, if
// tell is true.
func (n *Node) BeginRefresh(tell bool) { panic("unwritten") }
func (n *Node) EndRefresh()            { panic("unwritten") }

// HoldDeletes has ends of translated entries wait until the role of this node is known:
// an own address or a link is gone. Release sends them, Forget drops them.
func (n *Node) HoldDeletes()    { panic("unwritten") }
func (n *Node) ReleaseDeletes() { panic("unwritten") }
func (n *Node) ForgetDeletes()  { panic("unwritten") }

// Stats are the counters of the statistics.
type Stats struct {
	Malformed, WrongVersion, BadHeader, BadPayload, BadType, Truncated, BadSize uint64
	SendMalformed                                                               uint64
	Lost, Before                                                                uint64
	BypassNew, BypassUpdated, BypassDestroyed                                   uint64
	QueueNodes                                                                  int
	Queues                                                                      []QueueStats
}

// QueueStats is a queue of -s queue.
type QueueStats struct {
	Name     string // txqueue, errorq, rsqueue
	Len, Max int
	NoSpace  uint64
}

// Peer is what is known of another node.
type Peer struct {
	Sender     link.Sender
	Ours       bool // has done the handshake
	Name       string
	Role       string
	Seen       time.Time
	Lag        time.Duration // of the oldest change it has not acknowledged
	Unacked    int
	Entries    int       // in the external cache
	LastBulk   time.Time // the end of the last whole one that came from it
	Generation uint16
	Lost       uint64
}

// Peers returns the peers; Stats the counters.
func (n *Node) Peers() []Peer { panic("unwritten") }
func (n *Node) Stats() Stats  { panic("unwritten") }
