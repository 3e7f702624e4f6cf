package stats

import (
	"bytes"
	"encoding/binary"
	"iter"
)

// Sorted orders records, such as the entries of a dump. With a limit it keeps
// only that many of them at any time.
type Sorted struct {
	order  []Order
	top    top
	kept   []kept
	free   []uint32 // of kept
	code   []byte
	seen   uint64
	memory pages
}

// kept is a record that is among the first so far. The record that replaces it
// reuses its memory.
type kept struct{ code, record []byte }

// NewSorted returns a Sorted for an order. If limit is not 0, only the first
// limit records are kept. The names in the order are ignored: Add gets the
// values.
func NewSorted(order []Order, limit int) *Sorted {
	s := &Sorted{order: order, top: top{limit: limit}}
	s.top.compare = func(p, q place) int {
		if c := p.compare(q); c != 0 {
			return c
		}
		return bytes.Compare(s.kept[p.index].code, s.kept[q.index].code)
	}
	return s
}

// Add adds a record. values are its values for the keys of the order, one after
// the other, as the Append functions of this package write them. Add copies
// both.
func (s *Sorted) Add(values, record []byte) {
	s.code = s.code[:0]
	for i := range s.order {
		start, n := len(s.code), cut(values)
		s.code = s.order[i].turn(append(s.code, values[:n]...), start)
		values = values[n:]
	}
	// Records with equal values keep their order.
	s.seen++
	s.code = binary.BigEndian.AppendUint64(s.code, s.seen)
	i := s.room()
	k := &s.kept[i]
	k.code = s.hold(k.code, s.code)
	if out, full := s.top.add(placeOf(s.code, i)); full {
		s.free = append(s.free, out)
		if out == i {
			return // not kept
		}
	}
	k.record = s.hold(k.record, record)
}

// room returns the number of an unused element of kept.
func (s *Sorted) room() uint32 {
	if n := len(s.free); n > 0 {
		i := s.free[n-1]
		s.free = s.free[:n-1]
		return i
	}
	s.kept = append(s.kept, kept{})
	return uint32(len(s.kept) - 1)
}

// hold copies b into the memory of old, or into new memory if that is too
// small.
func (s *Sorted) hold(old, b []byte) []byte {
	if s.top.limit > 0 || cap(old) >= len(b) {
		return append(old[:0], b...)
	}
	return s.memory.copy(b)
}

// All returns the records in order. They are valid as long as no record is
// added.
func (s *Sorted) All() iter.Seq[[]byte] {
	places := s.top.sort()
	return func(yield func([]byte) bool) {
		for _, p := range places {
			if !yield(s.kept[p.index].record) {
				return
			}
		}
	}
}

// pages holds bytes in large blocks.
type pages struct{ last []byte }

const pageSize = 1 << 20

func (p *pages) copy(b []byte) []byte {
	if cap(p.last)-len(p.last) < len(b) {
		p.last = make([]byte, 0, max(pageSize, len(b)))
	}
	start := len(p.last)
	p.last = append(p.last, b...)
	return p.last[start:len(p.last):len(p.last)]
}
