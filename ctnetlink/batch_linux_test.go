package ctnetlink

import (
	"errors"
	"testing"

	"github.com/gonntrack/gonntrack/internal/wire"
)

// TestBatchLive: each request of a batch is answered on its own, wherever in
// the datagram the refused ones stand.
func TestBatchLive(t *testing.T) {
	c := namespace(t)
	b := c.NewBatch()
	defer b.Close()
	do := func(answer func(i int, f *Flow)) []error {
		t.Helper()
		errs, err := b.Do(answer)
		if err != nil {
			t.Fatal(err)
		}
		if b.Len() != 0 {
			t.Errorf("%d requests wait after they were sent", b.Len())
		}
		return errs
	}
	check := func(errs []error, want func(i int) error) {
		t.Helper()
		for i, err := range errs {
			if w := want(i); w == nil && err != nil || w != nil && !errors.Is(err, w) {
				t.Errorf("request %d of %d: %v, want %v", i, len(errs), err, w)
			}
		}
	}
	for i := 0; !b.Full(); i++ {
		b.Create(benchEntry(i))
	}
	check(do(nil), func(int) error { return nil })
	for i := 0; !b.Full(); i++ { // every third is new
		if i%3 == 0 {
			b.Create(benchEntry(1000 + i))
		} else {
			b.Create(benchEntry(i))
		}
	}
	check(do(nil), func(i int) error {
		if i%3 == 0 {
			return nil
		}
		return EEXIST
	})
	found := map[int]bool{}
	for i := 0; !b.Full(); i++ {
		en := benchEntry(i)
		if i%2 == 1 {
			en = benchEntry(5000 + i)
		}
		b.Get(en)
	}
	check(do(func(i int, f *Flow) { found[i] = *f.Orig() == benchEntry(i).Orig }), func(i int) error {
		if !found[i] && i%2 == 0 {
			t.Errorf("entry %d was not answered", i)
		}
		return []error{nil, ENOENT}[i%2]
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
	check(do(nil), func(i int) error { return []error{EINVAL, nil}[i%2] })
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
		errs, err := b.Do(func(int, *Flow) {})
		if !errors.Is(err, tt.want) || err == nil && !errors.Is(errs[0], tt.first) {
			t.Errorf("%s: %v, %v", tt.name, errs, err)
		}
		if s.isClosed() != (tt.want != nil) {
			t.Errorf("%s: the socket is closed: %v", tt.name, s.isClosed())
		}
	}
}
