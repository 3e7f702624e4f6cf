package live

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// indexed adds a record with a key of few bits, so that hashes are not all different
// ones of new keys.
func indexed(c *sourceCopy, n uint32) (key, bool) {
	k := key{tuple: tuple{src: [2]uint64{0, uint64(n)}}, proto: 17, flags: ports}
	_, _, ok := c.find(&k, c.t.hash(&k))
	return k, ok
}

// TestIndex: the index finds what was inserted and not removed, whatever the order,
// and its segments do not fill with deleted places.
func TestIndex(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	table := New([]Source{{Now: time.Now}}, Options{})
	c := table.copies[0]
	there := map[uint32]bool{}
	insert := func(n uint32) {
		k, ok := indexed(c, n)
		if ok != there[n] {
			t.Fatalf("%d is found: %v", n, ok)
		}
		if !ok {
			p, i, _ := c.alloc(0)
			p.orig4[i] = k.narrow()
			p.cores[i] = core{proto: k.proto, has: k.flags}
			c.index.insert(table.hash(&k), slotOf(p, i), c.hashOf)
			there[n] = true
		}
	}
	remove := func(n uint32) {
		k, ok := indexed(c, n)
		if ok != there[n] {
			t.Fatalf("%d is found: %v", n, ok)
		}
		if ok {
			p, i, _ := c.find(&k, table.hash(&k))
			c.index.remove(table.hash(&k), slotOf(p, i))
			p.release(i)
			delete(there, n)
		}
	}
	check := func() {
		t.Helper()
		n, seen := 0, map[*segment]bool{}
		for i, g := range c.index.segments {
			if seen[g] {
				continue
			}
			seen[g] = true
			used, gone := 0, 0
			for _, v := range g.places {
				if v&slotMask != 0 {
					used++
				} else if v != 0 {
					gone++
				}
			}
			if used != g.n || gone != g.gone || used+gone > segmentMax {
				t.Fatalf("segment %d: %d used, %d deleted; counted %d, %d", i, used, gone, g.n, g.gone)
			}
			n += used
		}
		if n != len(there) {
			t.Fatalf("%d places for %d records", n, len(there))
		}
		for n := range uint32(60_000) {
			if _, ok := indexed(c, n); ok != there[n] {
				t.Fatalf("%d is found: %v", n, ok)
			}
		}
	}
	for _, size := range []int{500, 900, -1, 20_000, 35_000, 100, 0} {
		if size < 0 {
			c.index.reserve(30_000, c.hashOf)
			if n := len(c.index.segments); n != 64 {
				t.Errorf("%d segments", n)
			}
			check()
			continue
		}
		for len(there) < size {
			insert(r.Uint32N(60_000))
			if r.IntN(3) == 0 {
				remove(r.Uint32N(60_000))
			}
		}
		for n := range there {
			if len(there) <= size {
				break
			}
			remove(n)
		}
		check()
		for range size { // births and deaths
			remove(r.Uint32N(60_000))
			insert(r.Uint32N(60_000))
		}
		check()
	}
	// Tens of thousands of births and deaths of few entries do not make it grow.
	before := len(c.index.segments)
	for n := range uint32(60_000) {
		insert(n)
		if n >= 50 {
			remove(n - 50)
		}
	}
	if after := len(c.index.segments); after != before {
		t.Errorf("%d segments, then %d", before, after)
	}
}

// TestPagesAreFreed: a table that shrinks gives its pages back, and uses them again.
func TestPagesAreFreed(t *testing.T) {
	s := newStory(t, Options{})
	l := newListing(listingOf{})
	n := 20 * pageLen
	for range 3 {
		l.dump(s.Table, n)
		if got := len(s.copies[0].pages); got != 20 {
			t.Errorf("%d pages", got)
		}
		l.dump(s.Table, 10)
		if got := len(s.copies[0].pages); got > 2 {
			t.Errorf("%d pages for 10 entries", got)
		}
		if got := len(s.pages.all); got > 20 {
			t.Errorf("%d pages were made", got)
		}
	}
	s.apply(0, l.entry(3), s.now.Time)
	if got := s.len(); got != 10 {
		t.Errorf("%d entries", got)
	}
}

// FuzzMessage: whatever a table sends, the copy takes it in, finds it again and makes a
// message of it that says the same.
func FuzzMessage(f *testing.F) {
	g := newGenerator(1)
	for i := range 40 {
		f.Add(append([]byte(nil), g.entry(i, time.Unix(1_700_000_000, 0))...))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		now := time.Unix(1_700_000_000, 0)
		table := New([]Source{{Now: func() time.Time { return now }}}, Options{})
		var flow, made ctnetlink.Flow
		if flow.Decode(b) != nil {
			return
		}
		d := table.beginDump(0)
		d.saw(&flow, now)
		d.saw(&flow, now)
		var message []byte
		for range 2 {
			if n := table.len(); n > 1 {
				t.Fatalf("%d entries of one message", n)
			}
			err := table.walk(t.Context(), func(e *entry) bool {
				if _, ok := table.find(e.ref()); !ok {
					t.Error("not found by its name")
				}
				message = e.appendMessage(nil)
				if err := made.Decode(message); err != nil {
					t.Fatal(err)
				}
				if got, want := kept(&made), kept(&flow); got != want {
					t.Errorf("%s\nwas  %s", got, want)
				}
				return true
			})
			if err != nil || message == nil {
				return
			}
			// It must be found by its own message.
			d.saw(&made, now)
			flow = *made.Clone()
		}
		table.apply(0, &flow, now)
		for d.end() {
		}
	})
}
