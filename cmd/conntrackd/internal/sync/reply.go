package sync

import (
	"encoding/binary"
	"time"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/cache"
)

// question is what a node asks another one of its tables.
type question uint8

// The questions, in the lowest bits of the flags of extAsk and extTell.
const (
	askDigests question = 1 // the answer: those of all parts
	askList    question = 2 // Data: a bit for each part; the answer: hashes of keys and contents
	askObjects question = 3 // Data: hashes of keys; the answer: lengths (16 bits) and objects
	askMask             = 3
	// askInternal asks for the internal cache, otherwise for what the external one has of
	// the node that asks.
	askInternal = 1 << 2
	// askExpect asks for expectations. Only peers with capExpect know it.
	askExpect = 1 << 3
)

const (
	// chunkLen is how much of an answer there is in a message, chunkRow how many messages
	// are sent for a question.
	chunkLen = 1000
	chunkRow = 16
	// replyMax is how long an answer is at most.
	replyMax = 256 << 10
	// replyKeep is for how long it is kept.
	replyKeep = 10 * time.Second
)

// reply is the answer to a peer's last question.
type reply struct {
	number uint32
	flags  uint16
	data   []byte // of the question
	view   view
	ready  bool
	from   uint32 // which message of the answer is asked for
	out    []byte
	until  time.Time
	parts  *[digestParts]digest
	keys   map[uint64]bool
}

// takeAsk takes a question. Only nodes that are ours and have no external cache cannot
// answer all of them: they do not answer.
func (n *Node) takeAsk(p *peer, e *extension) {
	r := p.own.reply
	if r != nil && r.number == e.A {
		r.from, r.until = e.B, n.now.Add(replyKeep)
		n.sendReply(p)
		return
	}
	r = &reply{number: e.A, flags: e.Flags, from: e.B, until: n.now.Add(replyKeep)}
	r.data = append(r.data, e.Data...)
	switch {
	case e.Flags&askInternal != 0 && n.c.DisableInternalCache, e.Flags&askInternal == 0 && n.c.DisableExternalCache:
		return
	}
	r.view = n.view(e.Flags&askInternal != 0, e.Flags&askExpect != 0, p)
	switch question(e.Flags & askMask) {
	case askDigests:
		r.parts = new([digestParts]digest)
	case askObjects:
		r.keys = make(map[uint64]bool)
		for b := r.data; len(b) >= 8; b = b[8:] {
			r.keys[binary.BigEndian.Uint64(b)] = true
		}
	case askList:
		if len(r.data) != digestParts/8 {
			return
		}
	default:
		return
	}
	p.own.reply = r
}

// tickReply looks at the next part of the table for an answer.
func (n *Node) tickReply(p *peer) time.Time {
	r := p.own.reply
	if r == nil {
		return time.Time{}
	}
	if !n.now.Before(r.until) {
		p.own.reply = nil
		return time.Time{}
	}
	if r.ready {
		return r.until
	}
	c := r.view.c
	more := r.view.step(func(key uint64, s cache.Slot) {
		switch {
		case r.parts != nil:
			r.parts[partOf(key)].add(key, r.view.content(s))
		case len(r.out) > replyMax:
		case r.keys == nil:
			if i := partOf(key); r.data[i/8]>>(i%8)&1 == 1 {
				r.out = binary.BigEndian.AppendUint64(r.out, key)
				r.out = binary.BigEndian.AppendUint32(r.out, r.view.content(s))
			}
		case r.keys[key]:
			r.out = binary.BigEndian.AppendUint16(r.out, uint16(len(c.Object(s))))
			r.out = append(r.out, c.Object(s)...)
		}
	})
	if more {
		return n.now
	}
	if r.parts != nil {
		r.out = appendDigests(r.out, r.parts)
	}
	r.ready, r.parts, r.keys = true, nil, nil
	n.sendReply(p)
	return r.until
}

// sendReply sends a part of an answer that is ready.
func (n *Node) sendReply(p *peer) {
	r := p.own.reply
	if !r.ready {
		return
	}
	count := uint32((len(r.out) + chunkLen - 1) / chunkLen)
	for i := r.from; i < r.from+chunkRow && (i < count || i == 0); i++ {
		n.sendExtension(&extension{
			Kind: extTell, Flags: r.flags, To: p.own.node, A: r.number, B: i, C: count,
			Data: r.out[min(int(i)*chunkLen, len(r.out)):min(int(i+1)*chunkLen, len(r.out))],
		})
	}
}
