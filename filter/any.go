package filter

import (
	"iter"
	"slices"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// Any is a list of filters, of which an entry must match at least one. It is
// indexed: to compare an entry with ten thousand filters that have an address, a
// port, an id, a mark or a zone takes about as long as with a few. Filters that
// have none of these, or only ranges, negations and large sets of them, are
// compared one after the other.
//
// The zero Any matches no entry. Several goroutines may use one.
type Any struct {
	filters []*Filter
	indexes []index
	rest    []*Filter // those that are in no index
}

// maxShapes is how many indexes there may be before filters are indexed by less.
const maxShapes = 48

// NewAny returns the list of filters, which it keeps. They must not be changed
// afterwards.
func NewAny(filters ...*Filter) *Any {
	a := &Any{filters: filters}
	shapes := make([]shape, len(filters))
	different := map[shape]bool{}
	for i, m := range filters {
		shapes[i] = shapeOf(m)
		different[shapes[i]] = true
	}
	at := map[shape]int{}
	for i, m := range filters {
		s := shapes[i]
		if len(different) > maxShapes {
			s = s.coarse()
		}
		if s == (shape{}) {
			a.rest = append(a.rest, m)
			continue
		}
		n, ok := at[s]
		if !ok {
			n = len(a.indexes)
			at[s] = n
			a.indexes = append(a.indexes, newIndex(s))
		}
		a.indexes[n].add(m)
	}
	return a
}

// Len returns the number of filters.
func (a *Any) Len() int { return len(a.filters) }

// All returns the filters, which must not be changed.
func (a *Any) All() iter.Seq[*Filter] { return slices.Values(a.filters) }

// Match reports whether an entry matches at least one of the filters. It does not
// allocate.
func (a *Any) Match(f *ctnetlink.Flow) bool {
	for i := range a.indexes {
		if a.indexes[i].match(f) {
			return true
		}
	}
	for _, m := range a.rest {
		if m.Match(f) {
			return true
		}
	}
	return false
}

// all reports whether there are filters and all have a property.
func (a *Any) all(property func(*Filter) bool) bool {
	for _, m := range a.filters {
		if !property(m) {
			return false
		}
	}
	return len(a.filters) > 0
}

// family returns the family that every matching entry has, FamilyAny if there is
// none.
func (a *Any) family() ctnetlink.Family {
	if len(a.filters) == 0 {
		return ctnetlink.FamilyAny
	}
	first := a.filters[0].Family
	if !a.all(func(m *Filter) bool { return m.Family == first }) {
		return ctnetlink.FamilyAny
	}
	return first
}
