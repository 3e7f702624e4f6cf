package sync

import (
	"encoding/binary"
	"slices"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/config"
	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/wire"
	"github.com/gonntrack/gonntrack/internal/testwait"
)

func (s *station) compare(limit int) *Comparison {
	c := s.Compare(limit)
	for range 600 {
		s.next = s.x.now
		s.x.run(100 * time.Millisecond)
		select {
		case <-c.Done:
			return c
		default:
		}
	}
	s.x.t.Fatal("the comparison does not end")
	return nil
}

// numbers returns of which connections the objects are.
func numbers(list []wire.Object) map[int]bool {
	m := map[int]bool{}
	for _, o := range list {
		k := o.Key()
		m[int(binary.BigEndian.Uint16(k.Ports[:]))] = true
	}
	return m
}

// Compare finds what is missing, stale and changed, both ways, whatever is lost.
func TestCompare(t *testing.T) {
	t.Parallel()
	for name, mode := range modes {
		t.Run(name, func(t *testing.T) {
			x := newExchange(t, 1)
			x.loss = 0.1
			a, b := x.add(1, testConfig(mode)), x.add(2, testConfig(mode))
			entries := testwait.Size(20000, 8000)
			a.fill(0, entries)
			b.fill(30000, 30500)
			x.run(20 * time.Second)
			b.alike(a)
			for _, s := range []*station{a, b} {
				for _, d := range s.compare(100).Differences {
					if d.Error != "" || len(d.Missing)+len(d.Stale)+len(d.Changed) > 0 || d.Entries != entries && d.Entries != 500 {
						t.Errorf("%+v", d)
					}
				}
			}
			for i := range 5 {
				k := object(t, 100+i, 0).Key()
				b.External.Delete(b.External.Find(&k)) // missing there
			}
			for i := range 7 {
				a.Event(wire.Delete, object(t, 200+i, 1000), true) // stale there
			}
			for i := range 3 {
				a.Event(wire.Update, natObject(t, 300+i, 1000, 0xe), true) // changed there
			}
			b.Event(wire.New, object(t, 31000, 1000), true) // missing here
			b.Event(wire.Delete, object(t, 30001, 1000), true)
			b.Event(wire.Update, natObject(t, 30002, 1000, 0xe), true)
			c := a.compare(100)
			if len(c.Differences) != 2 {
				t.Fatalf("%+v", c.Differences)
			}
			for _, d := range c.Differences {
				missing, stale, changed := numbers(d.Missing), numbers(d.Stale), numbers(d.Changed)
				var ok bool
				if d.Here {
					ok = len(missing) == 1 && missing[31000] && len(stale) == 1 && stale[30001] && len(changed) == 1 && changed[30002]
				} else {
					ok = len(missing) == 5 && missing[102] && len(stale) == 7 && stale[203] && len(changed) == 3 && changed[301]
				}
				if !ok || d.Error != "" || d.More {
					t.Errorf("here %v: missing %v, stale %v, changed %v, %q", d.Here, missing, stale, changed, d.Error)
				}
			}
			for _, d := range a.compare(4).Differences {
				if n := len(d.Missing) + len(d.Stale) + len(d.Changed); !d.Here && (!d.More || n != 4) {
					t.Errorf("%d differences, more %v", n, d.More)
				}
			}
			b.External.Clear()
			for _, d := range a.compare(1000).Differences {
				if !d.Here && (len(d.Missing) != 1000 || !d.More) {
					t.Errorf("%d differences, more %v, %s", len(d.Missing), d.More, d.Error)
				}
			}
			b.deaf = true
			for _, d := range a.compare(4).Differences {
				if d.Error == "" {
					t.Error("a silent peer has been compared")
				}
			}
		})
	}
}

// Expectations are compared too, if both nodes keep them alike.
func TestCompareExpectations(t *testing.T) {
	c := testConfig(config.FTFW)
	c.Expect = true
	x := newExchange(t, 1)
	a, b := x.add(1, c), x.add(2, c)
	master := object(t, 1, 100)
	for _, s := range []*station{a, b} {
		s.Event(wire.New, master, false)
		for i := range byte(50) {
			s.Event(wire.ExpectNew, expectation(t, master, i+100*s.from.Addr.Addr().As4()[3]-100, 100), false)
		}
	}
	x.run(3 * time.Second)
	expectations := func() (list []Difference) {
		all := a.compare(100).Differences
		if len(all) != 4 {
			t.Fatalf("%d comparisons", len(all))
		}
		for _, d := range all {
			switch {
			case d.Expect:
				list = append(list, d)
			case d.Error != "" || d.Entries != 1 || len(d.Missing)+len(d.Stale)+len(d.Changed) > 0:
				t.Errorf("connections: %+v", d)
			}
			if d.Expect && (d.Error != "" || d.Entries != 50) {
				t.Errorf("expectations: %+v", d)
			}
		}
		return list
	}
	for _, d := range expectations() {
		if len(d.Missing)+len(d.Stale)+len(d.Changed) > 0 {
			t.Errorf("%+v", d)
		}
	}

	// What is missing and stale is found; another time that is left is no difference.
	lose := func(s *station, port byte) {
		k := expectation(t, master, port, 0).Key()
		s.ExternalExpect.Delete(s.ExternalExpect.Find(&k))
	}
	lose(b, 7)
	a.Event(wire.ExpectDelete, expectation(t, master, 8, 100), true)
	a.Event(wire.ExpectNew, expectation(t, master, 51, 100), true)
	lose(a, 109)
	a.Event(wire.ExpectUpdate, expectation(t, master, 9, 90), true)
	for _, d := range expectations() {
		want := [3]int{2, 1, 0} // 7 and 51 are missing at b, 8 is stale
		if d.Here {
			want = [3]int{1, 0, 0}
		}
		if got := [3]int{len(d.Missing), len(d.Stale), len(d.Changed)}; got != want || d.More {
			t.Errorf("here %v: %v, want %v", d.Here, got, want)
		}
	}

	// A node that keeps none is not asked.
	x = newExchange(t, 1)
	a, _ = x.add(1, c), x.add(2, testConfig(config.FTFW))
	x.run(3 * time.Second)
	if all := a.compare(100).Differences; len(all) != 2 || all[0].Expect || all[1].Expect {
		t.Errorf("%+v", all)
	}
}

// With a node that is not ours nothing can be compared.
func TestCompareOld(t *testing.T) {
	x := newExchange(t, 1)
	a, _ := x.add(1, testConfig(config.FTFW)), x.add(2, oldConfig(config.FTFW))
	x.run(5 * time.Second)
	for _, d := range a.compare(4).Differences {
		if d.Error == "" {
			t.Errorf("%+v", d)
		}
	}
}

// FuzzExtension gives a node Extension messages of its peer.
func FuzzExtension(f *testing.F) {
	for k := extHello; k <= extTell; k++ {
		for _, part := range []uint32{0, 1, beginPart, endPart} {
			e := extension{Kind: k, Flags: 7, A: 1, B: part, C: 3, D: 5, Data: make([]byte, 128)}
			f.Add(e.append(nil))
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) < extLen || len(b) > 60000 {
			return
		}
		b = slices.Clone(b)
		for _, mode := range []config.Mode{config.FTFW, config.NoTrack} {
			x := newExchange(t, 1)
			c := testConfig(mode)
			c.ResendQueueSize = 500
			n, p := x.add(1, c), x.add(2, c)
			n.fill(0, 3)
			x.run(1500 * time.Millisecond)
			n.Bulk()
			n.Compare(3)
			for i := range 4 {
				b[1] = extVersion
				binary.BigEndian.PutUint64(b[4:], p.ours.number)
				binary.BigEndian.PutUint64(b[12:], n.ours.number*uint64(i%2))
				h := wire.Header{Type: wire.Extension, Seq: p.seq}
				n.Receive(p.from, h.Append(nil, b))
				n.next = x.now
				x.run(10 * time.Millisecond)
			}
			if len(x.nodes) != 2 {
				t.Error("a node is gone")
			}
		}
	})
}
