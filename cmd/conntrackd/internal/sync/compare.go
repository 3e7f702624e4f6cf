package sync

import (
	"encoding/binary"
	"slices"
	"time"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/cache"
	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/wire"
)

const (
	// askAgain is after how long without an answer it is asked for again, askTimes how
	// often.
	askAgain = 300 * time.Millisecond
	askTimes = 20
	// compareWait is how long after a difference was found it must be there still: what
	// is on its way is none.
	compareWait = 1500 * time.Millisecond
	// listMax is how many entries of a list are asked for at a time.
	listMax = replyMax / digestLen * 3 / 4
	// objectsMax is how many objects are.
	objectsMax = 64
)

// Difference is how what one node has of another's table differs from it.
type Difference struct {
	Peer     string // the name and the address of the peer
	Here     bool   // what this node has of the peer's table, otherwise the reverse
	Entries  int    // of the table
	Missing  []wire.Object
	Stale    []wire.Object // what is no more
	Changed  []wire.Object // as the table has them
	More     bool          // there are more differences than were asked for
	Error    string        // why it could not be compared
	stale    []uint64
	compared bool
}

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

type diffKind uint8

const (
	onlyOwn diffKind = iota + 1
	onlyOther
	unlike
)

// Compare begins to compare the tables of this node and of its peers that are ours, both
// ways. At most limit differences of each are listed. The result is complete when Done
// is closed; a comparison that is under way is ended as it is.
func (n *Node) Compare(limit int) *Comparison {
	n.now = n.o.Now()
	n.endCompare()
	c := &Comparison{Done: make(chan struct{}), limit: max(limit, 1)}
	for _, p := range n.peers {
		if p == nil {
			continue
		}
		for _, here := range []bool{false, true} {
			t := task{p: p, node: p.own.node, here: here}
			t.d = Difference{Peer: p.own.name + " (" + p.sender.Addr.Addr().Unmap().String() + ")", Here: here}
			if p.own.name == "" {
				t.d.Peer = p.sender.Addr.Addr().Unmap().String()
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
			c.task = append(c.task, t)
		}
	}
	n.comparison = c
	n.tickCompare()
	return c
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

// ask asks the peer a question; the answer is in state.answer when state.have is set.
func (n *Node) ask(c *Comparison, t *task, q question, data []byte) {
	s := &c.state
	flags := uint16(q)
	if t.here {
		flags |= askInternal
		s.view = view{c: n.External, sender: t.p.index}
	} else {
		s.view = view{c: n.Internal, sender: -1}
	}
	n.asks++
	s.number, s.flags, s.data = n.asks, flags, data
	s.asked, s.have, s.walked, s.tries, s.chunks, s.answer = true, false, false, 0, nil, nil
	s.sendAsk(n, t)
}

// sendAsk asks for the first message of the answer that is not there.
func (s *compareState) sendAsk(n *Node, t *task) {
	from := slices.IndexFunc(s.chunks, func(b []byte) bool { return b == nil })
	n.sendExtension(&extension{
		Kind: extAsk, Flags: s.flags, To: t.node, A: s.number, B: uint32(max(from, 0)), Data: s.data,
	})
	s.sent = n.now
	s.tries++
}

// takeTell takes a part of an answer.
func (n *Node) takeTell(p *peer, e *extension) {
	c := n.comparison
	if c == nil || len(c.task) == 0 || c.task[0].p != p {
		return
	}
	s := &c.state
	if !s.asked || s.have || e.A != s.number || e.C > replyMax/chunkLen+16 || e.B > 0 && e.B >= e.C {
		return
	}
	if s.chunks == nil {
		s.chunks = make([][]byte, max(e.C, 1))
	}
	if int(e.B) >= len(s.chunks) {
		return
	}
	if s.chunks[e.B] == nil {
		s.chunks[e.B] = append([]byte{}, e.Data...)
		s.tries = 0
	}
	missing := slices.IndexFunc(s.chunks, func(b []byte) bool { return b == nil })
	if missing < 0 {
		s.answer, s.have = slices.Concat(s.chunks...), true
		s.chunks = nil
	} else if e.B%chunkRow == chunkRow-1 && missing > int(e.B) {
		s.sendAsk(n, &c.task[0])
	}
}

// waits asks again for what has not come, and reports whether something has not.
func (n *Node) waits(c *Comparison, t *task) bool {
	s := &c.state
	if s.have {
		return !s.walked
	}
	if n.now.Sub(s.sent) >= askAgain {
		if s.tries >= askTimes {
			t.d.Error = "the peer does not answer"
			return true
		}
		s.sendAsk(n, t)
	}
	return true
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
			s.own[partOf(key)].add(key, contentHash(s.view.c.Object(slot)))
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
				s.entries[key] = found{slot, contentHash(s.view.c.Object(slot))}
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

// differs notes a difference.
func (n *Node) differs(c *Comparison, t *task, key uint64, kind diffKind) {
	d := &t.d
	if len(d.Missing)+len(d.Stale)+len(d.Changed)+len(d.stale) >= c.limit {
		d.More = true
		return
	}
	if kind == onlyOther || kind == unlike && t.here {
		d.stale = append(d.stale, key)
		return
	}
	o := wire.Object(slices.Clone(c.state.view.c.Object(c.state.entries[key].slot)))
	switch {
	case len(o) == 0:
	case kind == unlike:
		d.Changed = append(d.Changed, o)
	case t.here:
		d.Stale = append(d.Stale, o)
	default:
		d.Missing = append(d.Missing, o)
	}
}

// fetchObjects asks for the objects that only the peer has.
func (n *Node) fetchObjects(c *Comparison, t *task) time.Time {
	s := &c.state
	if len(t.d.stale) == 0 {
		t.d.compared = true
		return n.now
	}
	if !s.asked {
		var data []byte
		for _, key := range t.d.stale[:min(len(t.d.stale), objectsMax)] {
			data = binary.BigEndian.AppendUint64(data, key)
		}
		n.ask(c, t, askObjects, data)
		s.walked = true
	}
	if n.waits(c, t) {
		return n.now.Add(20 * time.Millisecond)
	}
	for b := s.answer; len(b) >= 2; {
		l := int(binary.BigEndian.Uint16(b))
		if l > len(b)-2 {
			break
		}
		n.fetched(t, b[2:2+l])
		b = b[2+l:]
	}
	t.d.stale = t.d.stale[min(len(t.d.stale), objectsMax):]
	s.asked = false
	return n.now
}

// fetched takes an object that the peer has sent.
func (n *Node) fetched(t *task, b []byte) {
	o, err := wire.Merge(nil, wire.New, nil, b)
	if err != nil {
		return
	}
	k := o.Key()
	switch s := n.External.Find(&k); {
	case !t.here:
		t.d.Stale = append(t.d.Stale, o)
	case s != 0 && n.External.Meta(s).Sender == uint16(t.p.index):
		t.d.Changed = append(t.d.Changed, o)
	default:
		t.d.Missing = append(t.d.Missing, o)
	}
}
