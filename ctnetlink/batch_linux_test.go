package ctnetlink

import (
	"errors"
	"strings"
	"testing"

	"github.com/gonntrack/gonntrack/internal/wire"
)

// TestBatchLive: each request of a batch is answered on its own, wherever in
// the datagram the refused ones stand.
func TestBatchLive(t *testing.T) {
	c := namespace(t)
	b := c.NewBatch()
	defer b.Close()
	check := func(want func(i int, f *Flow) error) {
		t.Helper()
		n := b.Len()
		results, err := b.Do()
		if err != nil || b.Len() != 0 || len(results) != n {
			t.Fatalf("%d results of %d requests, %d wait, %v", len(results), n, b.Len(), err)
		}
		for i, r := range results {
			if w := want(i, r.Flow); w == nil && r.Err != nil || w != nil && !errors.Is(r.Err, w) {
				t.Errorf("request %d of %d: %v, want %v", i, len(results), r.Err, w)
			}
		}
	}
	for i := 0; !b.Full(); i++ {
		b.Create(benchEntry(i))
	}
	check(func(int, *Flow) error { return nil })
	for i := 0; !b.Full(); i++ { // every third is new
		if i%3 == 0 {
			b.Create(benchEntry(1000 + i))
		} else {
			b.Create(benchEntry(i))
		}
	}
	check(func(i int, _ *Flow) error {
		if i%3 == 0 {
			return nil
		}
		return EEXIST
	})
	for i := 0; !b.Full(); i++ {
		en := benchEntry(i)
		if i%2 == 1 {
			en = benchEntry(5000 + i)
		}
		b.Get(en)
	}
	check(func(i int, f *Flow) error {
		if i%2 == 1 {
			return ENOENT
		}
		if f == nil || *f.Orig() != benchEntry(i).Orig {
			t.Errorf("entry %d was not answered", i)
		}
		return nil
	})
	// A request without a tuple must not become a flush, first, in the middle
	// or last.
	before, _, _ := c.Count()
	for i := range 5 {
		if i%2 == 0 {
			b.Delete(&FlowSpec{Family: FamilyIPv4})
		} else {
			b.Delete(benchEntry(i))
		}
	}
	check(func(i int, _ *Flow) error { return []error{EINVAL, nil}[i%2] })
	if after, _, _ := c.Count(); after != before-2 {
		t.Errorf("%d entries of %d left after 2 deletions", after, before)
	}
}

// TestBatchHostile: answers that no kernel sends.
func TestBatchHostile(t *testing.T) {
	for _, tt := range []struct {
		name      string
		datagrams []datagram
		want      error // of Do
		first     error // of the first request
	}{
		{"an ordinary answer", []datagram{from0(control(wire.TypeError, 2, 0))}, nil, nil},
		{"an error before it", []datagram{from0(control(wire.TypeError, 1, 2)), from0(control(wire.TypeError, 2, 0))}, nil, ENOENT},
		{"answers to others", []datagram{from0(control(wire.TypeError, 0, 1), control(wire.TypeError, 3, 1), control(wire.TypeError, 1<<31, 1)), from0(control(wire.TypeError, 2, 0))}, nil, nil},
		{"another sender", []datagram{{b: control(wire.TypeError, 1, 1), from: 3}, from0(control(wire.TypeError, 2, 0))}, nil, nil},
		{"an overrun", []datagram{{err: ENOBUFS}}, ENOBUFS, nil},
		{"length 0", []datagram{from0(withLength(control(wire.TypeError, 1, 1), 0))}, ErrMalformed, nil},
		{"an entry that cannot be read", []datagram{from0(message(wire.SubsysConntrack<<8, 1, attribute(1, 3)), control(wire.TypeError, 2, 0))}, nil, ErrMalformed},
	} {
		s := fake(tt.datagrams...)
		b := s.conn().NewBatch()
		b.Get(benchEntry(1))
		b.Get(benchEntry(2))
		results, err := b.Do()
		if !errors.Is(err, tt.want) || err == nil && !errors.Is(results[0].Err, tt.first) {
			t.Errorf("%s: %v, %v", tt.name, results, err)
		}
		if s.isClosed() != (tt.want != nil) {
			t.Errorf("%s: the socket is closed: %v", tt.name, s.isClosed())
		}
	}
}

// TestBatchBounds: any number of requests may be added, of any mixture; what
// does not fit into one datagram is sent in several.
func TestBatchBounds(t *testing.T) {
	c := namespace(t)
	b := c.NewBatch()
	defer b.Close()
	const n = 1000
	for i := range n {
		b.Create(benchEntry(i))
	}
	results, err := b.Do()
	if err != nil || len(results) != n {
		t.Fatalf("%d results, %v", len(results), err)
	}
	for i, r := range results {
		if r.Err != nil {
			t.Fatalf("creation %d: %v", i, r.Err)
		}
	}
	// Refusals and entries together, the largest answers there are.
	for i := range n {
		if i%3 == 0 {
			b.Create(benchEntry(i)) // again
		} else {
			b.Get(benchEntry(i))
		}
	}
	results, err = b.Do()
	if err != nil || len(results) != n {
		t.Fatalf("%d results, %v", len(results), err)
	}
	for i, r := range results {
		if i%3 == 0 && !errors.Is(r.Err, EEXIST) || i%3 != 0 && (r.Flow == nil || *r.Flow.Orig() != benchEntry(i).Orig) {
			t.Fatalf("request %d: %v, %v", i, r.Flow, r.Err)
		}
	}
	// Requests as long as they can be.
	for i := range n {
		en := benchEntry(i)
		en.SetHelper(strings.Repeat("x", 2000))
		en.SetLabels(make(Labels, 2000), nil)
		b.Update(en)
	}
	results, err = b.Do()
	if err != nil || len(results) != n {
		t.Fatalf("%d results, %v", len(results), err)
	}
	for i, r := range results {
		if r.Err == nil {
			t.Fatalf("update %d was not refused", i)
		}
	}
	if results, err := b.Do(); len(results) != 0 || err != nil {
		t.Errorf("an empty batch: %v, %v", results, err)
	}
}

// TestBatchBroken: when the table cannot be asked, Do returns what is known and
// the error, and the batch can be used again.
func TestBatchBroken(t *testing.T) {
	s := fake(from0(control(wire.TypeError, maxBatch, 0)), datagram{err: ENOBUFS})
	b := s.conn().NewBatch()
	for i := range 2*maxBatch + 5 {
		b.Delete(benchEntry(i))
	}
	results, err := b.Do()
	if !errors.Is(err, ENOBUFS) || len(results) != maxBatch {
		t.Errorf("%d results, %v", len(results), err)
	}
	if results, err := b.Do(); err != nil || len(results) != 0 {
		t.Errorf("again: %d results, %v", len(results), err)
	}
}
