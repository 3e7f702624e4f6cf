package ctnetlink

import (
	"math/bits"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/internal/wire"
)

// TestKernelFilters compares dumps with a filter with the whole dump, filtered
// here: for each entry of a varied table, each subset of the fields of its
// tuples that filterFields lets through. Each dump walks the kernel's whole hash
// table, so time bounds the test: filters of one field come first, then the
// others in random order.
func TestKernelFilters(t *testing.T) {
	bound := 15 * time.Second
	if testing.Short() {
		bound = 2 * time.Second
	}
	c := namespace(t)
	made := 0
	for _, family := range []Family{FamilyIPv4, FamilyIPv6} {
		for _, proto := range []Protocol{ProtoTCP, ProtoUDP, ProtoUDPLite, ProtoSCTP, ProtoGRE, ProtoICMP, ProtoICMPv6, 50} {
			for i := range uint16(2) {
				en := filterEntry(family, proto, i)
				if err := c.Create(en); err != nil {
					t.Fatalf("protocol %d, family %d: %v", proto, family, err)
				}
				made++
			}
		}
	}
	all := cloneAll(t, c, &DumpRequest{})
	if len(all) != made {
		t.Fatalf("%d entries, made %d", len(all), made)
	}
	// A filter is what a dump can carry: some fields of one of the two tuples.
	type kernelFilter struct {
		family Family
		reply  bool
		want   Tuple
	}
	tuple := func(f *Flow, reply bool) *Tuple {
		if reply {
			return f.Reply()
		}
		return f.Orig()
	}
	seen := map[kernelFilter]bool{}
	var filters []kernelFilter
	for _, f := range all {
		for _, reply := range []bool{false, true} {
			fields := filterFields(tuple(f, reply), f.Family())
			for has := fields; has != 0; has = (has - 1) & fields {
				k := kernelFilter{f.Family(), reply, tuple(f, reply).Only(has)}
				// Ports need their protocol.
				if has == filterFields(&k.want, f.Family()) && !seen[k] {
					seen[k] = true
					filters = append(filters, k)
				}
			}
		}
	}
	r := rand.New(rand.NewPCG(1, 2))
	r.Shuffle(len(filters), func(i, j int) { filters[i], filters[j] = filters[j], filters[i] })
	slices.SortStableFunc(filters, func(a, b kernelFilter) int {
		return min(bits.OnesCount(uint(a.want.Has)), 2) - min(bits.OnesCount(uint(b.want.Has)), 2)
	})
	checks := 0
	for end := time.Now().Add(bound); checks < len(filters) && time.Now().Before(end); checks++ {
		k := &filters[checks]
		q := &DumpRequest{Family: k.family}
		*map[bool]*Tuple{false: &q.Orig, true: &q.Reply}[k.reply] = k.want
		n := 0
		for _, g := range all {
			if g.Family() == k.family && sameFields(&k.want, tuple(g, k.reply)) {
				n++
			}
		}
		got := 0
		for _, g := range dumpOnce(t, c, q) {
			if !sameFields(&k.want, tuple(g, k.reply)) {
				t.Fatalf("%+v: %+v does not match", *k, tuple(g, k.reply))
			}
			got++
		}
		if got != n {
			t.Fatalf("%+v: %d entries, want %d", *k, got, n)
		}
	}
	t.Logf("%d of %d filters on %d entries, in at most %v", checks, len(filters), len(all), bound)
}

// filterEntry makes entries that share some values and differ in others.
func filterEntry(family Family, proto Protocol, i uint16) *FlowSpec {
	src, dst := netip.AddrFrom4([4]byte{10, 0, 0, 1}), netip.AddrFrom4([4]byte{10, 0, 1, byte(i)})
	if family == FamilyIPv6 {
		src, dst = netip.MustParseAddr("fd00::1"), netip.AddrFrom16([16]byte{0xfd, 15: byte(i)})
	}
	has := FieldAddrs | FieldProto
	switch {
	case proto.HasPorts() || proto == ProtoGRE:
		has |= FieldPorts
	case proto == ProtoICMP || proto == ProtoICMPv6:
		has |= FieldICMP
	}
	query, answer := uint8(8), uint8(0)
	if proto == ProtoICMPv6 {
		query, answer = 128, 129
	}
	en := &FlowSpec{Family: family, Timeout: 1000 * time.Second, Set: AttrSet(0).With(AttrTimeout)}
	en.Orig = Tuple{Has: has, Src: src, Dst: dst, Proto: proto, SrcPort: 1000 + i%2, DstPort: 80, ICMPType: query, ICMPID: i % 2}
	en.Reply = Tuple{Has: has, Src: dst, Dst: src, Proto: proto, SrcPort: 80, DstPort: 1000 + i%2, ICMPType: answer, ICMPID: i % 2}
	en.Orig, en.Reply = en.Orig.Only(has), en.Reply.Only(has)
	return en
}

func sameFields(want, t *Tuple) bool {
	same := func(f Fields, equal bool) bool { return want.Has&f == 0 || equal }
	return same(FieldSrc, want.Src == t.Src) && same(FieldDst, want.Dst == t.Dst) && same(FieldProto, want.Proto == t.Proto) &&
		same(FieldSrcPort, want.SrcPort == t.SrcPort) && same(FieldDstPort, want.DstPort == t.DstPort) &&
		same(FieldICMPType, want.ICMPType == t.ICMPType) && same(FieldICMPCode, want.ICMPCode == t.ICMPCode) &&
		same(FieldICMPID, want.ICMPID == t.ICMPID)
}

// dumpOnce dumps without the second try that a refused filter gets, so that a
// refusal shows.
func dumpOnce(t *testing.T, c *Conn, q *DumpRequest) []*Flow {
	t.Helper()
	e, h := c.request(wire.SubsysConntrack, q.message(), wire.FlagDump)
	q.append(e, h)
	var all []*Flow
	err := c.dump(h, func() {}, func(msg []byte) error {
		f := new(Flow)
		err := f.Decode(append([]byte(nil), msg...))
		all = append(all, f)
		return err
	})
	if err != nil {
		t.Fatalf("%+v: %v", q, err)
	}
	return all
}

func cloneAll(t *testing.T, c *Conn, q *DumpRequest) []*Flow {
	t.Helper()
	var all []*Flow
	for f, err := range c.Dump(q) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, f.Clone())
	}
	return all
}

// TestRefusedFilter: a filter that the kernel refuses is asked for again
// without it.
func TestRefusedFilter(t *testing.T) {
	c := namespace(t)
	if err := c.Create(filterEntry(FamilyIPv4, ProtoICMP, 0)); err != nil {
		t.Fatal(err)
	}
	// A type that is no query's.
	q := &DumpRequest{Family: FamilyIPv4, Orig: Tuple{Has: FieldProto | FieldICMPType, Proto: ProtoICMP, ICMPType: 3}}
	if all := cloneAll(t, c, q); len(all) != 0 || c.refused != filterTuples {
		t.Errorf("%d entries, refused %b", len(all), c.refused)
	}
	q.Orig.ICMPType = 8
	if all := cloneAll(t, c, q); len(all) != 1 {
		t.Errorf("%d entries, want the one that matches", len(all))
	}
}

// TestDumpSelects: a dump lists what the request selects and nothing else, also
// where the kernel's own test is inverted, missing or refused.
func TestDumpSelects(t *testing.T) {
	c := namespace(t)
	var all []*FlowSpec
	for _, family := range []Family{FamilyIPv4, FamilyIPv6} {
		for _, proto := range []Protocol{ProtoTCP, ProtoUDP, ProtoSCTP} {
			for i := range uint16(3) {
				en := filterEntry(family, proto, i)
				if i == 2 {
					en.Zone, en.Set = 7, en.Set.With(AttrZone)
				}
				create(t, c, en)
				all = append(all, en)
			}
		}
	}
	for _, en := range all {
		for _, q := range []*DumpRequest{
			{Orig: en.Orig}, {Reply: en.Reply}, {Orig: en.Orig.Only(FieldDst)}, {Orig: en.Orig.Only(FieldSrcPort)},
			{Family: en.Family, Orig: en.Orig.Only(FieldProto | FieldSrcPort), Zone: en.Zone},
		} {
			want := 0
			for _, other := range all {
				if other.Orig.meets(&q.Orig, netip.Addr{}, netip.Addr{}) && other.Reply.meets(&q.Reply, netip.Addr{}, netip.Addr{}) &&
					(q.Family == FamilyAny || q.Family == other.Family) && (q.Zone == 0 || q.Zone == other.Zone) {
					want++
				}
			}
			if got, err := c.DumpAll(q); err != nil || len(got) != want {
				t.Errorf("%+v: %d entries, %v; want %d", *q, len(got), err, want)
			}
		}
	}
	if got, err := c.DumpAll(nil); err != nil || len(got) != len(all) {
		t.Errorf("%d entries, %v; want all %d", len(got), err, len(all))
	}
}
