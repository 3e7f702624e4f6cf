package sync

import (
	"time"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/config"
)

// Samples of what was sent when: sampleTime apart at least, the last maxSamples.
const (
	sampleTime = 10 * time.Millisecond
	maxSamples = 1024
)

// sample says that all up to a sequence was sent by a time.
type sample struct {
	seq uint32
	at  time.Time
}

// samples are the last of them in a ring.
type samples struct {
	list []sample
	next int
}

// sample notes what has been sent by now.
func (n *Node) sample() {
	s := &n.samples
	if len(s.list) > 0 {
		last := s.list[(s.next+len(s.list)-1)%len(s.list)]
		if last.seq == n.seq || n.now.Sub(last.at) < sampleTime {
			return
		}
	}
	if len(s.list) < maxSamples {
		s.list = append(s.list, sample{n.seq, n.now})
		return
	}
	s.list[s.next] = sample{n.seq, n.now}
	s.next = (s.next + 1) % len(s.list)
}

// age returns how long ago a sequence was sent, at most as long as is remembered.
func (n *Node) age(seq uint32) time.Duration {
	s := &n.samples
	for i := range s.list {
		if e := s.list[(s.next+i)%len(s.list)]; int32(e.seq-seq) >= 0 {
			return max(n.now.Sub(e.at), 0)
		}
	}
	return 0
}

// lag returns the age of the oldest change that a peer has not acknowledged. With
// NOTRACK only peers that are ours acknowledge, once a second.
func (n *Node) lag(p *peer) time.Duration {
	if !n.acknowledged() {
		if !p.own.told || int32(n.seq-p.own.received) <= 0 {
			return 0
		}
		return n.age(p.own.received + 1)
	}
	if p.ft.unacked == 0 {
		return 0
	}
	oldest := time.Duration(0)
	n.tables(func(t *table) {
		s := t.rs.First
		for range maxPump {
			if s == 0 {
				return
			}
			m := t.c.Meta(s)
			if m.Sender&p.bit != 0 {
				oldest = max(oldest, n.age(m.Seq))
				return
			}
			s = m.Next
		}
	})
	return oldest
}

// Peers returns the peers.
func (n *Node) Peers() []Peer {
	n.now = n.o.Now()
	var list []Peer
	for _, p := range n.peers {
		if p == nil {
			continue
		}
		active := p.own.active
		if n.c.DisableExternalCache || !p.own.refreshes {
			active = -1 // nothing of it is kept here, or it has no internal cache
		}
		list = append(list, Peer{
			Sender: p.sender, Ours: p.own.node != 0, Name: p.own.name, Role: p.own.role.String(),
			Seen: p.seen, Away: p.away, Lag: n.lag(p), Unacked: p.ft.unacked,
			Entries: n.External.From(uint16(p.index)), Active: active,
			LastBulk: p.own.whole, Generation: p.generation, Lost: p.lost,
		})
	}
	return list
}

// Sending reports whether a bulk is being sent, or is going to be.
func (n *Node) Sending() bool { return n.bulk.wanted || n.bulk.phase != bulkIdle }

// Stats returns the counters.
func (n *Node) Stats() Stats {
	s := n.stats
	tx := QueueStats{Name: "txqueue", Len: n.conns.tx.Len + n.expects.tx.Len, Max: n.c.HashLimit}
	s.QueueNodes = tx.Len
	s.Queues = []QueueStats{tx}
	if n.c.Mode == config.FTFW {
		rs := QueueStats{Name: "rsqueue", Len: n.conns.rs.Len + n.expects.rs.Len, Max: n.c.ResendQueueSize}
		s.QueueNodes += rs.Len
		s.Queues = append(s.Queues, rs)
	}
	return s
}

// Ready says whether a node can take over.
type Ready uint8

// What Ready says, which is the exit status of --status.
const (
	// ReadyYes: the external cache has all that a peer had when it was heard last.
	ReadyYes Ready = iota
	// ReadyPartly: a bulk is under way, or messages were lost and not sent again.
	ReadyPartly
	// ReadyNo: no peer has sent a whole bulk yet.
	ReadyNo
)

// Ready reports whether this node can take over from its peers, and why not. A peer that
// is absent does not matter: that is what taking over is for.
func (n *Node) Ready() (Ready, string) {
	n.now = n.o.Now()
	if n.c.Mode == config.Alarm || n.c.DisableExternalCache {
		for _, p := range n.peers {
			if p != nil {
				return ReadyYes, ""
			}
		}
		return ReadyNo, "no peer was heard"
	}
	some := false
	state, why := ReadyNo, "no peer was heard"
	for _, p := range n.peers {
		if p == nil {
			continue
		}
		is, text := n.readyFor(p)
		if !some || is > state {
			state, why = is, text
		}
		some = true
	}
	return state, why
}

func (n *Node) readyFor(p *peer) (Ready, string) {
	switch {
	case p.own.whole.IsZero():
		return ReadyNo, "no whole table of " + p.sender.Addr.Addr().Unmap().String() + " has come yet"
	case p.own.inside || !p.own.old.asked.IsZero() || p.own.old.want:
		return ReadyPartly, "the table of " + p.sender.Addr.Addr().Unmap().String() + " is being received"
	case !n.bulk.resync.gap.IsZero():
		return ReadyPartly, "messages were lost, and are going to be asked for"
	}
	return ReadyYes, ""
}
