package filter_test

import (
	"net/netip"
	"testing"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/filter"
)

// flow returns the view of an entry: a connection from 10.0.0.2:4000 to
// 192.0.2.1:8080 that was translated to one from 192.0.2.9 to 192.0.2.2:80.
func flow(t testing.TB, change func(*ctnetlink.FlowSpec)) *ctnetlink.Flow {
	t.Helper()
	en := &ctnetlink.FlowSpec{
		Family: ctnetlink.FamilyIPv4,
		Orig:   ports("10.0.0.2", "192.0.2.1", 4000, 8080),
		Reply:  ports("192.0.2.2", "192.0.2.9", 80, 4000),
		Status: ctnetlink.StatusConfirmed | ctnetlink.StatusSeenReply |
			ctnetlink.StatusSrcNATDone | ctnetlink.StatusDstNATDone,
		Mark: 0x17,
		ID:   77,
		Set: ctnetlink.AttrSet(0).With(ctnetlink.AttrStatus).With(ctnetlink.AttrMark).
			With(ctnetlink.AttrID).With(ctnetlink.AttrProtoInfo),
		ProtoInfo: ctnetlink.ProtoInfo{Proto: ctnetlink.ProtoTCP, State: 3, Has: ctnetlink.InfoState},
	}
	if change != nil {
		change(en)
	}
	f := new(ctnetlink.Flow)
	if err := f.Decode(en.AppendMessage(nil)); err != nil {
		t.Fatal(err)
	}
	return f
}

func addr(s string) netip.Addr { return netip.MustParseAddr(s) }

func ports(src, dst string, sport, dport uint16) ctnetlink.Tuple {
	return ctnetlink.Tuple{
		Has: ctnetlink.FieldAddrs | ctnetlink.FieldPorts | ctnetlink.FieldProto,
		Src: addr(src), Dst: addr(dst), SrcPort: sport, DstPort: dport, Proto: ctnetlink.ProtoTCP,
	}
}

func orig(t ctnetlink.Tuple) *filter.Filter {
	m := new(filter.Filter)
	m.Orig.Add(&t)
	return m
}

func reply(t ctnetlink.Tuple) *filter.Filter {
	m := new(filter.Filter)
	m.Reply.Add(&t)
	return m
}

// inFamily sets the family of a filter.
func inFamily(family ctnetlink.Family, m *filter.Filter) *filter.Filter {
	m.Family = family
	return m
}

func marks(mark, mask uint32) []filter.MarkRange {
	return []filter.MarkRange{{Min: mark, Max: mark, Mask: mask}}
}

func state(proto ctnetlink.Protocol, states ...uint8) []filter.StateSet {
	s := filter.StateSet{Proto: proto}
	for _, n := range states {
		s.States |= 1 << n
	}
	return []filter.StateSet{s}
}

func TestMatch(t *testing.T) {
	type tuple = ctnetlink.Tuple
	masked := func(a, mask string) *filter.Filter {
		m := orig(tuple{Has: ctnetlink.FieldSrc, Src: addr(a)})
		m.Orig.SetAddr(ctnetlink.FieldSrc, filter.Address{Addr: addr(a), Mask: addr(mask)})
		return m
	}
	labels := ctnetlink.NewLabels(40)
	toPort := func(port uint16) *filter.Filter {
		return &filter.Filter{DstNAT: filter.NAT{Given: true, Addr: addr("192.0.2.2"), Port: port, HasPort: true}}
	}
	for _, c := range []struct {
		name string
		m    *filter.Filter
		want bool
	}{
		{"nothing", &filter.Filter{}, true},
		{"family", &filter.Filter{Family: ctnetlink.FamilyIPv4}, true},
		{"other family", &filter.Filter{Family: ctnetlink.FamilyIPv6}, false},
		{"src", orig(tuple{Has: ctnetlink.FieldSrc, Src: addr("10.0.0.2")}), true},
		{"other src", orig(tuple{Has: ctnetlink.FieldSrc, Src: addr("10.0.0.3")}), false},
		{"v6 src", orig(tuple{Has: ctnetlink.FieldSrc, Src: addr("::ffff:10.0.0.2")}), false},
		{"network", masked("10.0.0.99", "255.255.255.0"), true},
		{"mask with holes", masked("10.7.0.9", "255.0.255.0"), true},
		{"other network", masked("10.0.1.2", "255.255.255.0"), false},
		{"mask of the other family", masked("10.0.0.2", "::"), false},
		{"ports", orig(ports("10.0.0.2", "192.0.2.1", 4000, 8080)), true},
		{"other port", orig(ports("10.0.0.2", "192.0.2.1", 4000, 80)), false},
		{"icmp of tcp", orig(tuple{Has: ctnetlink.FieldICMPType}), false},
		{"zone 0 of none", orig(tuple{Has: ctnetlink.FieldZone}), true},
		{"zone 1 of none", orig(tuple{Has: ctnetlink.FieldZone, Zone: 1}), false},
		{"entry's zone 0", &filter.Filter{Zone: filter.Values(0)}, true},
		{"entry's zone 1", &filter.Filter{Zone: filter.Values(1)}, false},
		{"reply", reply(ports("192.0.2.2", "192.0.2.9", 80, 4000)), true},
		{"mark", &filter.Filter{Marks: marks(0x17, 0xffffffff)}, true},
		{"mark bits", &filter.Filter{Marks: marks(0x10, 0xf0)}, true},
		{"mark outside its mask", &filter.Filter{Marks: marks(0x17, 0xf0)}, false},
		{"status", &filter.Filter{StatusSet: ctnetlink.StatusSeenReply, StatusClear: ctnetlink.StatusAssured}, true},
		{"status missing", &filter.Filter{StatusSet: ctnetlink.StatusSeenReply | ctnetlink.StatusAssured}, false},
		{"status too much", &filter.Filter{StatusClear: ctnetlink.StatusSeenReply}, false},
		{"state", &filter.Filter{States: state(6, 3)}, true},
		{"other state", &filter.Filter{States: state(6, 4)}, false},
		{"another protocol's state", &filter.Filter{States: state(132, 3)}, false},
		{"id", &filter.Filter{ID: filter.Values(77)}, true},
		{"other id", &filter.Filter{ID: filter.Values(78)}, false},
		{"secmark, not sent", &filter.Filter{SecMark: filter.Values(0)}, false},
		{"labels, not sent", &filter.Filter{Labels: labels}, false},
		{"source NAT", &filter.Filter{SrcNAT: filter.NAT{Given: true}}, true},
		{"to an address", &filter.Filter{SrcNAT: filter.NAT{Given: true, Addr: addr("192.0.2.9")}}, true},
		{"to another", &filter.Filter{SrcNAT: filter.NAT{Given: true, Addr: addr("192.0.2.2")}}, false},
		{"to a port", toPort(80), true},
		{"to another port", toPort(81), false},
		{"either, source", &filter.Filter{AnyNAT: filter.NAT{Given: true, Addr: addr("192.0.2.9")}}, true},
		{"either, destination", &filter.Filter{AnyNAT: filter.NAT{Given: true, Addr: addr("192.0.2.2")}}, true},
		{"either, neither", &filter.Filter{AnyNAT: filter.NAT{Given: true, Addr: addr("10.0.0.2")}}, false},
	} {
		if got := c.m.Match(flow(t, nil)); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
	bare := flow(t, func(en *ctnetlink.FlowSpec) { en.Set = 0 })
	for _, m := range []*filter.Filter{
		{Marks: marks(0, 0)}, {StatusClear: 1}, {States: state(6, 0)}, {ID: filter.Values(0)},
	} {
		if m.Match(bare) {
			t.Errorf("%+v matches an entry without the attribute", m)
		}
	}
}

// TestPingIsNotNAT checks that a ping with the same id in both directions is not
// taken for translated, although both DONE bits are set on it where NAT hooks
// are loaded.
func TestPingIsNotNAT(t *testing.T) {
	ping := func(replyID uint16) *ctnetlink.Flow {
		return flow(t, func(en *ctnetlink.FlowSpec) {
			has := ctnetlink.FieldAddrs | ctnetlink.FieldProto | ctnetlink.FieldICMP
			en.Orig = ctnetlink.Tuple{Has: has, Src: addr("10.0.0.2"), Dst: addr("10.0.0.3"), Proto: 1, ICMPType: 8, ICMPID: 99}
			en.Reply = ctnetlink.Tuple{Has: has, Src: addr("10.0.0.3"), Dst: addr("10.0.0.2"), Proto: 1, ICMPID: replyID}
		})
	}
	any := &filter.Filter{AnyNAT: filter.NAT{Given: true}}
	if any.Match(ping(99)) {
		t.Error("an untranslated ping is taken for translated")
	}
	source := &filter.Filter{SrcNAT: filter.NAT{Given: true}}
	if !source.Match(ping(98)) {
		t.Error("a ping with a translated id is not taken for translated")
	}
}

// TestKernel checks that the kernel is asked for every entry that matches, and
// for nothing that it refuses.
func TestKernel(t *testing.T) {
	m := &filter.Filter{Family: ctnetlink.FamilyIPv6, StatusClear: ctnetlink.StatusAssured, Marks: marks(3, 0xff)}
	q := m.Kernel()[0]
	if q.Family != ctnetlink.FamilyIPv6 || q.Status != 0 || q.StatusMask != ctnetlink.StatusAssured ||
		q.Mark != 3 || q.MarkMask != 0xff {
		t.Errorf("%+v", q)
	}
	if q := (&filter.Filter{}).Kernel(); len(q) != 1 || *q[0] != (ctnetlink.DumpRequest{}) {
		t.Errorf("no criterion, but the kernel is asked for %+v", q)
	}
	masked := inFamily(2, orig(ports("1.1.1.1", "2.2.2.2", 1, 2)))
	masked.Orig.SetAddr(ctnetlink.FieldSrc, filter.Address{Addr: addr("1.1.1.1"), Mask: addr("255.0.0.0")})
	for _, c := range []struct {
		name        string
		m           *filter.Filter
		dumps       int
		orig, reply ctnetlink.Fields
	}{
		{"v4 tuple", inFamily(2, orig(ports("1.1.1.1", "2.2.2.2", 1, 2))), 1,
			ctnetlink.FieldAddrs | ctnetlink.FieldPorts | ctnetlink.FieldProto, 0},
		{"a mask is not sent", masked, 1,
			ctnetlink.FieldDst | ctnetlink.FieldPorts | ctnetlink.FieldProto, 0},
		{"port without a family", orig(ctnetlink.Tuple{Has: ctnetlink.FieldProto | ctnetlink.FieldDstPort, Proto: 6}), 2,
			ctnetlink.FieldProto | ctnetlink.FieldDstPort, 0},
		{"protocol without a family", orig(ctnetlink.Tuple{Has: ctnetlink.FieldProto, Proto: 6}), 1, 0, 0},
		{"a zone is not sent", inFamily(2, orig(ctnetlink.Tuple{Has: ctnetlink.FieldProto | ctnetlink.FieldZone, Proto: 6})), 1,
			ctnetlink.FieldProto, 0},
	} {
		q := c.m.Kernel()
		if len(q) != c.dumps || q[0].Orig.Has != c.orig || q[0].Reply.Has != c.reply {
			t.Errorf("%s: %d dumps, original %#x, reply %#x; want %d, %#x, %#x", c.name,
				len(q), q[0].Orig.Has, q[0].Reply.Has, c.dumps, c.orig, c.reply)
		}
	}
}

func BenchmarkMatch(b *testing.B) {
	f := flow(b, nil)
	m := orig(ports("10.0.0.2", "192.0.2.1", 4000, 8080))
	m.SrcNAT = filter.NAT{Given: true}
	m.Marks = marks(0x10, 0xf0)
	b.ReportAllocs()
	for b.Loop() {
		if !m.Match(f) {
			b.Fatal("no match")
		}
	}
}
