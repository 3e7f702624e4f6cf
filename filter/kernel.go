package filter

import "github.com/gonntrack/gonntrack/ctnetlink"

// Kernel returns dumps that together contain every entry that matches, and no
// entry twice. They ask the kernel to leave out as much as it can; what it
// sends must still be matched.
//
// The kernel compares tuples within one family only. Without a family, two
// filtered walks of the table take less time than one that sends everything if
// the filter leaves few entries: a port does, a protocol alone does not.
func (m *Filter) Kernel() []*ctnetlink.DumpRequest {
	q := ctnetlink.DumpRequest{Family: m.family()}
	q.Mark, q.MarkMask = m.mark()
	q.Status, q.StatusMask = m.StatusSet, m.StatusSet|m.StatusClear
	q.Zone = m.anyZone()
	if m.Any != nil && len(m.Any.filters) == 1 && m.Orig.has|m.Reply.has == 0 &&
		q == (ctnetlink.DumpRequest{Family: q.Family}) && m.Family == ctnetlink.FamilyAny {
		return m.Any.filters[0].Kernel() // m itself leaves it nothing to do
	}
	if q.Family != ctnetlink.FamilyAny {
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

// mark returns the single mark, with its mask, that every matching entry has;
// zeros when there is none.
func (m *Filter) mark() (mark, mask uint32) {
	if len(m.Marks) == 1 && !m.NotMarks && m.Marks[0].Min == m.Marks[0].Max && m.Marks[0].Mask != 0 {
		return m.Marks[0].Min, m.Marks[0].Mask
	}
	return 0, 0
}

// Events returns a filter for a listening socket that passes every event that
// matches. What it passes must still be matched.
func (m *Filter) Events() *ctnetlink.EventFilter {
	q := &ctnetlink.EventFilter{
		Family: m.family(),
		Status: m.StatusSet, StatusMask: m.StatusSet | m.StatusClear,
		OrigSrcMask: m.Orig.src.Mask, OrigDstMask: m.Orig.dst.Mask,
		ReplySrcMask: m.Reply.src.Mask, ReplyDstMask: m.Reply.dst.Mask,
	}
	q.Mark, q.MarkMask = m.mark()
	orig, reply := m.Orig.single(), m.Reply.single()
	q.Orig, q.Reply = orig.Only(^ctnetlink.FieldZone), reply.Only(^ctnetlink.FieldZone)
	return q
}

// anyZone returns a zone that every matching entry has in at least one
// direction, or 0 when there is none that a dump can ask for.
func (m *Filter) anyZone() uint16 {
	for _, s := range []Set{m.Zone, m.Orig.Number(ctnetlink.FieldZone), m.Reply.Number(ctnetlink.FieldZone)} {
		if zone, ok := s.single(); ok && zone != 0 {
			return uint16(zone)
		}
	}
	return 0
}

// narrow adds to a dump of one family the fields of the tuples that the kernel
// compares.
func (m *Filter) narrow(q *ctnetlink.DumpRequest) {
	q.Orig, q.Reply = m.Orig.exact(), m.Reply.exact()
}

// single returns the fields with a single value, addresses under a mask
// included.
func (w *Tuple) single() ctnetlink.Tuple {
	var t ctnetlink.Tuple
	for h := w.has; h != 0; h &= h - 1 {
		switch field := h & -h; {
		case field == ctnetlink.FieldSrc && !w.src.Not && w.src.In == nil:
			t.Src, t.Has = w.src.Addr, t.Has|field
		case field == ctnetlink.FieldDst && !w.dst.Not && w.dst.In == nil:
			t.Dst, t.Has = w.dst.Addr, t.Has|field
		case field&ctnetlink.FieldAddrs == 0:
			if n, ok := w.Number(field).single(); ok {
				setNumber(&t, field, n)
			}
		}
	}
	return t
}

// exact returns the fields with a single value, without the zone and addresses
// that are compared under a mask.
func (w *Tuple) exact() ctnetlink.Tuple {
	t := w.single()
	fields := t.Has &^ ctnetlink.FieldZone
	if w.src.Mask.IsValid() {
		fields &^= ctnetlink.FieldSrc
	}
	if w.dst.Mask.IsValid() {
		fields &^= ctnetlink.FieldDst
	}
	return t.Only(fields)
}

// setNumber sets a numeric field.
func setNumber(t *ctnetlink.Tuple, field ctnetlink.Fields, n uint32) {
	t.Has |= field
	switch field {
	case ctnetlink.FieldProto:
		t.Proto = ctnetlink.Protocol(n)
	case ctnetlink.FieldSrcPort:
		t.SrcPort = uint16(n)
	case ctnetlink.FieldDstPort:
		t.DstPort = uint16(n)
	case ctnetlink.FieldICMPType:
		t.ICMPType = uint8(n)
	case ctnetlink.FieldICMPCode:
		t.ICMPCode = uint8(n)
	case ctnetlink.FieldICMPID:
		t.ICMPID = uint16(n)
	case ctnetlink.FieldZone:
		t.Zone = uint16(n)
	}
}

// selective reports whether the kernel can compare a port in both families, so
// that few entries remain.
func (w *Tuple) selective() bool {
	t := w.single()
	return t.Has&ctnetlink.FieldProto != 0 && t.Has&ctnetlink.FieldPorts != 0 &&
		(t.Proto == ctnetlink.ProtoTCP || t.Proto == ctnetlink.ProtoUDP)
}
