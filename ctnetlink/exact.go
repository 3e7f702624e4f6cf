package ctnetlink

import (
	"errors"
	"net/netip"
	"sync/atomic"

	"github.com/gonntrack/gonntrack/internal/wire"
)

// The kernel looks for a tuple in both directions, and compares the zone of the
// request with that of the entry in the direction in which the tuple was found.
// A zone in a tuple of the request applies to one direction, and zone 0 to the
// other. So a request for an original tuple names the zone of the original
// direction such that it differs from that of the reply: what has the tuple as
// its reply is in the same zone then only if it is in the zone below.
// The kernel first looks where entries of the original direction's zone are.

// exactZone is the zone in which a request looks for a tuple in the direction
// that is not meant, where it is zone 0 in which the tuple is meant.
const exactZone = 0xffff

// appendExact appends the request as one message, for the entry that has the
// tuple in its own direction.
func (en *FlowSpec) appendExact(e *encoder, h header) {
	h.Family = en.family()
	e.begin(h)
	t, own, other := en.Orig, AttrTupleOrig, AttrTupleReply
	if t.Has == 0 {
		t, own, other = en.Reply, AttrTupleReply, AttrTupleOrig
	}
	if en.Set.Has(AttrZone) && t.Zone == 0 {
		t.Zone = en.Zone
	}
	if t.Zone == 0 {
		t.Zone, own = exactZone, other
	}
	t.Has |= FieldZone
	e.tuple(uint16(own), &t)
	en.appendFields(e, h)
}

// appendNamed appends a request about an existing entry as one message.
func (c *Conn) appendNamed(en *FlowSpec, h header) {
	if en.Exact && c.knowsDirections() {
		en.appendExact(&c.enc, h)
	} else {
		en.append(&c.enc, h)
	}
}

// directions is what a Conn and its batches know about the table: whether it has
// zones of one direction.
type directions struct{ answer atomic.Int32 }

const (
	directionsUnknown = iota
	directionsKnown
	directionsIgnored
)

// knowsDirections reports whether the table has zones of one direction, which it
// is asked once.
func (c *Conn) knowsDirections() bool {
	answer := c.directions.answer.Load()
	if answer == directionsUnknown {
		answer = c.askDirections()
		c.directions.answer.Store(answer)
	}
	return answer == directionsKnown
}

// askDirections asks for an entry in two zones, which a table with zones of one
// direction refuses: Linux before 4.3 does not see the zone in the tuple, and a
// kernel without zones refuses any. Where there is no answer, there is none to
// the request that needs it either.
func (c *Conn) askDirections() int32 {
	// The request that needs the answer, and the others of a batch, wait.
	waiting := c.enc.B
	c.enc.B = nil
	defer func() { c.enc.B = waiting }()
	t := Tuple{Has: FieldAddrs | FieldProto | FieldPorts | FieldZone, Proto: ProtoUDP, Zone: 1}
	t.Src, t.Dst = netip.IPv4Unspecified(), netip.IPv4Unspecified()
	ask := FlowSpec{Orig: t, Zone: 1, Set: AttrSet(0).With(AttrZone)}
	flags := uint16(wire.FlagRequest | wire.FlagAck)
	ask.append(&c.enc, header{Type: wire.SubsysConntrack<<8 | wire.MsgGet, Flags: flags, Seq: c.seq})
	switch err := c.exchange(nil); {
	case errors.Is(err, EINVAL):
		return directionsKnown
	case err == nil, errors.Is(err, ENOENT), errors.Is(err, EOPNOTSUPP):
		return directionsIgnored
	}
	return directionsUnknown
}
