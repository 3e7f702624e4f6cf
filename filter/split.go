package filter

import "github.com/gonntrack/gonntrack/ctnetlink"

// maxWalks is how many filtered walks of the table are made in place of one that
// sends everything. A filtered walk takes an eighth of its time at 200 000
// entries, and a third at a million; while it lasts nobody else's request is
// answered.
const maxWalks = 4

// Split returns filters that together match what m matches, and no two of them
// the same entry. Where m has a short list of protocols or ports, each filter
// has one of them, so that the kernel, which compares with one value, can
// evaluate it; else m stays whole.
func (m *Filter) Split() []*Filter {
	whole := []*Filter{m}
	// Ports leave few entries as they are, and so does an address of IPv4.
	if m.More == nil || m.Orig.selective() || m.Reply.selective() ||
		m.Family == ctnetlink.FamilyIPv4 && (m.Orig.exact().Has|m.Reply.exact().Has)&ctnetlink.FieldAddrs != 0 {
		return whole
	}
	limit := maxWalks
	if m.Family == ctnetlink.FamilyAny {
		limit /= 2 // each is two walks, see Kernel
	}
	parts := split(whole, limit, m.More.Orig, func(f *Filter) *Tuple { return &f.Orig })
	parts = split(parts, limit, m.More.Reply, func(f *Filter) *Tuple { return &f.Reply })
	for _, part := range parts {
		if !part.Orig.selective() && !part.Reply.selective() {
			return whole
		}
	}
	return parts
}

// split splits filters into no more than limit, by those sets of one direction
// whose numbers are few.
func split(parts []*Filter, limit int, sets []FieldSet, direction func(*Filter) *Tuple) []*Filter {
	for _, s := range sets {
		if s.Field&(ctnetlink.FieldProto|ctnetlink.FieldPorts) == 0 {
			continue
		}
		values, ok := s.Set.values(limit / len(parts))
		if !ok {
			continue
		}
		var finer []*Filter
		for _, part := range parts {
			for _, n := range values {
				one := *part
				direction(&one).set(s.Field, n)
				finer = append(finer, &one)
			}
		}
		parts = finer
	}
	return parts
}

// set makes the protocol or a port an exact one.
func (w *Tuple) set(field ctnetlink.Fields, n uint32) {
	w.Has |= field
	switch field {
	case ctnetlink.FieldProto:
		w.Proto = uint8(n)
	case ctnetlink.FieldSrcPort:
		w.SrcPort = uint16(n)
	case ctnetlink.FieldDstPort:
		w.DstPort = uint16(n)
	}
}
