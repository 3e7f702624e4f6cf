package ruleset

import (
	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/ctnetlink/engine"
)

// verdict is accept, drop, reject or return.
type verdict step

func (v verdict) eval(*ctx) step { return step(v) }

// branch is jump or goto.
type branch struct {
	to   *chain
	step step // jump or goTo
}

func (b branch) eval(c *ctx) step {
	c.target = b.to
	return b.step
}

// verdictMap is vmap: the verdict of the first element that matches.
type verdictMap struct {
	elems []verdictElem
}

type verdictElem struct {
	match *match
	op    op
}

func (v *verdictMap) eval(c *ctx) step {
	for _, e := range v.elems {
		if e.match.eval(c) == next {
			return e.op.eval(c)
		}
	}
	return mismatch
}

// counter counts the packets that reach it.
type counter struct{ packets, bytes uint64 }

func (n *counter) eval(c *ctx) step {
	n.packets++
	n.bytes += uint64(len(c.m.Data()))
	return next
}

// nothing is a statement without an effect on tracking: log, comment.
type nothing struct{}

func (nothing) eval(*ctx) step { return next }

type notrack struct{}

func (notrack) eval(c *ctx) step {
	c.m.NoTrack()
	return next
}

// setMark is ct mark set: the mark under a mask, and a value that is added.
type setMark struct{ keep, flip uint32 }

func (s setMark) eval(c *ctx) step {
	c.m.SetMark(c.m.Mark()&s.keep ^ s.flip)
	return next
}

type setZone struct {
	id              uint16
	original, reply bool
}

func (s setZone) eval(c *ctx) step {
	c.m.SetZone(s.id, s.original, s.reply)
	return next
}

// setHelper is ct helper set.
type setHelper struct {
	family ctnetlink.Family // 0: both
	proto  ctnetlink.Protocol
	name   string
}

func (s *setHelper) eval(c *ctx) step {
	if c.m.Protocol() == s.proto && (s.family == 0 || s.family == c.family) {
		c.m.SetHelper(s.name, c.family, s.proto)
	}
	return next
}

// setTimeouts is ct timeout set.
type setTimeouts struct {
	family   ctnetlink.Family // 0: both
	proto    ctnetlink.Protocol
	timeouts engine.Timeouts
}

func (s *setTimeouts) eval(c *ctx) step {
	if c.m.Protocol() == s.proto && (s.family == 0 || s.family == c.family) {
		c.m.SetTimeouts(&s.timeouts)
	}
	return next
}

// translate is snat, dnat, masquerade or redirect.
type translate struct {
	family ctnetlink.Family // of the addresses; 0: any
	to     engine.Translation
}

func (s *translate) eval(c *ctx) step {
	if s.family != 0 && s.family != c.family {
		return mismatch
	}
	if c.to == nil {
		return next
	}
	*c.to = s.to
	return translated
}
