package stats

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"iter"
	"slices"
)

// Summary groups entries by the values of keys and counts, in each group, the
// entries and what they carried. It keeps the groups and nothing of the
// entries: memory grows with the number of groups alone.
type Summary struct {
	keys   []string
	groups *groups
	total  group
	code   []byte
}

// Group is the entries that have the same values.
type Group struct {
	Values []Value // one for each key
	// Entries is how many there are.
	Entries uint64
	// Packets and Bytes are sums over the entries that have counters. Counted
	// tells whether any of the group has: without, the sums mean nothing.
	Packets, Bytes uint64
	Counted        bool
}

// NewSummary returns an empty summary by keys of these names.
func NewSummary(keys []string) *Summary {
	return &Summary{keys: keys, groups: newGroups()}
}

// Keys are the names of the keys.
func (s *Summary) Keys() []string { return s.keys }

// Len returns the number of groups.
func (s *Summary) Len() int { return s.groups.n }

// Add counts an entry. values are the values of all keys, one behind the
// other, as the Append functions of this package write them; they are copied.
func (s *Summary) Add(values []byte, packets, bytes uint64, counted bool) {
	s.groups.of(values).add(packets, bytes, counted)
	s.total.add(packets, bytes, counted)
}

func (g *group) add(packets, bytes uint64, counted bool) {
	g.entries++
	g.packets += packets
	g.bytes += bytes
	g.counted = g.counted || counted
}

// Total returns the group of all entries, without values.
func (s *Summary) Total() Group { return s.total.public() }

func (g *group) public() Group {
	return Group{Entries: g.entries, Packets: g.packets, Bytes: g.bytes, Counted: g.counted}
}

// Sums are the names, beside the keys', of what groups are sorted by.
var Sums = []string{"entries", "packets", "bytes"}

// Sorted returns the groups in an order: by entries, packets, bytes, or keys
// of the summary, and where these are equal by the keys as they stand. If
// limit is not 0 it returns the first so many. It fails when a name of the
// order is none of these. A group is valid until the next, and the summary
// must not change while they are read.
func (s *Summary) Sorted(order []Order, limit int) (iter.Seq[*Group], error) {
	terms := make([]term, len(order))
	for i, o := range order {
		terms[i] = term{o, slices.Index(Sums, o.Name), slices.Index(s.keys, o.Name)}
		if terms[i].sum < 0 && terms[i].key < 0 {
			return nil, fmt.Errorf("groups have no `%s': entries, packets, bytes, and the keys", o.Name)
		}
	}
	var other []byte
	t := &top{limit: limit}
	t.compare = func(p, q place) int {
		if c := p.compare(q); c != 0 {
			return c
		}
		s.code = s.appendCode(s.code[:0], terms, p.index)
		other = s.appendCode(other[:0], terms, q.index)
		return bytes.Compare(s.code, other)
	}
	for i := range s.groups.n {
		s.code = s.appendCode(s.code[:0], terms, i)
		t.add(placeOf(s.code, i))
	}
	places := t.sort()
	return func(yield func(*Group) bool) {
		values := make([]Value, len(s.keys))
		for _, p := range places {
			at := s.groups.at(p.index)
			g := at.public()
			g.Values = values
			key := s.groups.key(at)
			for i := range values {
				n := cut(key)
				values[i], key = decode(key[:n]), key[n:]
			}
			if !yield(&g) {
				return
			}
		}
	}, nil
}

// term is a part of a group's code: one of the sums or of the keys, the other
// is -1.
type term struct {
	Order
	sum, key int
}

// appendCode appends the code of a group: the terms of the order, then its
// key, which tells it from every other.
func (s *Summary) appendCode(dst []byte, terms []term, i int) []byte {
	g := s.groups.at(i)
	key := s.groups.key(g)
	for _, t := range terms {
		start := len(dst)
		if t.key >= 0 {
			dst = append(dst, valueAt(key, t.key)...)
		} else {
			dst = binary.BigEndian.AppendUint64(dst, [...]uint64{g.entries, g.packets, g.bytes}[t.sum])
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
