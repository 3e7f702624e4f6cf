package sync

import (
	"slices"
	"time"
)

const (
	// askAgain is after how long without an answer it is asked for again, askTimes how
	// often.
	askAgain = 300 * time.Millisecond
	askTimes = 20
)

// ask asks the peer a question; the answer is in state.answer when state.have is set.
func (n *Node) ask(c *Comparison, t *task, q question, data []byte) {
	s := &c.state
	flags := uint16(q)
	if t.here {
		flags |= askInternal
	}
	if t.d.Expect {
		flags |= askExpect
	}
	s.view = n.view(!t.here, t.d.Expect, t.p)
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
