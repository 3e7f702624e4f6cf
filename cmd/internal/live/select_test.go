package live

import (
	"bytes"
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestSelection holds windows of random orders, with many equal codes, against a sort
// of everything.
func TestSelection(t *testing.T) {
	r := rand.New(rand.NewPCG(12, 1))
	type item struct {
		code []byte
		ref  Ref
	}
	s := &selection{}
	for round := range 300 {
		n := r.IntN(4000)
		values, length := 1+r.IntN(1+r.IntN(3000)), 1+r.IntN(40)
		items := make([]item, n)
		for i := range items {
			code := bytes.Repeat([]byte{7}, length)
			for at, v := 0, r.IntN(values); v > 0; at, v = at+5, v/256 {
				code[min(at, length-1)] = byte(v)
			}
			items[i] = item{code, Ref{source: uint16(r.IntN(3)), slot: uint32(i), serial: r.Uint32()}}
		}
		switch round % 3 {
		case 1:
			slices.SortFunc(items, func(a, b item) int { return bytes.Compare(a.code, b.code) })
		case 2:
			slices.SortFunc(items, func(a, b item) int { return bytes.Compare(b.code, a.code) })
		}
		from, size := r.IntN(n+10), r.IntN(100)
		limit := 0
		if r.IntN(2) == 0 {
			limit = max(from+size, 1)
		}
		s.reset(limit)
		for _, it := range items {
			if head, rest := headOf(it.code); s.wants(head) {
				s.add(head, rest, it.ref)
			}
		}
		var refs []Ref
		for _, p := range s.window(from, size) {
			refs = append(refs, p.ref)
		}
		slices.SortFunc(items, func(a, b item) int {
			return cmp.Or(bytes.Compare(a.code, b.code), cmp.Compare(a.ref.source, b.ref.source), cmp.Compare(a.ref.slot, b.ref.slot))
		})
		var want []Ref
		for _, it := range items[min(from, n):min(from+size, n)] {
			want = append(want, it.ref)
		}
		if !slices.Equal(refs, want) {
			t.Fatalf("round %d: %d places from %d on, limit %d: %v, want %v", round, size, from, limit, refs, want)
		}
		if limit == 0 && n > 0 {
			rank := r.IntN(n)
			p := s.find(items[rank].ref)
			if p == nil {
				t.Fatalf("round %d: %v is not there", round, items[rank].ref)
			}
			if got := s.countBefore(p); got != rank {
				t.Fatalf("round %d: %d places before that with number %d", round, got, rank)
			}
		}
	}
}

// TestCodes: codes of any length are kept, also in memory that is used again.
func TestCodes(t *testing.T) {
	r := rand.New(rand.NewPCG(12, 2))
	c := &codes{}
	for round := range 4 {
		c.reset()
		var places []uint32
		var want [][]byte
		for i := range 3000 {
			n := r.IntN(300)
			if r.IntN(400) == 0 {
				n = r.IntN(2 * codePage)
			}
			b := bytes.Repeat([]byte{byte(i)}, n)
			places, want = append(places, c.add(b)), append(want, b)
		}
		for i := range want {
			if got := c.at(places[i]); places[i] == 0 || !bytes.Equal(got, want[i]) {
				t.Fatalf("round %d: code %d has %d bytes, want %d", round, i, len(got), len(want[i]))
			}
		}
	}
}
