package cache

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// list returns the objects of a queue from its start, after a look from its end.
func (q *Queue) list(t *testing.T, c *Cache) (l []Slot) {
	t.Helper()
	for s := q.First; s != 0; s = c.Meta(s).Next {
		l = append(l, s)
		if c.Meta(s).Queue != q.ID {
			t.Fatalf("slot %d is in queue %d, want %d", s, c.Meta(s).Queue, q.ID)
		}
	}
	var back []Slot
	for s := q.Last; s != 0; s = c.Meta(s).Prev {
		back = append(back, s)
	}
	slices.Reverse(back)
	if !slices.Equal(l, back) || q.Len != len(l) {
		t.Fatalf("queue %d: forwards %v, backwards %v, length %d", q.ID, l, back, q.Len)
	}
	return l
}

// TestQueues moves objects between queues, and does the same with slices.
func TestQueues(t *testing.T) {
	c := New(100)
	for n := range uint32(50) {
		c.Add(object(n, 0))
	}
	qs := []*Queue{{ID: 1}, {ID: 2}, {ID: 255}}
	want := make([][]Slot, len(qs))
	r := rand.New(rand.NewPCG(5, 6))
	drop := func(s Slot) {
		for i := range want {
			want[i] = slices.DeleteFunc(want[i], func(o Slot) bool { return o == s })
		}
	}
	for i := range 3_000 {
		s := Slot(1 + r.IntN(50))
		k := r.IntN(len(qs))
		switch r.IntN(4) {
		case 0, 1:
			c.Push(qs[k], s)
			drop(s)
			want[k] = append(want[k], s)
		case 2:
			in := slices.Contains(want[k], s)
			c.Remove(qs[k], s)
			if in {
				drop(s)
			}
		case 3: // another object in the same slot
			c.Delete(s)
			drop(s)
			if got := c.Add(object(uint32(i+50), 0)); got != s {
				t.Fatalf("slot %d, want the one that was freed, %d", got, s)
			}
		}
		for i, q := range qs {
			if got := q.list(t, c); !slices.Equal(got, want[i]) {
				t.Fatalf("queue %d: %v, want %v", q.ID, got, want[i])
			}
		}
	}
	c.Clear()
	for _, q := range qs {
		if len(q.list(t, c)) != 0 {
			t.Errorf("queue %d is not empty", q.ID)
		}
	}
}
