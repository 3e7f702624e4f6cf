package engine

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"testing"
	"time"

	pk "github.com/gonntrack/gonntrack/internal/packets"
)

// fragmentTest sends fragments of packets from one or two sources.
type fragmentTest struct {
	*testing.T
	tab *Table
	now time.Time
}

func newFragmentTest(t *testing.T, change func(s *Sysctls)) *fragmentTest {
	s := DefaultSysctls()
	if change != nil {
		change(&s)
	}
	return &fragmentTest{t, New(Options{Sysctls: s}), time.Unix(1000, 0)}
}

// send sends the bytes from ≤ i < to of a packet with 40 bytes of data.
func (t *fragmentTest) send(src, dst string, id uint32, from, to int, more bool) *Verdict {
	p := pk.UDP{Src: netip.AddrPortFrom(pk.Addr(src), 1000), Dst: netip.AddrPortFrom(pk.Addr(dst), 53), Data: make([]byte, 40)}.Bytes()
	return t.tab.Track(&Packet{Data: pk.Piece(p, id, from, to, more), Time: t.now, In: "a"})
}

// whole sends the second and last fragment of a packet, and reports whether it
// made the packet complete.
func (t *fragmentTest) whole(src, dst string, id uint32) bool {
	return t.send(src, dst, id, 16, 48, false).State == StateNew
}

// TestFragmentDistance: with ipfrag_max_dist fragments of a source between two of
// a set, it is complete, with one more it begins anew. Every fragment counts.
func TestFragmentDistance(t *testing.T) {
	const a, b = "10.0.0.2", "192.0.2.2"
	between := map[string]func(t *fragmentTest, i uint32){
		"other sets":                 func(t *fragmentTest, i uint32) { t.send(a, "192.0.2.9", 100+i, 0, 16, true) },
		"duplicates of another":      func(t *fragmentTest, i uint32) { t.send(a, b, 2, 0, 16, true) },
		"killed sets":                func(t *fragmentTest, i uint32) { t.send(a, b, 2, 0, 16+int(i&1)*8, true) },
		"empty fragments":            func(t *fragmentTest, i uint32) { t.send(a, b, 2, 0, 0, true) },
		"no fragments of the source": nil,
	}
	for name, f := range between {
		for _, n := range []int{63, 64} {
			x := newFragmentTest(t, nil)
			x.send(a, b, 1, 0, 16, true)
			for i := range n {
				if f != nil {
					f(x, uint32(i))
				} else {
					x.send("10.0.0.3", b, uint32(100+i), 0, 16, true)
				}
			}
			if got, want := x.whole(a, b, 1), n < 64 || f == nil; got != want {
				t.Errorf("%d of %s: complete %t", n, name, got)
			} else if !want && x.send(a, b, 1, 0, 16, true).State != StateNew {
				t.Errorf("%d of %s: the set did not begin anew", n, name)
			}
		}
	}
	x := newFragmentTest(t, func(s *Sysctls) { s.FragDistance = 0 })
	x.send(a, b, 1, 0, 16, true)
	for i := range 1000 {
		x.send(a, b, uint32(2+i), 0, 16, true)
	}
	if !x.whole(a, b, 1) {
		t.Error("max_dist 0 is a limit")
	}
	x = newFragmentTest(t, nil) // IPv6 has none
	x.send("fd00::2", "fd01::2", 1, 0, 16, true)
	for i := range 100 {
		x.send("fd00::2", "fd01::2", uint32(2+i), 0, 16, true)
	}
	if !x.whole("fd00::2", "fd01::2", 1) {
		t.Error("IPv6 has a limit")
	}
}

// TestFragmentTime: the time runs from the first fragment.
func TestFragmentTime(t *testing.T) {
	for _, c := range []struct {
		src, dst string
		limit    time.Duration
	}{{"10.0.0.2", "192.0.2.2", 30 * time.Second}, {"fd00::2", "fd01::2", 60 * time.Second}} {
		for _, late := range []bool{false, true} {
			x := newFragmentTest(t, nil)
			x.send(c.src, c.dst, 1, 0, 8, true)
			x.now = x.now.Add(c.limit / 2)
			x.send(c.src, c.dst, 1, 8, 16, true)
			x.now = x.now.Add(c.limit/2 - time.Millisecond)
			if late {
				x.now = x.now.Add(2 * time.Millisecond)
			}
			if got := x.whole(c.src, c.dst, 1); got == late {
				t.Errorf("%s, late %t: complete %t", c.src, late, got)
			} else if late && x.send(c.src, c.dst, 1, 0, 16, true).State != StateNew {
				t.Errorf("%s: late fragments do not begin a new set", c.src)
			}
		}
	}
	x := newFragmentTest(t, func(s *Sysctls) { s.FragTime, s.Frag6Time = 0, 0 })
	if x.send("10.0.0.2", "192.0.2.2", 1, 0, 16, true); !x.whole("10.0.0.2", "192.0.2.2", 1) {
		t.Error("timeout 0: fragments right behind each other are not put together")
	}
	// A set that began anew by distance has its time anew.
	x = newFragmentTest(t, func(s *Sysctls) { s.FragTime, s.FragDistance = 1, 1 })
	x.send("10.0.0.2", "192.0.2.2", 1, 0, 16, true)
	x.now = x.now.Add(600 * time.Millisecond)
	for range 3 {
		x.send("10.0.0.2", "192.0.2.2", 2, 0, 16, true)
	}
	x.send("10.0.0.2", "192.0.2.2", 1, 16, 48, false)
	x.now = x.now.Add(600 * time.Millisecond)
	if x.send("10.0.0.2", "192.0.2.2", 1, 0, 16, true).State != StateNew {
		t.Error("the time of a set that began anew was not set")
	}
}

// TestFragmentMemory: the number of one-fragment sets that Linux takes with a
// limit of 60000 bytes, and nothing is taken with 0.
func TestFragmentMemory(t *testing.T) {
	for _, c := range []struct{ data, ipv4, ipv6 int }{
		{8, 59, 60}, {104, 59, 60}, {200, 41, 41}, {464, 41, 41}, {600, 41, 25}, {968, 24, 25}, {1480, 24, 25},
		{2000, 14, 14}, {3000, 14, 14}, {4000, 7, 7}, {8000, 5, 5}, {16000, 3, 3}, {32000, 2, 2}, {64000, 1, 1},
	} {
		for _, f := range []struct {
			src, dst string
			want     int
		}{{"10.0.0.2", "192.0.2.2", c.ipv4}, {"fd00::2", "fd01::2", c.ipv6}} {
			x := newFragmentTest(t, func(s *Sysctls) { s.FragHigh, s.Frag6High, s.FragDistance = 60000, 60000, 0 })
			p := pk.UDP{Src: netip.AddrPortFrom(pk.Addr(f.src), 1), Dst: netip.AddrPortFrom(pk.Addr(f.dst), 2), Data: make([]byte, c.data)}.Bytes()
			got := 0
			for id := range uint32(90) {
				if x.tab.Track(&Packet{Data: pk.Piece(p, id, 0, c.data, true), Time: x.now}).Fate == Waits {
					got++
				}
			}
			if got != f.want {
				t.Errorf("%d bytes from %s: %d sets, want %d", c.data, f.src, got, f.want)
			}
			// A set that was begun gets nothing either.
			if v := x.tab.Track(&Packet{Data: pk.Piece(p, 0, c.data, c.data+8, false), Time: x.now}); v.State != StateNone {
				t.Errorf("%d bytes from %s: the full table took a fragment: %s", c.data, f.src, v.State)
			}
		}
	}
	x := newFragmentTest(t, func(s *Sysctls) { s.FragHigh, s.Frag6High = 0, 0 })
	for _, a := range [][2]string{{"10.0.0.2", "192.0.2.2"}, {"fd00::2", "fd01::2"}} {
		if v := x.send(a[0], a[1], 1, 0, 16, true); v.Fate != Dropped {
			t.Errorf("high_thresh 0, from %s: %s", a[0], v.Fate)
		}
	}
}

// TestFragmentTooLong: the longest packet has 65535 bytes with its headers.
func TestFragmentTooLong(t *testing.T) {
	for _, c := range []struct {
		src, dst string
		n        int
	}{{"10.0.0.2", "192.0.2.2", 65515}, {"fd00::2", "fd01::2", 65535}} {
		for over := range 2 {
			x := newFragmentTest(t, nil)
			p := pk.IP{Src: pk.Addr(c.src), Dst: pk.Addr(c.dst), Proto: 253, Payload: make([]byte, 8)}.Bytes()
			var v *Verdict
			for from := 0; from < c.n; from += 32000 {
				to := min(from+32000, c.n+over)
				v = x.tab.Track(&Packet{Data: pk.Piece(p, 7, from, to, from+32000 < c.n), Time: x.now})
			}
			if got := v.State == StateNew; got != (over == 0) {
				t.Errorf("%s, %d bytes: %s", c.src, c.n+over, v.State)
			}
		}
	}
}

// TestFragmentKey: fragments of one packet may come by any interface, in IPv6
// only if the destination is neither link-local nor multicast.
func TestFragmentKey(t *testing.T) {
	for _, c := range []struct {
		src, dst string
		want     bool
	}{
		{"10.0.0.2", "192.0.2.2", true}, {"fd00::2", "fd01::2", true}, {"fe80::9", "fd01::2", true},
		{"fd00::2", "fe80::5", false}, {"fd00::2", "ff02::1", false},
	} {
		x := newFragmentTest(t, nil)
		p := pk.UDP{Src: netip.AddrPortFrom(pk.Addr(c.src), 1), Dst: netip.AddrPortFrom(pk.Addr(c.dst), 2), Data: make([]byte, 40)}.Bytes()
		x.tab.Track(&Packet{Data: pk.Piece(p, 7, 0, 16, true), Time: x.now, In: "a"})
		v := x.tab.Track(&Packet{Data: pk.Piece(p, 7, 16, 48, false), Time: x.now, In: "b"})
		if got := v.State == StateNew; got != c.want {
			t.Errorf("%s > %s: put together: %t", c.src, c.dst, got)
		}
	}
}

// TestFragmentCut: of fragments of which a part was captured the headers are
// enough; they leave as far as they were captured.
func TestFragmentCut(t *testing.T) {
	for _, a := range [][2]string{{"10.0.0.2", "192.0.2.2"}, {"fd00::2", "fd01::2"}} {
		p := pk.UDP{Src: netip.AddrPortFrom(pk.Addr(a[0]), 1000), Dst: netip.AddrPortFrom(pk.Addr(a[1]), 53), Data: bytes.Repeat([]byte("ab"), 500)}.Bytes()
		x := newFragmentTest(t, nil)
		var v *Verdict
		var sent [][]byte
		for _, piece := range pk.Fragments(p, 9, 400) {
			b := piece[:min(len(piece), 80)]
			sent = append(sent, b)
			v = x.tab.Track(&Packet{Data: b, Length: len(piece), Time: x.now})
		}
		if v.State != StateNew || !v.Confirmed || len(v.Leaves) != len(sent) {
			t.Fatalf("%s: %s, %d leave", a[0], v.State, len(v.Leaves))
		}
		if !bytes.Equal(v.Leaves[0], sent[0]) {
			t.Errorf("%s: the first leaves as\n%x\nwant\n%x", a[0], v.Leaves[0], sent[0])
		}
		for i, b := range v.Leaves {
			at := 2
			if b[0]>>4 == 6 {
				at = 4
			}
			if binary.BigEndian.Uint16(b[at:]) != binary.BigEndian.Uint16(sent[i][at:]) {
				t.Errorf("%s: fragment %d leaves with another length", a[0], i)
			}
		}
		checkReassembly(t, x.tab)
	}
}

// checkReassembly checks that the memory of the fragments that wait is counted
// right and is at least what they take.
func checkReassembly(t *testing.T, tab *Table) {
	t.Helper()
	f := &tab.path.frags
	sets := 0
	for _, q := range []*setQueue{&f.ipv4, &f.ipv6} {
		memory := 0
		for s, last := q.first, (*fragmentSet)(nil); s != nil; last, s = s, s.next {
			sets++
			memory += s.memory
			if f.sets[s.key] != s || s.prev != last {
				t.Fatal("a set is lost")
			}
			if len(s.stored) > s.memory || len(s.pieces)*768 > s.memory {
				t.Fatalf("%d bytes in %d pieces count as %d", len(s.stored), len(s.pieces), s.memory)
			}
		}
		if memory != q.memory {
			t.Fatalf("the sets have %d bytes, %d are counted", memory, q.memory)
		}
	}
	if sets != len(f.sets) || len(f.sources) > sets || len(f.spare) > spareSets {
		t.Fatalf("%d sets, %d sources, %d spare, %d in the queues", len(f.sets), len(f.sources), len(f.spare), sets)
	}
}
