package cache

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/wire"
)

// object returns the object of a TCP connection, number n, whose length is 52 bytes and
// 4 for each of extra labels.
func object(n uint32, extra int) wire.Object {
	o := binary.BigEndian.AppendUint32(nil, 0x000c0000)
	o = binary.BigEndian.AppendUint32(o, 0x0a000000|n>>8)
	o = binary.BigEndian.AppendUint32(o, 0xc0000201)
	o = append(o, 0, 8, 0, 5, 0, 0, 1, 0x8e)
	o = append(o, 0, 5, 0, 2, 6, 0, 0, 0)
	o = append(o, 0, 8, 0, 3, byte(n>>8), byte(n), 0, 80)
	o = append(o, 0, 5, 0, 4, 3, 0, 0, 0)
	o = append(o, 0, 8, 0, 6, 0, 6, 0x97, 0x80)
	if extra > 0 {
		o = append(o, byte((4+4*extra)>>8), byte(4+4*extra), 0, 28)
		for i := range extra {
			o = append(o, byte(n), byte(i), 0, 1)
		}
	}
	return o
}

func find(c *Cache, o wire.Object) Slot {
	k := o.Key()
	return c.Find(&k)
}

// TestRandom does the same to a cache and to a map.
func TestRandom(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	c := New(1000)
	want := map[uint32]wire.Object{}
	slots := map[uint32]Slot{}
	created, deleted, full := uint64(0), uint64(0), uint64(0)
	sizes := []int{0, 1, 2, 3, 4, 9, 40, 255, 4000}
	for i := range 40_000 {
		n := r.Uint32N(1600)
		o := object(n, sizes[r.IntN(len(sizes))])
		s := find(c, o)
		if (s != 0) != (want[n] != nil) || s != slots[n] {
			t.Fatalf("step %d: object %d is in slot %d, want %d", i, n, s, slots[n])
		}
		phase := i / 5_000 % 2 // it grows, then shrinks
		switch {
		case s == 0 && (phase == 0 || r.IntN(4) == 0):
			s = c.Add(o)
			if len(want) == 1000 {
				full++
				if s != 0 {
					t.Fatal("more than the limit")
				}
				break
			}
			want[n], slots[n] = o, s
			created++
		case s != 0 && r.IntN(2) == 0:
			c.Set(s, o)
			want[n] = o
		case s != 0:
			c.Delete(s)
			delete(want, n)
			delete(slots, n)
			deleted++
		}
		for range 2 {
			if s := find(c, o); s != slots[n] {
				t.Fatalf("step %d: object %d is in slot %d afterwards, want %d", i, n, s, slots[n])
			}
		}
	}
	for n, o := range want {
		if !bytes.Equal(c.Object(slots[n]), o) {
			t.Fatalf("object %d is %x, want %x", n, c.Object(slots[n]), o)
		}
	}
	seen := map[Slot]bool{}
	for from := Slot(1); from != 0; {
		from = c.Walk(from, 7, func(s Slot) { seen[s] = true })
	}
	if len(seen) != len(want) {
		t.Errorf("Walk has seen %d objects, want %d", len(seen), len(want))
	}
	if full == 0 {
		t.Error("the limit was never reached")
	}
	st := c.Stats
	if st.Total != uint64(len(want)) || st.Active != st.Total || st.Created != created ||
		st.Deleted != deleted || st.CreateFailed != full || st.NoSpace != full {
		t.Errorf("counters %+v, want %d objects, %d created, %d deleted, %d failed", st, len(want), created, deleted, full)
	}
	c.Add(object(1, 0))
	created = c.Stats.Created
	find(c, object(1, 0))
	c.Clear()
	if c.Stats.Total != 0 || c.Stats.Deleted != created || c.Walk(0, 1, func(Slot) {}) != 0 {
		t.Errorf("after Clear: %+v", c.Stats)
	}
	if find(c, object(1, 0)) != 0 || c.Add(object(1, 0)) == 0 || c.Stats.Total != 1 {
		t.Error("nothing can be added after Clear")
	}
}

// TestWalkChanging deletes and adds while it walks: what was there all the time is seen
// exactly once.
func TestWalkChanging(t *testing.T) {
	c := New(100_000)
	for n := range uint32(5_000) {
		c.Add(object(n, 0))
	}
	r := rand.New(rand.NewPCG(3, 4))
	seen := map[Slot]int{}
	gone := map[Slot]bool{}
	next := uint32(5_000)
	for from := Slot(1); from != 0; {
		from = c.Walk(from, 100, func(s Slot) {
			seen[s]++
			switch r.IntN(3) {
			case 0: // itself
				c.Delete(s)
				gone[s] = true
			case 1: // another one
				if o := Slot(1 + r.IntN(5_000)); c.Object(o) != nil {
					c.Delete(o)
					gone[o] = true
				}
			case 2:
				gone[c.Add(object(next, 0))] = true // in the place of one that is gone
				next++
			}
		})
	}
	for s := Slot(1); s <= 5_000; s++ {
		if !gone[s] && seen[s] != 1 {
			t.Fatalf("slot %d was seen %d times", s, seen[s])
		}
	}
}

// TestWalkSparse walks over what is left of many.
func TestWalkSparse(t *testing.T) {
	c := New(100_000)
	var keep []Slot
	for n := range uint32(20_000) {
		if s := c.Add(object(n, 0)); n%4_321 == 0 {
			keep = append(keep, s)
		}
	}
	c.Walk(0, 50_000, func(s Slot) {
		for _, k := range keep {
			if k == s {
				return
			}
		}
		c.Delete(s)
	})
	var got []Slot
	for from := Slot(1); from != 0; {
		from = c.Walk(from, 2, func(s Slot) { got = append(got, s) })
	}
	if len(got) != len(keep) {
		t.Fatalf("%d objects, want %d", len(got), len(keep))
	}
	for i := range got {
		if got[i] != keep[i] {
			t.Errorf("slot %d, want %d", got[i], keep[i])
		}
	}
}

// TestDead tells what the counters say of objects that are dead and stay.
func TestDead(t *testing.T) {
	c := New(10)
	s := c.Add(object(1, 0))
	c.Bury(s)
	c.Bury(s)
	if c.Meta(s).Flags&Dead == 0 || c.Stats != (Stats{Total: 1, Created: 1, Deleted: 1}) {
		t.Errorf("dead: %+v", c.Stats)
	}
	c.Revive(s)
	if c.Meta(s).Flags&Dead != 0 || c.Stats != (Stats{Active: 1, Total: 1, Created: 2, Deleted: 1}) {
		t.Errorf("revived: %+v", c.Stats)
	}
	c.Bury(s)
	c.Delete(s)
	if c.Stats != (Stats{Created: 2, Deleted: 2}) {
		t.Errorf("deleted: %+v", c.Stats)
	}
}

// TestSenders counts the objects of each sender.
func TestSenders(t *testing.T) {
	c := New(1000)
	r := rand.New(rand.NewPCG(7, 8))
	of := map[Slot]uint16{}
	senders := []uint16{0, 1, 15, 254, 255, 65535}
	for i := range 3_000 {
		s := Slot(1 + r.IntN(50))
		switch sender := senders[r.IntN(len(senders))]; {
		case c.Object(s) == nil:
			of[c.Add(object(uint32(i), 0))] = 65535
		case r.IntN(4) == 0:
			c.Delete(s)
			delete(of, s)
		default:
			c.SetSender(s, sender)
			of[s] = sender
			if c.Meta(s).Sender != sender {
				t.Fatalf("sender %d, want %d", c.Meta(s).Sender, sender)
			}
		}
		for _, sender := range senders[:4] {
			want := 0
			for _, o := range of {
				if o == sender {
					want++
				}
			}
			if got := c.From(sender); got != want {
				t.Fatalf("step %d: %d objects of %d, want %d", i, got, sender, want)
			}
		}
	}
	if c.From(255) != 0 || c.From(65535) != 0 {
		t.Error("senders that are not counted are")
	}
	c.Clear()
	if c.From(0) != 0 {
		t.Errorf("%d after Clear", c.From(0))
	}
}

// TestNothing gives slots that are not in use to everything.
func TestNothing(t *testing.T) {
	c := New(10)
	old := c.Add(object(1, 0))
	c.Delete(old)
	q := Queue{ID: 1}
	for _, s := range []Slot{0, old, 7, 1 << 31} {
		c.Delete(s)
		c.Bury(s)
		c.Revive(s)
		c.Push(&q, s)
		c.Remove(&q, s)
		c.SetSender(s, 1)
		c.Set(s, object(1, 0))
		if c.Object(s) != nil || c.Meta(s) == nil {
			t.Errorf("slot %d has an object", s)
		}
	}
	if q.Len != 0 || c.Stats.Total != 0 || c.From(1) != 0 {
		t.Errorf("%+v %+v", q, c.Stats)
	}
}

// TestMemory counts the bytes that each of many objects takes, in all.
func TestMemory(t *testing.T) {
	const count = 50_000
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	c := New(count)
	for n := range uint32(count) {
		c.Add(object(n, 9)) // 92 bytes
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	each := float64(after.HeapAlloc-before.HeapAlloc) / count
	t.Logf("%.1f bytes for each object of %d bytes", each, len(object(0, 9)))
	if each > 155 {
		t.Errorf("%.1f bytes for each object, want at most 155", each)
	}
	for n := range uint32(count) {
		c.Delete(find(c, object(n, 0)))
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if left := float64(after.HeapAlloc-before.HeapAlloc) / count; left > 75 {
		t.Errorf("%.1f bytes for each object that is gone", left)
	}
	runtime.KeepAlive(c)
}
