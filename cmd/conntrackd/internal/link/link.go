// Package link is the dedicated links between nodes: multicast, UDP and TCP, over IPv4
// and IPv6, several with failover; datagrams and streams of whole messages, signed or
// sealed if there is a key.
//
// Every link listens, one of them, the active one, is sent on. Sending never waits: what
// the system does not take at once is queued, up to a bound, and [Set.Room] says so.
package link

import (
	"net/netip"
	"time"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/config"
)

// Sender tells apart who sends: the address and port that datagrams come from, or the
// peer of a TCP connection. A node that restarts has another port.
type Sender struct {
	Link int // index of the link
	Addr netip.AddrPort
}

// Handler takes what arrives. It is called by goroutines of the links only, never by the
// methods of Set, and no lock of the Set is held meanwhile: a Handler may take a lock
// under which the Set is used, and may use the Set.
type Handler interface {
	// Receive takes whole messages: a datagram, or what is complete of a stream. b is
	// valid until it returns. There is one call at a time for a link of datagrams, and
	// for each connection of TCP.
	Receive(from Sender, b []byte)
	// Connected is called when a TCP connection to a peer was made, by which messages go
	// out, and when a link comes up again.
	Connected(link int)
	// Lost is called when a connection or link was lost.
	Lost(link int)
	// Room is called when Set.Room would return true after it has returned false: what
	// waits can be sent.
	Room()
	// Log takes a line for the log.
	Log(level config.Level, text string)
}

// Options are the options of the links.
type Options struct {
	Links      []config.Link
	ErrorQueue int // datagrams that are kept while they cannot be sent; 0: none
	Key        []byte
	Encrypt    bool
	Handler    Handler

	// Silence is for how long nothing may be heard on the active link, after something
	// was, before the next one is tried; 0: for ever. It is for modes in which nodes
	// always send something.
	Silence time.Duration

	enter func(func() error) error // calls a function that opens sockets; nil: as it is
}

// Stats are the counters of one link.
type Stats struct {
	Interface                string
	Kind                     config.Kind
	Status                   string // RUNNING, NO-CARRIER, DOWN
	Active                   bool
	Server, Client           bool // TCP: a peer has connected to this node, this node to the peer
	SentBytes, RecvBytes     uint64
	SentPackets, RecvPackets uint64 // datagrams; TCP: writes of as much as a datagram, reads
	SendErrors, RecvErrors   uint64
	Forged, Replayed         uint64 // with a key: refused
	ErrorQueue               int    // datagrams that wait to be sent again
}
