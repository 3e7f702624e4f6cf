package filter

import "github.com/gonntrack/gonntrack/ctnetlink"

// maxWalks is how many filtered walks of the table replace one that sends
// everything. A filtered walk takes an eighth of its time at 200 000 entries,
// and a third at a million; during a walk other requests wait.
const maxWalks = 4

// Split returns filters that together match what m matches, and no entry
// twice. If m has a short list of protocols or ports, each filter has a single
// one of them, which the kernel can compare; otherwise Split returns m alone.
func (m *Filter) Split() []*Filter {
	whole := []*Filter{m}
	// A single port leaves few entries, and so does an address of IPv4.
	if m.Orig.selective() || m.Reply.selective() ||
		m.Family == ctnetlink.FamilyIPv4 && (m.Orig.exact().Has|m.Reply.exact().Has)&ctnetlink.FieldAddrs != 0 {
		return whole
	}
	limit := maxWalks
	if m.Family == ctnetlink.FamilyAny {
		limit /= 2 // each is two walks, see Kernel
	}
	parts := split(whole, limit, func(f *Filter) *Tuple { return &f.Orig })
	parts = split(parts, limit, func(f *Filter) *Tuple { return &f.Reply })
	for _, part := range parts {
		if !part.Orig.selective() && !part.Reply.selective() {
			return whole
		}
	}
	return parts
}

// split splits filters into no more than limit, by the short sets of one
// direction.
func split(parts []*Filter, limit int, direction func(*Filter) *Tuple) []*Filter {
	for _, field := range [...]ctnetlink.Fields{ctnetlink.FieldProto, ctnetlink.FieldSrcPort, ctnetlink.FieldDstPort} {
		values, ok := direction(parts[0]).Number(field).values(limit / len(parts))
		if !ok || len(values) < 2 {
			continue
		}
		var finer []*Filter
		for _, part := range parts {
			for _, n := range values {
				one := *part
				direction(&one).SetNumber(field, Values(n))
				finer = append(finer, &one)
			}
		}
		parts = finer
	}
	return parts
}
