// Package sync keeps the caches of nodes alike: the protocols FT-FW, NOTRACK and ALARM
// of conntrack-tools, and what makes them lose nothing.
//
// A node has no goroutines, no sockets and no clock of its own: events, received
// messages and the time come by calls, and messages leave through a Link.
package sync

import (
	"time"

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
	// Dump has the table listed, and returns at once: BeginRefresh(false), Event(Update)
	// for each entry as long as Room reports true, and EndRefresh or, if it was not
	// whole, CancelRefresh.
	Dump()
}

// Options are the options of a node.
type Options struct {
	Config *config.Config
	Link   Link
	Inject Injector // with DisableExternalCache
	Source Source   // with DisableInternalCache
	Name   string   // what peers that are ours call this node: the name of the host
	Now    func() time.Time
	Log    func(level config.Level, text string)
}

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
	Away       bool          // it was not heard for 2.9 s
	Lag        time.Duration // of the oldest change it has not acknowledged
	Unacked    int
	Entries    int       // in the external cache
	Active     int       // that it says it has itself, if it is ours; -1: it cannot be compared
	LastBulk   time.Time // the end of the last whole one that came from it
	Generation uint16
	Lost       uint64
}
