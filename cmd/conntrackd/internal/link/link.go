// Package link is the dedicated links between nodes: multicast, UDP and TCP, over IPv4
// and IPv6, several with failover; datagrams and streams of whole messages, signed or
// sealed if there is a key.
package link

import (
	"net/netip"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/config"
)

// Sender tells apart who sends: the address and port that datagrams come from, or the
// peer of a TCP connection. A node that restarts has another port.
type Sender struct {
	Link int // index of the link
	Addr netip.AddrPort
}

// Handler takes what arrives. It is called by the goroutines of the links, one call at a
// time for each link.
type Handler interface {
	// Receive takes whole messages: a datagram, or what is complete of a stream. b is
	// valid until it returns.
	Receive(from Sender, b []byte)
	// Connected is called when a TCP connection to or from a peer was made, and when a
	// link comes up again.
	Connected(link int)
	// Lost is called when a connection or link was lost.
	Lost(link int)
	// Log takes a line for the log.
	Log(level config.Level, text string)
}

// Set is the links of a node.
type Set struct{}

// Options are the options of the links.
type Options struct {
	Links      []config.Link
	ErrorQueue int
	Key        []byte // nil: none
	Encrypt    bool
	Handler    Handler
}

// Open opens all links. An error says what is logged.
func Open(o Options) (*Set, error) { panic("unwritten") }

// Append puts a message into the buffer of the active link, and sends what is there
// before if it would become too large for a datagram. It keeps no reference to m.
func (s *Set) Append(m []byte) { panic("unwritten") }

// Flush sends what is in the buffer.
func (s *Set) Flush() { panic("unwritten") }

// Room reports whether the active link takes more without losing or waiting: for TCP,
// that the peer reads. Bulks wait until it does.
func (s *Set) Room() bool { panic("unwritten") }

// Close ends all.
func (s *Set) Close() { panic("unwritten") }

// Stats are the counters of one link.
type Stats struct {
	Interface                string
	Kind                     config.Kind
	Status                   string // RUNNING, NO-CARRIER, DOWN
	Active                   bool
	Server, Client           bool // TCP: connected
	SentBytes, RecvBytes     uint64
	SentPackets, RecvPackets uint64
	SendErrors, RecvErrors   uint64
	Forged, Replayed         uint64 // with a key: refused
	ErrorQueue               int    // datagrams that wait to be sent again
}

// Stats returns the counters of all links.
func (s *Set) Stats() []Stats { panic("unwritten") }
