package filter

import "github.com/gonntrack/gonntrack/ctnetlink"

// maxWalks is how many filtered walks of the table replace one that sends
// everything. A filtered walk takes an eighth of its time at 200 000 entries,
// and a third at a million; during a walk other requests wait.
const maxWalks = 4

// Split returns filters that together match what m matches, and no entry
// twice. If m has a short list of IPv4 addresses, of protocols or of ports, each
// filter has a single one of them, which the kernel can compare; otherwise Split
// returns m alone.
func (m *Filter) Split() []*Filter {
	whole := []*Filter{m}
	if m.leavesFew() {
		return whole
	}
	if parts := m.splitAddrs(); parts != nil {
		return parts
	}
	limit := maxWalks
	if m.Family == ctnetlink.FamilyAny {
		limit /= 2 // each is two walks, see Kernel
	}
	parts := split(whole, limit, func(f *Filter) *Tuple { return &f.Orig })
	parts = split(parts, limit, func(f *Filter) *Tuple { return &f.Reply })
	for _, part := range parts {
		if !part.leavesFew() {
			return whole
		}
	}
	return parts
}

// leavesFew reports whether the kernel sends few entries: a single port leaves few,
// and so does an address of IPv4.
func (m *Filter) leavesFew() bool {
	return m.Orig.selective() || m.Reply.selective() ||
		m.Family == ctnetlink.FamilyIPv4 && (m.Orig.exact().Has|m.Reply.exact().Has)&ctnetlink.FieldAddrs != 0
}

// splitAddrs returns a filter for each address of a short list of IPv4 addresses,
// nil if there is no such list.
func (m *Filter) splitAddrs() (parts []*Filter) {
	if m.Family != ctnetlink.FamilyIPv4 {
		return nil
	}
	for _, direction := range []func(*Filter) *Tuple{
		func(f *Filter) *Tuple { return &f.Orig }, func(f *Filter) *Tuple { return &f.Reply },
	} {
		for _, field := range [...]ctnetlink.Fields{ctnetlink.FieldSrc, ctnetlink.FieldDst} {
			a := direction(m).Addr(field)
			values, ok := a.In.values(maxWalks)
			if !ok || len(values) == 0 || a.Not {
				continue
			}
			for _, addr := range values {
				one := *m
				direction(&one).SetAddr(field, Address{Addr: addr})
				parts = append(parts, &one)
			}
			return parts
		}
	}
	return nil
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
