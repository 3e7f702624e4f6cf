package filter_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"testing"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/filter"
)

// small makes entries and filters of few different values, so that they meet.
type small struct {
	*rand.Rand
	v6 bool
}

func (r small) one(n int) bool { return r.IntN(n) == 0 }

func (r small) addr() netip.Addr {
	if r.v6 {
		return netip.AddrFrom16([16]byte{0x20, 1, 4: byte(r.IntN(2)) << 7, 8: byte(r.IntN(2)), 15: byte(r.IntN(4))})
	}
	return netip.AddrFrom4([4]byte{10 + 128*byte(r.IntN(2)), byte(r.IntN(2)), byte(r.IntN(2)) << 7, byte(r.IntN(4))})
}

func (r small) entry() *ctnetlink.Flow {
	r.v6 = r.one(3)
	en := &ctnetlink.FlowSpec{Family: ctnetlink.FamilyIPv4}
	if r.v6 {
		en.Family = ctnetlink.FamilyIPv6
	}
	tuple := func(proto ctnetlink.Protocol) ctnetlink.Tuple {
		t := ctnetlink.Tuple{Has: ctnetlink.FieldAddrs | ctnetlink.FieldProto, Src: r.addr(), Dst: r.addr(), Proto: proto}
		switch proto {
		case ctnetlink.ProtoICMP:
			t.Has |= ctnetlink.FieldICMP
			t.ICMPType, t.ICMPID = 8, uint16(r.IntN(4))
		case 99:
		default:
			t.Has |= ctnetlink.FieldPorts
			t.SrcPort, t.DstPort = uint16(r.IntN(5)), uint16(r.IntN(5))
		}
		return t
	}
	proto := []ctnetlink.Protocol{ctnetlink.ProtoTCP, ctnetlink.ProtoUDP, ctnetlink.ProtoICMP, ctnetlink.ProtoGRE, 99}[r.IntN(5)]
	en.Orig, en.Reply = tuple(proto), tuple(proto)
	if r.one(2) { // not translated
		en.Reply.Src, en.Reply.Dst = en.Orig.Dst, en.Orig.Src
		en.Reply.SrcPort, en.Reply.DstPort = en.Orig.DstPort, en.Orig.SrcPort
	}
	en.Set = en.Set.With(ctnetlink.AttrStatus)
	en.Status = ctnetlink.StatusConfirmed | ctnetlink.StatusSrcNATDone | ctnetlink.StatusDstNATDone
	if !r.one(4) {
		en.Mark, en.Set = r.Uint32N(4), en.Set.With(ctnetlink.AttrMark)
	}
	if !r.one(4) {
		en.ID, en.Set = r.Uint32N(9), en.Set.With(ctnetlink.AttrID)
	}
	if r.one(3) {
		en.Zone, en.Set = uint16(r.IntN(3)), en.Set.With(ctnetlink.AttrZone)
	}
	f := new(ctnetlink.Flow)
	if err := f.Decode(en.AppendMessage(nil)); err != nil {
		panic(err)
	}
	return f
}

// filter returns a filter with one to many criteria.
func (r small) filter() *filter.Filter {
	m := new(filter.Filter)
	r.v6 = r.one(3)
	address := func() filter.Address {
		a := filter.Address{Addr: r.addr(), Not: r.one(8)}
		if r.one(8) {
			lo := r.addr()
			a.In = filter.NewAddrSet(filter.AddrRange{Min: lo, Max: lo}, filter.AddrRange{Min: a.Addr, Max: a.Addr})
			return a
		}
		if r.one(2) {
			return a
		}
		bits := r.IntN(a.Addr.BitLen() + 1)
		prefix, _ := a.Addr.Prefix(bits)
		ones := make([]byte, a.Addr.BitLen()/8)
		for i := range ones {
			ones[i] = byte(^(0xff >> min(max(bits-8*i, 0), 8)))
		}
		if r.one(6) {
			ones[r.IntN(len(ones))] = byte(r.Uint32()) // with holes
		}
		a.Mask, _ = netip.AddrFromSlice(ones)
		if r.one(2) {
			a.Addr = prefix.Addr()
		}
		return a
	}
	set := func(n uint32) filter.Set {
		switch {
		case r.one(6):
			return filter.NewSet(filter.Range{Min: r.Uint32N(n), Max: n})
		case r.one(6):
			return filter.Values(r.Uint32N(n), r.Uint32N(n))
		case r.one(30):
			return filter.NewSet()
		}
		return filter.Values(r.Uint32N(n))
	}
	for range 1 + r.IntN(4) {
		w := &m.Orig
		if r.one(3) {
			w = &m.Reply
		}
		switch r.IntN(16) {
		case 0, 1:
			w.SetAddr(ctnetlink.FieldSrc, address())
		case 2:
			w.SetAddr(ctnetlink.FieldDst, address())
		case 3:
			w.SetNumber(ctnetlink.FieldSrcPort, set(5))
		case 4, 5:
			w.SetNumber(ctnetlink.FieldDstPort, set(5))
		case 6:
			w.SetNumber(ctnetlink.FieldProto, filter.Values([]uint32{6, 17, 1, 47, 99}[r.IntN(5)]))
		case 7:
			w.SetNumber(ctnetlink.FieldICMPID, set(4))
		case 8:
			m.Host = address()
		case 9:
			m.Port, m.NotPort = set(5), r.one(5)
		case 10:
			m.Marks, m.NotMarks = marks(r.Uint32N(4), []uint32{0xffffffff, 0xffffffff, 1}[r.IntN(3)]), r.one(6)
		case 11:
			m.ID = set(9)
		case 12:
			m.Zone = set(3)
		case 13:
			a := address()
			n := filter.NAT{Given: true, Addr: a.Addr, Mask: a.Mask, In: a.In, Not: a.Not}
			if r.one(4) {
				n.Addr, n.Mask, n.In, n.Port, n.HasPort = netip.Addr{}, netip.Addr{}, nil, 2, true
			}
			*[]*filter.NAT{&m.SrcNAT, &m.DstNAT, &m.AnyNAT}[r.IntN(3)] = n
		case 14:
			m.Family = []ctnetlink.Family{ctnetlink.FamilyIPv4, ctnetlink.FamilyIPv6}[r.IntN(2)]
		case 15:
			m.StatusClear = ctnetlink.StatusSeenReply
		}
	}
	return m
}

// TestAnyIsAny: an entry matches a list of filters if it matches one of them, and
// the index makes no difference.
func TestAnyIsAny(t *testing.T) {
	matched, other := 0, 0
	for seed := range uint64(1000) {
		r := small{Rand: rand.New(rand.NewPCG(seed, 33))}
		size := r.IntN(6) // so few that each matters
		if r.one(4) {
			size = r.IntN(300)
		}
		list := make([]*filter.Filter, size)
		for i := range list {
			list[i] = r.filter()
		}
		if r.one(3) { // as many lists are, of one form
			form := r.IntN(5)
			for i := range list {
				m := new(filter.Filter)
				if form != 0 {
					m.Orig.SetAddr(ctnetlink.FieldSrc, filter.Address{Addr: r.addr()})
				}
				if form > 1 {
					m.Orig.SetNumber(ctnetlink.FieldProto, filter.Values(ctnetlink.ProtoTCP))
				}
				if form != 1 {
					m.Orig.SetNumber(ctnetlink.FieldDstPort, filter.Values(r.Uint32N(5)))
				}
				if form > 2 {
					m.Reply.SetAddr(ctnetlink.FieldSrc, filter.Address{Addr: r.addr()})
				}
				list[i] = m
			}
		}
		indexed := filter.NewAny(list...)
		whole := &filter.Filter{Any: indexed}
		narrower := &filter.Filter{Any: indexed, Family: ctnetlink.FamilyIPv4}
		for n := range 200 {
			f := r.entry()
			want := false
			for _, m := range list {
				want = want || m.Match(f)
			}
			if got := indexed.Match(f); got != want {
				t.Fatalf("seed %d, entry %d, %d filters: %v, want %v: %v", seed, n, len(list), got, want, f)
			}
			if got := whole.Match(f); got != want {
				t.Fatalf("seed %d, entry %d: as a criterion %v, want %v: %v", seed, n, got, want, f)
			}
			if got := narrower.Match(f); got != (want && f.Family() == ctnetlink.FamilyIPv4) {
				t.Fatalf("seed %d, entry %d: beside another criterion %v: %v", seed, n, got, f)
			}
			if want {
				matched++
			} else {
				other++
			}
			for _, q := range whole.Kernel() {
				if want && q.Family != ctnetlink.FamilyAny && q.Family != f.Family() {
					t.Fatalf("seed %d, entry %d: the kernel is not asked for it: %v", seed, n, f)
				}
			}
			if want && !whole.Events().Match(f) {
				t.Fatalf("seed %d, entry %d: the event would be lost: %v", seed, n, f)
			}
		}
	}
	if matched < 20_000 || other < 20_000 {
		t.Errorf("%d entries matched, %d did not", matched, other)
	}
}

func TestAnyOfNone(t *testing.T) {
	for _, a := range []*filter.Any{{}, filter.NewAny()} {
		m := &filter.Filter{Any: a}
		if a.Len() != 0 || m.Match(flow(t, nil)) || m.NeedsCounters() || m.NeedsStart() {
			t.Error("an empty list matches")
		}
	}
	counted := filter.NewAny(&filter.Filter{MinBytes: 1, Younger: 1}, &filter.Filter{MinPackets: 1, Older: 1})
	if m := (&filter.Filter{Any: counted}); !m.NeedsCounters() || !m.NeedsStart() {
		t.Error("all filters need counters and times, the list does not")
	}
	some := filter.NewAny(&filter.Filter{MinBytes: 1}, &filter.Filter{Older: 1})
	if m := (&filter.Filter{Any: some}); m.NeedsCounters() || m.NeedsStart() {
		t.Error("one filter needs counters, one times, the list both")
	}
}

// TestAnyOfOne: the kernel is asked for the entries of the only filter in a list,
// unless the filter around it asks for others.
func TestAnyOfOne(t *testing.T) {
	one := orig(ports("10.0.0.1", "10.0.0.2", 1, 80))
	one.Family, one.Zone = ctnetlink.FamilyIPv4, filter.Values(3)
	want := one.Kernel()
	if got := (&filter.Filter{Any: filter.NewAny(one)}).Kernel(); !reflect.DeepEqual(got, want) {
		t.Errorf("asks for %+v, want %+v", got, want)
	}
	for _, around := range []*filter.Filter{
		{Marks: marks(1, 1)}, {Family: ctnetlink.FamilyIPv6}, {Zone: filter.Values(4)}, {StatusClear: 2},
		orig(ctnetlink.Tuple{Has: ctnetlink.FieldDstPort, DstPort: 443}),
	} {
		around.Any = filter.NewAny(one)
		for _, q := range around.Kernel() {
			if q.Zone != 0 && q.Zone != 4 || q.Orig.Has&ctnetlink.FieldAddrs != 0 {
				t.Errorf("%+v asks for %+v", around, q)
			}
		}
	}
	two := &filter.Filter{Any: filter.NewAny(one, one)}
	if got := two.Kernel(); len(got) != 1 || *got[0] != (ctnetlink.DumpRequest{Family: ctnetlink.FamilyIPv4}) {
		t.Errorf("two filters ask for %+v", got)
	}
}

// BenchmarkAny: the time for an entry does not grow with the number of filters.
func BenchmarkAny(b *testing.B) {
	f := flow(b, nil)
	for _, n := range []int{10, 10_000, 100_000} {
		list := make([]*filter.Filter, n)
		for i := range list {
			m := new(filter.Filter)
			m.Orig.SetAddr(ctnetlink.FieldSrc, filter.Address{Addr: netip.AddrFrom4([4]byte{172, byte(i >> 16), byte(i >> 8), byte(i)})})
			m.Orig.SetNumber(ctnetlink.FieldProto, filter.Values(ctnetlink.ProtoTCP))
			m.Orig.SetNumber(ctnetlink.FieldDstPort, filter.Values(8080))
			list[i] = m
		}
		a := filter.NewAny(list...)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if a.Match(f) {
					b.Fatal("a match")
				}
			}
		})
	}
}
