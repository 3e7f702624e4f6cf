package sync

import (
	"errors"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/config"
	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/link"
	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/wire"
)

// Receive takes what a link has received.
func (n *Node) Receive(from link.Sender, b []byte) {
	n.now = n.o.Now()
	for len(b) > 0 {
		h, payload, rest, err := wire.Next(b)
		if len(rest) >= len(b) {
			return
		}
		b = rest
		if n.c.Mode == config.Alarm {
			var ignore bool
			if ignore, err = h.Alarm(err); ignore {
				continue
			}
		}
		if err != nil {
			n.damaged(err)
			continue
		}
		if p := n.peer(from, &h); p != nil {
			n.message(p, &h, payload)
		}
	}
}

// message takes a message of a peer.
func (n *Node) message(p *peer, h *wire.Header, payload []byte) {
	if h.Type == wire.Extension {
		n.extension(p, payload)
		return
	}
	if !n.mode.take(p, h) {
		return
	}
	switch h.Type {
	case wire.Control:
		if !n.mode.control(p, h) {
			n.damaged(wire.BadHeader)
		}
	default:
		n.data(p, h, payload)
	}
}

// data takes a message of an entry: it changes the external cache, or the kernel's
// table where there is none.
func (n *Node) data(p *peer, h *wire.Header, payload []byte) {
	t := h.Type
	c := n.external(t)
	if c == nil {
		n.damaged(wire.BadType)
		return
	}
	o, err := wire.Merge(n.obj[:0], t, nil, payload)
	if err != nil {
		n.damaged(err)
		return
	}
	n.obj = o
	n.heardData(p)
	if n.o.Inject != nil && n.c.DisableExternalCache {
		n.inject(t, o, payload)
		return
	}
	k := o.Key()
	s := c.Find(&k)
	if s != 0 && p.older(c.Meta(s), h.Seq) {
		return
	}
	switch t {
	case wire.Delete, wire.ExpectDelete:
		if s != 0 {
			c.Delete(s)
		}
		return
	case wire.Update, wire.ExpectUpdate:
		if s != 0 {
			if o, err = wire.Merge(n.obj[:0], t, c.Object(s), payload); err != nil {
				n.damaged(err)
				return
			}
			n.obj = o
		}
	}
	if s != 0 {
		if m := c.Meta(s); m.Sender == uint16(p.index) && m.Generation != p.generation {
			p.own.old.again++
		}
		c.Set(s, o)
	} else if s = c.Add(o); s == 0 {
		return
	} else {
		c.Meta(s).Created = n.clock(n.now)
	}
	m := c.Meta(s)
	c.SetSender(s, uint16(p.index))
	m.Generation, m.Told, m.Seq = p.generation, n.clock(n.now), h.Seq
	if a, ok := n.mode.(*alarm); ok {
		a.told(c, s)
	}
}

// damaged counts a message that is not understood.
func (n *Node) damaged(err error) {
	n.stats.Malformed++
	var d wire.Damage
	if !errors.As(err, &d) {
		n.stats.BadPayload++
		return
	}
	switch d {
	case wire.WrongVersion:
		n.stats.WrongVersion++
	case wire.BadHeader:
		n.stats.BadHeader++
	case wire.BadType:
		n.stats.BadType++
	case wire.Truncated:
		n.stats.Truncated++
	case wire.BadSize:
		n.stats.BadSize++
	default:
		n.stats.BadPayload++
	}
}
