package sync

import (
	"time"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/wire"
)

// oursState and oursPeer are what a node knows of its handshakes, as a whole and with a
// peer. The second stays when the peer is a new process.
type (
	oursState struct{}
	oursPeer  struct{}
)

// extension takes an Extension message. h.Seq is 0 if it was outside of the sequence.
func (n *Node) extension(p *peer, h *wire.Header, payload []byte) {}

// tickOurs does what is due of handshakes.
func (n *Node) tickOurs() time.Time { return time.Time{} }
