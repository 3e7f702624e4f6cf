package engine

import (
	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/internal/wire"
)

// eventKind says what happened to an entry (one of the first three bits), and
// what the message of a creation or an update shows in addition.
type eventKind uint8

const (
	eventNew eventKind = 1 << iota
	eventUpdate
	eventDestroy
	eventLabels  // the labels may have changed
	eventRelated // it was created with a master
	eventPacket  // a packet caused it: an update shows only what is in entry.pending
)

// event sends an event about an entry to the sockets in its group
// (ctnetlink_conntrack_event). portID is that of the socket that caused it.
// echo, which may be nil, is a socket that receives it once, in the group or
// not.
func (t *Table) event(kind eventKind, e *entry, portID uint32, echo *socket) {
	if e.has&hasEvents == 0 {
		return
	}
	group, typ, flags := ctnetlink.GroupUpdate, uint16(typeNew), uint16(0)
	switch {
	case kind&eventDestroy != 0:
		group, typ = ctnetlink.GroupDestroy, wire.SubsysConntrack<<8|wire.MsgDelete
	case kind&eventNew != 0:
		group, flags = ctnetlink.GroupNew, wire.FlagCreate|wire.FlagExcl
	}
	if echo == nil && len(t.sockets.groups[group]) == 0 {
		return
	}
	w := t.builder()
	w.Begin(typ, flags, 0, portID, uint8(e.family()), 0, 0)
	t.putTuples(w, e)
	w.U32(uint16(ctnetlink.AttrID), e.id)
	w.U32(uint16(ctnetlink.AttrStatus), uint32(e.status))
	if kind&eventDestroy != 0 {
		t.putGone(w, e)
	} else {
		t.putChanged(w, e, kind)
	}
	if e.has&hasTimes != 0 {
		w.U64(uint16(ctnetlink.AttrTimestampEvent), uint64(t.wall))
	}
	w.End()
	t.multicast(w.B, group, echo)
}

// putGone appends the attributes of a DESTROY event.
func (t *Table) putGone(w *wire.Builder, e *entry) {
	stop := t.wall
	if late := t.now - e.deadline; e.has&hasTimeout != 0 && late > 0 {
		stop -= int64(late) * tickLen
	}
	if left := e.remaining(t.now); left != 0 {
		w.U32(uint16(ctnetlink.AttrTimeout), left)
	}
	e.putCounters(w)
	e.putTimes(w, stop)
	e.putProtoInfo(w, nil, true)
	if e.mark != 0 {
		w.U32(uint16(ctnetlink.AttrMark), e.mark)
	}
}

// putChanged appends the attributes of a NEW or UPDATE event. That of a packet
// has the protocol's state, the labels, the sequence adjustment and a mark of 0
// only if the packet changed them.
func (t *Table) putChanged(w *wire.Builder, e *entry, kind eventKind) {
	x := t.extension(e)
	changed := ^notes(0)
	if kind&eventPacket != 0 {
		changed = e.pending
	}
	w.U32(uint16(ctnetlink.AttrTimeout), e.remaining(t.now))
	if changed&noteProto != 0 || kind&eventNew != 0 {
		e.putProtoInfo(w, x, false)
	}
	if x != nil {
		x.putHelper(w)
		if kind&eventLabels != 0 {
			x.putLabels(w)
		}
		if kind&eventRelated != 0 {
			x.putMaster(w)
		}
		if changed&noteSeqAdj != 0 {
			x.putSeqAdj(w, e)
		}
	}
	if kind&eventPacket == 0 {
		e.putSynproxy(w, x)
	}
	if changed&noteMark != 0 || e.mark != 0 {
		w.U32(uint16(ctnetlink.AttrMark), e.mark)
	}
}

// multicast queues an event for the members of a group. echo, which may be nil,
// receives it once, in the group or not, after the others.
func (t *Table) multicast(msg []byte, g ctnetlink.Group, echo *socket) {
	for _, s := range t.sockets.groups[g] {
		if s != echo && s.passes(msg) {
			s.push(msg, eventCost)
		}
	}
	if echo != nil {
		echo.push(msg, eventCost)
	}
}

// FilterEvents implements [ctnetlink.EventFilterer]: the socket receives only
// events of entries that match q.
func (s *socket) FilterEvents(q *ctnetlink.EventFilter) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.filter = nil
	if q != nil {
		copied := *q
		s.filter = &copied
	}
	return nil
}

// passes reports whether an event matches the socket's filter. Events about
// expectations do.
func (s *socket) passes(msg []byte) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	q, f := s.filter, &s.filtered
	if q == nil || f.Decode(msg) != nil || wire.Message(msg).Type()>>8 != wire.SubsysConntrack {
		return true
	}
	return q.Match(f)
}
