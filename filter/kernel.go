package filter

import "github.com/gonntrack/gonntrack/ctnetlink"

// Kernel returns the dumps that ask the kernel for no more than it must send:
// every entry that matches is in one of them, and in one only; others may be
// too, so that each must still be matched.
//
// The kernel compares tuples within a family only. Where none is given, two
// filtered walks of the table take less time than one that sends everything,
// when the filter leaves few entries: a port does, a protocol alone does not.
func (m *Filter) Kernel() []*ctnetlink.DumpRequest {
	q := m.common()
	if zone := m.anyZone(); zone != 0 {
		q.Zone, q.Set = zone, q.Set.With(ctnetlink.AttrZone)
	}
	if m.Family != ctnetlink.FamilyAny {
		m.narrow(&q)
		return []*ctnetlink.DumpRequest{&q}
	}
	if !m.Orig.selective() && !m.Reply.selective() {
		return []*ctnetlink.DumpRequest{&q}
	}
	q4, q6 := q, q
	q4.Family, q6.Family = ctnetlink.FamilyIPv4, ctnetlink.FamilyIPv6
	m.narrow(&q4)
	m.narrow(&q6)
	return []*ctnetlink.DumpRequest{&q4, &q6}
}

// common returns what dumps and events are both asked for.
func (m *Filter) common() ctnetlink.DumpRequest {
	q := ctnetlink.DumpRequest{Family: m.Family}
	if m.HasMark {
		q.Mark, q.MarkMask = m.Mark, m.MarkMask
		q.Set = q.Set.With(ctnetlink.AttrMark)
	}
	// A mask of 0 would be refused.
	if mask := m.StatusSet | m.StatusClear; mask != 0 {
		q.Status, q.StatusMask = m.StatusSet, mask
		q.Set = q.Set.With(ctnetlink.AttrStatus)
	}
	return q
}

// Events returns what a listening socket is asked to let through: no event
// that matches is left out.
func (m *Filter) Events() *ctnetlink.EventFilter {
	q := &ctnetlink.EventFilter{
		DumpRequest: m.common(),
		OrigSrcMask: m.Orig.SrcMask, OrigDstMask: m.Orig.DstMask,
		ReplySrcMask: m.Reply.SrcMask, ReplyDstMask: m.Reply.DstMask,
	}
	q.Orig, q.Reply = m.Orig.Tuple, m.Reply.Tuple
	return q
}

// anyZone returns a zone that every matching entry is in, in one direction at
// least; 0 when there is none, or none that can be asked for.
func (m *Filter) anyZone() uint16 {
	switch {
	case m.HasZone && m.Zone != 0:
		return m.Zone
	case m.Orig.Has&ctnetlink.FieldZone != 0 && m.Orig.Zone != 0:
		return m.Orig.Zone
	case m.Reply.Has&ctnetlink.FieldZone != 0:
		return m.Reply.Zone
	}
	return 0
}

// narrow adds to a dump of one family what the kernel can compare of the
// tuples.
func (m *Filter) narrow(q *ctnetlink.DumpRequest) {
	q.Orig, q.Reply = m.Orig.exact(), m.Reply.exact()
	q.Orig.Has = ctnetlink.FilterFields(&q.Orig, q.Family)
	q.Reply.Has = ctnetlink.FilterFields(&q.Reply, q.Family)
}

// exact returns the tuple without the addresses that are compared under a mask.
func (w *Tuple) exact() ctnetlink.Tuple {
	t := w.Tuple
	if w.SrcMask.IsValid() {
		t.Has &^= ctnetlink.FieldSrc
	}
	if w.DstMask.IsValid() {
		t.Has &^= ctnetlink.FieldDst
	}
	return t
}

// selective tells whether a comparison that the kernel makes in both families
// leaves few entries.
func (w *Tuple) selective() bool {
	return w.Has&ctnetlink.FieldProto != 0 && w.Has&ctnetlink.FieldPorts != 0 &&
		(w.Proto == ctnetlink.ProtoTCP || w.Proto == ctnetlink.ProtoUDP)
}
