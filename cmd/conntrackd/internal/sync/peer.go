package sync

import (
	"time"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/cache"
	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/config"
	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/link"
	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/wire"
)

const (
	// maxPeers is how many peers a node knows at a time: as many as there are bits in
	// an object's Meta.Sender.
	maxPeers = 16
	// awayTime is after how long without a message a peer is not waited for.
	awayTime = 2900 * time.Millisecond
	// goneTime is after how long it is not remembered what it has not acknowledged.
	goneTime = time.Minute
	// maxSenders is how many addresses a peer has at a time.
	maxSenders = 8
	// maxAhead is how far ahead a sequence may be to be one of the same process.
	maxAhead = 1 << 17
	// doubtTime is for how long messages of the process that was on an address before
	// are taken for late ones; after it they are those of another node.
	doubtTime = time.Second
)

// peer is what is known of another node. Its index stays when its process is another
// one; its generation does not.
type peer struct {
	index      int
	bit        uint16        // of its index
	sender     link.Sender   // of its last message
	senders    []link.Sender // of its process
	replaced   link.Sender   // of its process before, if that was on the same address
	exact      bool          // other ports of its address are other peers
	since      time.Time     // when its process was heard first
	seen       time.Time     // when it was heard last
	away       bool          // it was not heard for awayTime
	generation uint16        // counts its processes and its bulks
	floor      uint16        // the first generation of its process, or of its last whole bulk
	lost       uint64        // messages
	need       bool          // it lacks what is not going to be sent without a bulk

	ft  ftPeer
	own oursPeer
}

// peer returns the peer that has sent a message, nil if there are too many.
func (n *Node) peer(from link.Sender, h *wire.Header) *peer {
	p := n.last
	if p == nil || p.sender != from {
		p = n.find(from, h)
		if p == nil {
			return nil
		}
		n.last = p
	}
	p.seen = n.now
	if p.away {
		p.away = false
		n.back(p)
	}
	return p
}

// find returns the peer of a sender that is not that of the last message.
func (n *Node) find(from link.Sender, h *wire.Header) *peer {
	var same *peer // the same node, from another address or port
	for _, p := range n.peers {
		if p == nil {
			continue
		}
		for _, s := range p.senders {
			if s == from {
				p.sender = from
				return p
			}
		}
		if p.replaced == from {
			if n.now.Sub(p.since) < doubtTime {
				return nil
			}
			p.exact, p.replaced = true, link.Sender{}
			q := n.newPeer(from)
			if q != nil {
				q.exact = true
			}
			return q
		}
		if same == nil && !p.exact && n.sameNode(p, from, h) {
			same = p
		}
	}
	if same == nil {
		return n.newPeer(from)
	}
	if n.sameProcess(same, from, h) {
		if len(same.senders) >= maxSenders {
			same.senders = append(same.senders[:0], same.senders[1:]...)
		}
		same.senders = append(same.senders, from)
		same.sender = from
		return same
	}
	n.restarted(same, from)
	return same
}

// sameNode reports whether a sender is the node of a peer: it has its address, or it is
// the only other node, or another link goes on where the peer's has ended.
func (n *Node) sameNode(p *peer, from link.Sender, h *wire.Header) bool {
	for _, s := range p.senders {
		if s.Link == from.Link && s.Addr.Addr() == from.Addr.Addr() {
			return true
		}
	}
	if n.remote(from) {
		return n.remote(p.sender)
	}
	if from.Link == p.sender.Link || !p.ft.have {
		return false
	}
	d := int32(h.Seq - p.ft.last)
	return h.Type != wire.Extension && d > 0 && d <= maxAhead
}

// remote reports whether a sender is the node that the configuration names.
func (n *Node) remote(s link.Sender) bool {
	if s.Link < 0 || s.Link >= len(n.c.Links) {
		return false
	}
	l := &n.c.Links[s.Link]
	return l.Kind != config.Multicast && l.Remote.Unmap() == s.Addr.Addr().Unmap()
}

// sameProcess reports whether a peer's new address is one of the process that it was
// heard from before: on another link, or by a new connection, it goes on with its
// sequence. A datagram socket has one port for its life.
func (n *Node) sameProcess(p *peer, from link.Sender, h *wire.Header) bool {
	datagrams := from.Link < 0 || from.Link >= len(n.c.Links) || n.c.Links[from.Link].Kind != config.TCP
	if datagrams {
		for _, s := range p.senders {
			if s.Link == from.Link {
				return false
			}
		}
	}
	if h.Flags&wire.FlagHello != 0 && !p.ft.hello {
		return false
	}
	d := int32(h.Seq - p.ft.last)
	if h.Type == wire.Extension {
		d++ // it has the sequence of the message before it
	}
	return p.ft.have && d > 0 && d <= maxAhead
}

// newPeer makes a peer, in place of the one not heard for longest if there are too many.
func (n *Node) newPeer(from link.Sender) *peer {
	free, oldest := -1, -1
	for i, p := range n.peers {
		if p == nil {
			if free < 0 {
				free = i
			}
		} else if oldest < 0 || p.seen.Before(n.peers[oldest].seen) {
			oldest = i
		}
	}
	p := &peer{sender: from, senders: []link.Sender{from}, since: n.now, seen: n.now}
	if free < 0 {
		old := n.peers[oldest]
		if n.now.Sub(old.seen) < awayTime {
			return nil
		}
		n.forget(old)
		free = oldest
		p.generation, p.floor = old.generation+1, old.generation+1 // what it has told was not told by p
	}
	p.index, p.bit = free, 1<<free
	n.peers[free] = p
	n.mode.joined(p)
	n.peerJoined(p)
	return p
}

// restarted takes that a peer is a new process, which knows nothing.
func (n *Node) restarted(p *peer, from link.Sender) {
	n.clearBit(p)
	old := p.sender
	*p = peer{
		index: p.index, bit: p.bit, generation: p.generation + 1, floor: p.generation + 1, lost: p.lost, own: p.own,
	}
	p.sender, p.senders = from, []link.Sender{from}
	p.since, p.seen = n.now, n.now
	if old.Link == from.Link && old.Addr.Port() != from.Addr.Port() {
		p.replaced = old
	}
	n.peers[p.index] = p
	n.mode.joined(p)
	n.peerRestarted(p)
}

// forget has nothing wait for a peer, and frees its place.
func (n *Node) forget(p *peer) {
	n.clearBit(p)
	n.endSweep(p) // which would remove what the next peer in its place tells
	n.peers[p.index] = nil
	if n.last == p {
		n.last = nil
	}
}

// agePeers looks who was not heard for long.
func (n *Node) agePeers() {
	for _, p := range n.peers {
		if p == nil {
			continue
		}
		silent := n.now.Sub(p.seen)
		if !p.away && silent > awayTime {
			p.away = true
		}
		if silent > goneTime && p.ft.unacked > 0 {
			n.clearBit(p)
			p.need = true
		}
	}
}

// back takes that a peer that was away is heard again.
func (n *Node) back(p *peer) {
	if p.need || p.own.missed {
		p.own.misses = 0
		n.peerNeeds(p)
	}
}

// waiting returns the bits of the peers that have to acknowledge what is sent.
func (n *Node) waiting() uint16 {
	var mask uint16
	for _, p := range n.peers {
		if p != nil && p.ft.acks && n.now.Sub(p.seen) <= goneTime {
			mask |= p.bit
		}
	}
	return mask
}

// Of an object of an internal cache, Meta.Sender has the bits of the peers that have
// not acknowledged it.

// await has an object wait for peers.
func (n *Node) await(m *cache.Meta, mask uint16) {
	m.Sender = mask
	for _, p := range n.peers {
		if p == nil || p.bit&mask == 0 {
			continue
		}
		if p.ft.unacked == 0 {
			p.ft.acked = n.now
		}
		p.ft.unacked++
	}
}

// release has an object wait for nobody.
func (n *Node) release(m *cache.Meta) {
	if m.Queue != queueRs || m.Sender == 0 {
		return
	}
	for _, p := range n.peers {
		if p != nil && p.bit&m.Sender != 0 {
			p.ft.unacked--
		}
	}
	m.Sender = 0
}

// clearBit has no object wait for a peer.
func (n *Node) clearBit(p *peer) {
	n.tables(func(t *table) {
		for s := t.rs.First; s != 0; {
			m := t.c.Meta(s)
			next := m.Next
			if m.Sender &^= p.bit; m.Sender == 0 {
				t.c.Remove(&t.rs, s)
				t.done(s)
			}
			s = next
		}
	})
	p.ft.unacked = 0
}
