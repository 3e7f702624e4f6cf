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

// ParseOrder reads a list of names: each goes from its least value to its
// greatest, and with - in front or :desc behind from its greatest to its
// least. It does not know which names there are.
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

// A code is the bytes that stand for a place in an order: bytes.Compare of two
// codes tells which comes first. Values that show their own end keep their
// order behind each other, and turned over, bit by bit, they reverse it.

// turn reverses the order of what b holds from i on.
func (o *Order) turn(b []byte, i int) []byte {
	if o.Descending {
		for j := i; j < len(b); j++ {
			b[j] = ^b[j]
		}
	}
	return b
}

// place is where something stands in an order: the first twelve bytes of its
// code, which mostly decide, and its number.
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

// compare orders places whose codes differ in the first bytes.
func (p place) compare(q place) int {
	if p.head != q.head {
		return cmp.Compare(p.head, q.head)
	}
	return cmp.Compare(p.next, q.next)
}

// top keeps the first of many places, limit of them, or all of them if limit
// is 0.
type top struct {
	limit   int
	compare func(p, q place) int
	places  []place // with a limit, a heap whose root is the last
}

// add takes a place in. If it, or one that was in, is now beyond the limit,
// out is its number.
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

// sort puts the places in order.
func (t *top) sort() []place {
	slices.SortFunc(t.places, t.compare)
	return t.places
}

// What container/heap asks for.
func (t *top) Len() int           { return len(t.places) }
func (t *top) Less(i, j int) bool { return t.compare(t.places[i], t.places[j]) > 0 }
func (t *top) Swap(i, j int)      { t.places[i], t.places[j] = t.places[j], t.places[i] }
func (t *top) Push(p any)         { t.places = append(t.places, p.(place)) }
func (t *top) Pop() any {
	last := t.places[len(t.places)-1]
	t.places = t.places[:len(t.places)-1]
	return last
}
