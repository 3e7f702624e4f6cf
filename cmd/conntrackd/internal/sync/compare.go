package sync

import (
	"encoding/binary"
	"time"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/cache"
)

const (
	// compareWait is how long after a difference was found it must be there still: what
	// is on its way is none.
	compareWait = 1500 * time.Millisecond
	// listMax is how many entries of a list are asked for at a time.
	listMax = replyMax / digestLen * 3 / 4
)

// Comparison is a comparison of tables under way.
type Comparison struct {
	Differences []Difference
	Done        chan struct{} // closed at the end
	limit       int

	task  []task
	state compareState
}

// task is one of the comparisons to make.
type task struct {
	p    *peer
	node uint64
	here bool
	d    Difference
}

// phase is how far a task is.
type phase uint8

const (
	digestPhase phase = iota
	listPhase
	waitPhase
	secondPhase
	objectPhase
)

// compareState is the task under way.
type compareState struct {
	phase  phase
	asked  bool
	number uint32
	flags  uint16
	data   []byte
	sent   time.Time
	tries  int
	chunks [][]byte
	answer []byte
	have   bool // the answer is whole
	walked bool // the own view is
	view   view
	until  time.Time

	own     *[digestParts]digest
	parts   []int // that differ and were not looked at
	set     []byte
	entries map[uint64]found
	before  map[uint64]diffKind
}

// found is an entry of the own view.
type found struct {
	slot    cache.Slot
	content uint32
}

// Compare begins to compare the tables of this node and of its peers that are ours, both
// ways, and their expectations if both keep them alike. At most limit differences of each
// are listed. The result is complete when Done
// is closed; a comparison that is under way is ended as it is.
func (n *Node) Compare(limit int) *Comparison {
	n.now = n.o.Now()
	n.endCompare()
	c := &Comparison{Done: make(chan struct{}), limit: max(limit, 1)}
	for _, p := range n.peers {
		if p == nil {
			continue
		}
		for _, expect := range []bool{false, true} {
			if expect && (!n.c.Expect || !p.own.expects) {
				continue // one of them keeps none alike
			}
			c.task = append(c.task, n.newTask(p, false, expect), n.newTask(p, true, expect))
		}
	}
	n.comparison = c
	n.tickCompare()
	return c
}

// newTask returns the comparison of a table with what another node has of it.
func (n *Node) newTask(p *peer, here, expect bool) task {
	t := task{p: p, node: p.own.node, here: here}
	address := p.sender.Addr.Addr().Unmap().String()
	t.d = Difference{Peer: address, Here: here, Expect: expect}
	if p.own.name != "" {
		t.d.Peer = p.own.name + " (" + address + ")"
	}
	switch {
	case p.own.node == 0:
		t.d.Error = "the peer is not of this kind"
	case p.away:
		t.d.Error = "the peer is silent"
	case !n.extended:
		t.d.Error = "not all peers on the link are of this kind"
	case n.c.DisableExternalCache && here:
		t.d.Error = "there is no external cache"
	case n.c.DisableInternalCache && !here:
		t.d.Error = "there is no internal cache"
	}
	return t
}

// endCompare ends the comparison under way.
func (n *Node) endCompare() {
	if c := n.comparison; c != nil {
		for _, t := range c.task {
			t.d.Error = "another comparison was begun"
			c.Differences = append(c.Differences, t.d)
		}
		n.comparison = nil
		close(c.Done)
	}
}

// tickCompare goes on with comparisons, own and others', and returns when there is more
// to do.
func (n *Node) tickCompare() time.Time {
	next := time.Time{}
	for _, p := range n.peers {
		if p != nil {
			next = earliest(next, n.tickReply(p))
		}
	}
	c := n.comparison
	if c == nil {
		return next
	}
	for len(c.task) > 0 {
		t := &c.task[0]
		if t.d.Error == "" && !t.d.compared {
			if n.peers[t.p.index] != t.p || t.p.own.node != t.node {
				t.d.Error = "the peer is another process now"
			} else if due := n.compareTask(c, t); t.d.Error == "" && !t.d.compared {
				return earliest(next, due)
			}
		}
		c.Differences = append(c.Differences, t.d)
		c.task, c.state = c.task[1:], compareState{}
	}
	n.comparison = nil
	close(c.Done)
	return next
}

// compareTask goes on with a task and returns when there is more to do.
func (n *Node) compareTask(c *Comparison, t *task) time.Time {
	s := &c.state
	switch s.phase {
	case digestPhase:
		return n.compareDigests(c, t)
	case listPhase, secondPhase:
		return n.compareLists(c, t)
	case waitPhase:
		if n.now.Before(s.until) {
			return s.until
		}
		s.phase, s.asked = secondPhase, false
		return n.now
	}
	return n.fetchObjects(c, t)
}

func (n *Node) compareDigests(c *Comparison, t *task) time.Time {
	s := &c.state
	if !s.asked {
		s.own = new([digestParts]digest)
		n.ask(c, t, askDigests, nil)
	}
	if !s.walked {
		s.walked = !s.view.step(func(key uint64, slot cache.Slot) {
			s.own[partOf(key)].add(key, s.view.content(slot))
		})
		return n.now
	}
	if n.waits(c, t) {
		return n.now.Add(20 * time.Millisecond)
	}
	other, ok := parseDigests(s.answer)
	if !ok {
		t.d.Error = "the peer's answer is not understood"
		return n.now
	}
	for i := range s.own {
		if t.here {
			t.d.Entries += int(other[i].count)
		} else {
			t.d.Entries += int(s.own[i].count)
		}
		if s.own[i] != other[i] {
			s.parts = append(s.parts, i)
			// Later only how many there may be counts.
			s.own[i].count = max(s.own[i].count, other[i].count)
		}
	}
	n.nextParts(t, s)
	return n.now
}

// nextParts begins to compare the next parts of the tables that differ.
func (n *Node) nextParts(t *task, s *compareState) {
	if len(s.parts) == 0 {
		s.phase, s.asked = objectPhase, false
		return
	}
	s.set = make([]byte, digestParts/8)
	count := 0
	for len(s.parts) > 0 && (count == 0 || count+int(s.own[s.parts[0]].count) <= listMax) {
		i := s.parts[0]
		s.set[i/8] |= 1 << (i % 8)
		count += int(s.own[i].count)
		s.parts = s.parts[1:]
	}
	s.phase, s.asked, s.before = listPhase, false, nil
}

func (n *Node) compareLists(c *Comparison, t *task) time.Time {
	s := &c.state
	if !s.asked {
		s.entries = make(map[uint64]found)
		n.ask(c, t, askList, s.set)
	}
	if !s.walked {
		s.walked = !s.view.step(func(key uint64, slot cache.Slot) {
			if i := partOf(key); s.set[i/8]>>(i%8)&1 == 1 && len(s.entries) < 2*listMax {
				s.entries[key] = found{slot, s.view.content(slot)}
			}
		})
		return n.now
	}
	if n.waits(c, t) {
		return n.now.Add(20 * time.Millisecond)
	}
	now := make(map[uint64]diffKind)
	for key := range s.entries {
		now[key] = onlyOwn
	}
	for b := s.answer; len(b) >= digestLen; b = b[digestLen:] {
		key, content := binary.BigEndian.Uint64(b), binary.BigEndian.Uint32(b[8:])
		e, ok := s.entries[key]
		switch {
		case !ok:
			now[key] = onlyOther
		case e.content != content:
			now[key] = unlike
		default:
			delete(now, key)
		}
	}
	if s.phase == listPhase {
		s.before = now
		if len(now) == 0 {
			n.nextParts(t, s)
			return n.now
		}
		s.phase, s.until = waitPhase, n.now.Add(compareWait)
		return s.until
	}
	for key, kind := range now {
		if s.before[key] == kind {
			n.differs(c, t, key, kind)
		}
	}
	if t.d.More {
		s.parts = nil
	}
	n.nextParts(t, s)
	return n.now
}
