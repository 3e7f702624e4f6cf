package sync

import (
	"math"
	"time"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/cache"
	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/wire"
)

// noTrack is the mode NOTRACK: messages are numbered, and nothing is sent again. What
// comes twice is dropped, and what comes late counts only for entries that nothing newer
// was told of.
type noTrack struct{ n *Node }

func newNoTrack(n *Node) *noTrack { return &noTrack{n} }

func (m *noTrack) flags() wire.Flags { return 0 }
func (m *noTrack) room() int         { return math.MaxInt32 }

// sent ends the sending of an object: nobody acknowledges it.
func (m *noTrack) sent(t *table, s cache.Slot) { t.done(s) }

func (m *noTrack) sentControl(h *wire.Header, payload []byte) {}

// take judges a message by its sequence.
func (m *noTrack) take(p *peer, h *wire.Header) bool {
	const data = wire.FlagHello | wire.FlagHelloBack
	if h.Type != wire.Control && h.Flags&^data != 0 {
		m.n.damaged(wire.BadHeader)
		return false
	}
	return m.n.track(p, h)
}

// control takes RESYNC and ALIVE. Those of FT-FW are damaged headers here.
func (m *noTrack) control(p *peer, h *wire.Header) bool {
	switch {
	case h.Flags&wire.FlagResync != 0:
		m.n.resyncAsked(p)
	case h.Flags&wire.FlagAlive != 0:
	default:
		return false
	}
	return true
}

// tick sends ALIVE after a time without messages.
func (m *noTrack) tick() time.Time {
	if due := m.n.sent.Add(aliveTime); m.n.now.Before(due) {
		return due
	}
	m.n.sendControl(&wire.Header{Type: wire.Control, Flags: wire.FlagAlive}, nil, false)
	return m.n.now.Add(aliveTime)
}

func (m *noTrack) joined(p *peer)   {}
func (m *noTrack) cleared(t *table) {}

// track counts a message that nobody acknowledges by its sequence, and reports whether
// its content counts: a message that came already does not.
func (n *Node) track(p *peer, h *wire.Header) bool {
	where, gap := p.own.seen.add(h.Seq)
	p.own.late = where == late || where == foreign
	if where == late && p.lost > 0 {
		// It was counted as lost when the one behind it came.
		p.lost--
		n.stats.Lost--
	}
	if where != inOrder {
		n.stats.Before++
	}
	if gap > 0 {
		p.lost += uint64(gap)
		n.stats.Lost += uint64(gap)
		n.gap(p)
	}
	return where != double
}

// older reports whether a message of a peer tells of an entry what is older than what
// is known of it. m is what is kept of the entry.
func (p *peer) older(m *cache.Meta, seq uint32) bool {
	return p.own.late && m.Sender == uint16(p.index) && int32(seq-m.Seq) < 0
}
