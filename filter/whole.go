package filter

import "github.com/gonntrack/gonntrack/ctnetlink"

// Whole returns the original tuple of the entries that can match, with every
// field that its protocol has: such an entry can be asked for, without a walk of
// the table. The tuple has a zone if all these entries are in it in the original
// direction; then there is one at most. ok is false if the filter leaves a field
// open.
func (m *Filter) Whole() (t ctnetlink.Tuple, ok bool) {
	t = m.Orig.exact()
	fields := ctnetlink.FieldAddrs | ctnetlink.FieldProto
	switch {
	case t.Proto == ctnetlink.ProtoDCCP:
		return ctnetlink.Tuple{}, false // has ports or not, depending on the version of Linux
	case t.Proto == ctnetlink.ProtoICMP, t.Proto == ctnetlink.ProtoICMPv6:
		fields |= ctnetlink.FieldICMP
	case t.Proto.HasPorts(), t.Proto == ctnetlink.ProtoGRE:
		fields |= ctnetlink.FieldPorts
	}
	if t = t.Only(fields); t.Has != fields {
		return ctnetlink.Tuple{}, false
	}
	if zone, ok := m.origZone(); ok {
		t.Zone, t.Has = zone, t.Has|ctnetlink.FieldZone
	}
	return t, true
}

// origZone returns the zone in which every matching entry is in the original
// direction. The zone of an entry is that of both directions, or of one, which is
// then in zone 0 in the other.
func (m *Filter) origZone() (zone uint16, ok bool) {
	both, hasBoth := m.Zone.single()
	orig, hasOrig := m.Orig.Number(ctnetlink.FieldZone).single()
	reply, hasReply := m.Reply.Number(ctnetlink.FieldZone).single()
	switch {
	case hasBoth && both != 0:
		return uint16(both), true
	case hasOrig && orig != 0:
		return uint16(orig), true
	}
	return 0, hasReply && reply != 0 || hasBoth && hasOrig
}
