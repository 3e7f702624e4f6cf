package stats

import (
	"bytes"
	"fmt"
	"iter"
	"slices"
)

// Summary groups entries by the values of keys, and counts the entries, packets
// and bytes of each group. It keeps the groups and no entry: its memory grows
// with the number of groups.
type Summary struct {
	keys   []string
	groups *groups
	total  Group
	code   []byte
	ahead  byte // see Sorted
}

// Group is the set of entries with the same values.
type Group struct {
	// Values has one value for each key, in the order of the keys.
	Values []Value
	// Entries is the number of entries.
	Entries uint64
	// Packets and Bytes are the sums over the entries with counters. Counted
	// reports whether there is one; otherwise the sums are 0.
	Packets, Bytes uint64
	Counted        bool
}

// NewSummary returns an empty summary by keys with these names.
func NewSummary(keys []string) *Summary {
	return &Summary{keys: keys, groups: newGroups()}
}

// Keys returns the names of the keys.
func (s *Summary) Keys() []string { return s.keys }

// Len returns the number of groups.
func (s *Summary) Len() int { return s.groups.n }

// Add counts an entry. values are the values of all keys, one after the other,
// as the Append functions of this package write them; they are copied. Counted
// reports whether the entry has counters; if not, packets and bytes are ignored.
func (s *Summary) Add(values []byte, packets, bytes uint64, counted bool) {
	s.groups.of(values).add(packets, bytes, counted)
	s.total.Entries++
	if counted {
		s.total.Packets += packets
		s.total.Bytes += bytes
		s.total.Counted = true
	}
}

// Total returns the group of all entries, without values.
func (s *Summary) Total() Group { return s.total }

// read sets g to a group.
func (g *Group) read(at group) {
	g.Entries, g.Packets, g.Bytes, g.Counted = at.entries(), at.packets(), at.bytes(), at.counted()
	key := at.key()
	for i := range g.Values {
		n := cut(key)
		g.Values[i], key = decode(key[:n]), key[n:]
	}
}

// All returns the groups in no particular order. A group is valid until the
// next one, and the summary must not change meanwhile.
func (s *Summary) All() iter.Seq[*Group] {
	return func(yield func(*Group) bool) {
		g := Group{Values: make([]Value, len(s.keys))}
		for _, at := range s.groups.all() {
			if g.read(at); !yield(&g) {
				return
			}
		}
	}
}

// Sums are the names of the sums that Sorted accepts in an order, beside the
// names of the keys.
var Sums = []string{"entries", "packets", "bytes"}

// Sorted returns the groups in an order by sums and keys of the summary; groups
// that are equal in all of it are in the order of their values. If limit is not
// 0, Sorted returns the first limit groups. It returns an error if a name in
// the order is neither a sum nor a key. A group is valid until the next one,
// and the summary must not change meanwhile.
func (s *Summary) Sorted(order []Order, limit int) (iter.Seq[*Group], error) {
	terms := make([]term, len(order))
	for i, o := range order {
		terms[i] = term{o, slices.Index(Sums, o.Name), slices.Index(s.keys, o.Name)}
		if terms[i].sum < 0 && terms[i].key < 0 {
			return nil, fmt.Errorf("groups have no `%s': entries, packets, bytes, and the keys", o.Name)
		}
	}
	t := &top{limit: limit}
	if limit == 0 {
		t.places = make([]place, 0, s.groups.n)
	}
	var other []byte
	t.compare = func(p, q place) int {
		if c := p.compare(q); c != 0 {
			return c
		}
		s.code = appendCode(s.code[:0], terms, s.groups.at(p.index))
		other = appendCode(other[:0], terms, s.groups.at(q.index))
		return bytes.Compare(s.code, other)
	}
	for i, at := range s.groups.all() {
		s.code = appendCode(s.code[:0], terms, at)
		t.add(placeOf(s.code, i))
	}
	places := t.sort()
	return func(yield func(*Group) bool) {
		g := Group{Values: make([]Value, len(s.keys))}
		for some := range slices.Chunk(places, 32) {
			// Groups in order are anywhere in memory. These loads do not
			// depend on each other, so the processor waits for all at once.
			for _, p := range some {
				s.ahead += s.groups.at(p.index)[offLen]
			}
			for _, p := range some {
				if g.read(s.groups.at(p.index)); !yield(&g) {
					return
				}
			}
		}
	}, nil
}

// term is a part of a group's code: a sum or a key, the other is -1.
type term struct {
	Order
	sum, key int
}

// appendCode appends the code of a group: the terms of the order, then its
// key, which no other group has.
func appendCode(dst []byte, terms []term, g group) []byte {
	key := g.key()
	for _, t := range terms {
		start := len(dst)
		switch {
		case t.key >= 0:
			dst = append(dst, valueAt(key, t.key)...)
		case t.sum == 0:
			dst = AppendNumber(dst, g.entries())
		case t.sum == 1:
			dst = AppendNumber(dst, g.packets())
		default:
			dst = AppendNumber(dst, g.bytes())
		}
		dst = t.turn(dst, start)
	}
	return append(dst, key...)
}

// valueAt returns the bytes of the nth value of a key.
func valueAt(key []byte, n int) []byte {
	for range n {
		key = key[cut(key):]
	}
	return key[:cut(key)]
}
