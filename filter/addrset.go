package filter

import (
	"net/netip"
	"slices"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// AddrRange is the set of addresses from Min to Max, both included, which are of
// the same family.
type AddrRange struct{ Min, Max netip.Addr }

// AddrSet is a set of addresses of one family or of both: ranges in ascending
// order, IPv4 first, that neither overlap nor touch. An empty set that is not nil
// contains no address.
type AddrSet []AddrRange

// NewAddrSet returns the union of ranges, which may overlap and come in any order.
// It is never nil.
func NewAddrSet(ranges ...AddrRange) AddrSet {
	ranges = slices.Clone(ranges)
	slices.SortFunc(ranges, func(a, b AddrRange) int { return a.Min.Compare(b.Min) })
	s := make(AddrSet, 0, len(ranges))
	for _, r := range ranges {
		last := len(s) - 1
		if last < 0 || r.Min.BitLen() != s[last].Max.BitLen() ||
			r.Min.Compare(s[last].Max) > 0 && r.Min != s[last].Max.Next() {
			s = append(s, r)
			continue
		}
		if r.Max.Compare(s[last].Max) > 0 {
			s[last].Max = r.Max
		}
	}
	return s
}

// PrefixRange returns the addresses of a network.
func PrefixRange(p netip.Prefix) AddrRange {
	p = p.Masked()
	first := p.Addr()
	last := first.AsSlice()
	for i := range last {
		if host := (i+1)*8 - p.Bits(); host > 0 {
			last[i] |= byte(0xff >> (8 - min(host, 8)))
		}
	}
	a, _ := netip.AddrFromSlice(last)
	return AddrRange{first, a}
}

// Contains reports whether a is in the set.
func (s AddrSet) Contains(a netip.Addr) bool {
	low, high := 0, len(s)
	for low < high { // the first range that does not end before a
		if mid := (low + high) / 2; s[mid].Max.Compare(a) < 0 {
			low = mid + 1
		} else {
			high = mid
		}
	}
	return low < len(s) && s[low].Min.Compare(a) <= 0
}

// Family returns the family of every address of the set; FamilyAny if it has
// addresses of both families, or none.
func (s AddrSet) Family() ctnetlink.Family {
	switch {
	case len(s) == 0 || s[0].Min.BitLen() != s[len(s)-1].Max.BitLen():
		return ctnetlink.FamilyAny
	case s[0].Min.Is4():
		return ctnetlink.FamilyIPv4
	}
	return ctnetlink.FamilyIPv6
}

// values returns the addresses of the set, or false if there are more than limit.
func (s AddrSet) values(limit int) (list []netip.Addr, ok bool) {
	for _, r := range s {
		for a := r.Min; ; a = a.Next() {
			if len(list) == limit {
				return nil, false
			}
			list = append(list, a)
			if a == r.Max {
				break
			}
		}
	}
	return list, true
}
