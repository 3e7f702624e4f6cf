package stats

import (
	"cmp"
	"container/heap"
	"encoding/binary"
	"slices"
	"strings"
)

// Order is one key of a sort order.
type Order struct {
	Name       string
	Descending bool
}

// ParseOrder reads a list of names, separated by commas. Each is an ascending
// key, or with a - before it or :desc after it a descending one. ParseOrder
// accepts any name.
func ParseOrder(list string) []Order {
	var orders []Order
	for name := range strings.SplitSeq(list, ",") {
		o := Order{Name: name}
		if plain, ok := strings.CutPrefix(name, "-"); ok {
			o = Order{plain, true}
		} else if plain, ok := strings.CutSuffix(name, ":desc"); ok {
			o = Order{plain, true}
		} else if plain, ok := strings.CutSuffix(name, ":asc"); ok {
			o = Order{plain, false}
		}
		orders = append(orders, o)
	}
	return orders
}

// A code is a string of bytes for the position of something in an order:
// bytes.Compare of two codes is the comparison of their owners. The values of
// several keys may follow each other in a code, because no value is the
// beginning of another; with every bit inverted, a value has the reverse order.

// turn inverts b from i on if the key is descending.
func (o *Order) turn(b []byte, i int) []byte {
	if o.Descending {
		for j := i; j < len(b); j++ {
			b[j] = ^b[j]
		}
	}
	return b
}

// place is the position of something in an order: the first twelve bytes of its
// code, which are mostly enough, and its number.
type place struct {
	head  uint64
	next  uint32
	index uint32
}

func placeOf(code []byte, index uint32) place {
	var wide [12]byte
	copy(wide[:], code)
	return place{binary.BigEndian.Uint64(wide[:]), binary.BigEndian.Uint32(wide[8:]), index}
}

// compare compares the first bytes of two codes; 0 does not mean that the rest
// is equal too.
func (p place) compare(q place) int {
	if p.head != q.head {
		return cmp.Compare(p.head, q.head)
	}
	return cmp.Compare(p.next, q.next)
}

// top keeps the first limit of many places, or all of them if limit is 0.
type top struct {
	limit   int
	compare func(p, q place) int
	places  []place // with a limit, a heap whose root is the last one
}

// add adds a place. If that exceeds the limit, full is true, and out is the
// number of the place that is no longer kept.
func (t *top) add(p place) (out uint32, full bool) {
	switch {
	case t.limit == 0:
		t.places = append(t.places, p)
		return 0, false
	case len(t.places) < t.limit:
		heap.Push(t, p)
		return 0, false
	case t.compare(p, t.places[0]) >= 0:
		return p.index, true
	}
	out = t.places[0].index
	t.places[0] = p
	heap.Fix(t, 0)
	return out, true
}

// sort sorts the places and returns them.
func (t *top) sort() []place {
	slices.SortFunc(t.places, t.compare)
	return t.places
}

// The methods of heap.Interface.
func (t *top) Len() int           { return len(t.places) }
func (t *top) Less(i, j int) bool { return t.compare(t.places[i], t.places[j]) > 0 }
func (t *top) Swap(i, j int)      { t.places[i], t.places[j] = t.places[j], t.places[i] }
func (t *top) Push(p any)         { t.places = append(t.places, p.(place)) }
func (t *top) Pop() any {
	last := t.places[len(t.places)-1]
	t.places = t.places[:len(t.places)-1]
	return last
}
