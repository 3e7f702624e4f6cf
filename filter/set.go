package filter

import (
	"cmp"
	"slices"
)

// Range is the set of numbers from Min to Max, both included.
type Range struct{ Min, Max uint32 }

// Set is a set of numbers: ranges in ascending order that neither overlap nor
// touch. A nil Set in a Filter is no criterion; an empty one that is not nil
// contains no number, so that no entry matches.
type Set []Range

// Values returns the set of single numbers, such as ports or protocols. It is
// never nil.
func Values[N ~uint8 | ~uint16 | ~uint32 | ~int](numbers ...N) Set {
	ranges := make([]Range, len(numbers))
	for i, n := range numbers {
		ranges[i] = Range{uint32(n), uint32(n)}
	}
	return NewSet(ranges...)
}

// NewSet returns the union of ranges, which may overlap and come in any order.
// It is never nil.
func NewSet(ranges ...Range) Set {
	ranges = slices.Clone(ranges)
	slices.SortFunc(ranges, func(a, b Range) int { return cmp.Compare(a.Min, b.Min) })
	s := make(Set, 0, len(ranges))
	for _, r := range ranges {
		if last := len(s) - 1; last >= 0 && uint64(r.Min) <= uint64(s[last].Max)+1 {
			s[last].Max = max(s[last].Max, r.Max)
			continue
		}
		s = append(s, r)
	}
	return s
}

// Contains reports whether n is in the set.
func (s Set) Contains(n uint32) bool {
	for i := range s {
		if n <= s[i].Max {
			return n >= s[i].Min
		}
	}
	return false
}

// Complement returns the numbers from 0 to maximum that are not in the set. It
// is never nil.
func (s Set) Complement(maximum uint32) Set {
	c := make(Set, 0, len(s)+1)
	next := uint64(0)
	for _, r := range s {
		if uint64(r.Min) > next {
			c = append(c, Range{uint32(next), r.Min - 1})
		}
		next = uint64(r.Max) + 1
	}
	if next <= uint64(maximum) {
		c = append(c, Range{uint32(next), maximum})
	}
	return c
}

// single returns the number of a set of one.
func (s Set) single() (n uint32, ok bool) {
	if len(s) != 1 || s[0].Min != s[0].Max {
		return 0, false
	}
	return s[0].Min, true
}

// values returns the numbers of the set, or false when there are more than
// limit.
func (s Set) values(limit int) (list []uint32, ok bool) {
	for _, r := range s {
		if uint64(r.Max)-uint64(r.Min) >= uint64(limit-len(list)) {
			return nil, false
		}
		for n := uint64(r.Min); n <= uint64(r.Max); n++ {
			list = append(list, uint32(n))
		}
	}
	return list, true
}
