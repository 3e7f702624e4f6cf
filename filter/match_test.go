package filter_test

import (
	"encoding/binary"
	"net/netip"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/filter"
)

// withAttrs returns the flow with additional attributes, which no request has.
func withAttrs(t testing.TB, f *ctnetlink.Flow, attrs ...[]byte) *ctnetlink.Flow {
	t.Helper()
	b := append([]byte(nil), f.Message()...)
	for _, a := range attrs {
		b = append(b, a...)
	}
	binary.NativeEndian.PutUint32(b, uint32(len(b)))
	g := new(ctnetlink.Flow)
	if err := g.Decode(b); err != nil {
		t.Fatal(err)
	}
	return g
}

// nested returns an attribute with nested attributes 1, 2, … of 64 bits each.
func nested(a ctnetlink.Attr, values ...uint64) []byte {
	var in []byte
	for i, v := range values {
		in = binary.NativeEndian.AppendUint16(in, 12)
		in = binary.NativeEndian.AppendUint16(in, uint16(i+1))
		in = binary.BigEndian.AppendUint64(in, v)
	}
	b := binary.NativeEndian.AppendUint16(nil, uint16(len(in)+4))
	return append(binary.NativeEndian.AppendUint16(b, uint16(a)|1<<15), in...)
}

// TestCriteria tries each criterion by itself on the entry of flow, which is 100
// seconds old, has counted 7 packets and 900 bytes, and lives for 300 seconds.
func TestCriteria(t *testing.T) {
	start := time.Unix(1_000_000, 0)
	now := func() time.Time { return start.Add(100 * time.Second) }
	f := withAttrs(t, flow(t, func(en *ctnetlink.FlowSpec) {
		en.Timeout, en.Set = 300*time.Second, en.Set.With(ctnetlink.AttrTimeout)
		en.Labels = make([]byte, 16)
		en.Labels.Set(40)
		en.Set = en.Set.With(ctnetlink.AttrLabels)
	}), nested(ctnetlink.AttrCountersOrig, 4, 500), nested(ctnetlink.AttrCountersReply, 3, 400),
		nested(ctnetlink.AttrTimestamp, uint64(start.UnixNano())))
	bare := flow(t, func(en *ctnetlink.FlowSpec) { en.Set = 0 })
	gre := flow(t, func(en *ctnetlink.FlowSpec) {
		en.Orig.Proto, en.Reply.Proto = ctnetlink.ProtoGRE, ctnetlink.ProtoGRE
	})
	gone := withAttrs(t, flow(t, nil),
		nested(ctnetlink.AttrTimestamp, uint64(start.UnixNano()), uint64(start.Add(30*time.Second).UnixNano())))

	set := func(lo, hi uint32) filter.Set { return filter.NewSet(filter.Range{Min: lo, Max: hi}) }
	in := func(field ctnetlink.Fields, lo, hi uint32) (w filter.Tuple) {
		w.SetNumber(field, set(lo, hi))
		return w
	}
	label := func(n int) ctnetlink.Labels { return ctnetlink.NewLabels(n) }
	host := func(a, mask string) filter.Address { return filter.Address{Addr: addr(a), Mask: addr(mask)} }
	not := func(a, mask string) filter.Address { return filter.Address{Addr: addr(a), Mask: addr(mask), Not: true} }
	at := func(field ctnetlink.Fields, a filter.Address) (w filter.Tuple) {
		w.SetAddr(field, a)
		return w
	}
	const whole = "255.255.255.255"
	list := filter.Address{In: filter.NewAddrSet(addrRange("fd00::", "fd00::9"), addrRange("10.0.0.1", "10.0.0.3"))}
	noneOf := filter.Address{In: list.In, Not: true}
	to := filter.NewAddrSet(addrRange("192.0.2.9", "192.0.2.9"), addrRange("192.0.2.77", "192.0.2.78"))
	two := append(state(132, 0), state(6, 3, 7)...)
	every := ^uint32(0)
	hex := []filter.MarkRange{{Min: 1, Max: 2, Mask: every}, {Min: 0x10, Max: 0x1f, Mask: every}}
	for _, c := range []struct {
		name string
		m    filter.Filter
		f    *ctnetlink.Flow
		want bool
	}{
		{"port in", filter.Filter{Orig: in(ctnetlink.FieldDstPort, 8000, 8099)}, f, true},
		{"port out", filter.Filter{Orig: in(ctnetlink.FieldDstPort, 8081, 8099)}, f, false},
		{"reply port", filter.Filter{Reply: in(ctnetlink.FieldSrcPort, 80, 80)}, f, true},
		{"protocol", filter.Filter{Orig: in(ctnetlink.FieldProto, 6, 17)}, f, true},
		{"a field that was not sent", filter.Filter{Orig: in(ctnetlink.FieldICMPID, 0, 65535)}, f, false},
		{"a zone that was not sent is 0", filter.Filter{Orig: in(ctnetlink.FieldZone, 0, 3), Zone: set(0, 0)}, f, true},
		{"zone", filter.Filter{Zone: set(1, 65535)}, f, false},
		{"without", filter.Filter{Orig: at(ctnetlink.FieldSrc, not("10.0.0.3", whole))}, f, true},
		{"without it", filter.Filter{Orig: at(ctnetlink.FieldSrc, not("10.0.0.2", whole))}, f, false},
		{"without its network", filter.Filter{Reply: at(ctnetlink.FieldDst, not("192.0.2.77", "255.255.255.0"))}, f, false},
		{"host, source", filter.Filter{Host: host("10.0.0.2", whole)}, f, true},
		{"host, reply", filter.Filter{Host: host("192.0.2.9", whole)}, f, true},
		{"host, network", filter.Filter{Host: host("10.9.9.9", "255.0.0.0")}, f, true},
		{"no host", filter.Filter{Host: host("10.0.0.3", whole)}, f, false},
		{"not that host", filter.Filter{Host: not("10.0.0.3", whole)}, f, true},
		{"not any host", filter.Filter{Host: not("192.0.2.2", whole)}, f, false},
		{"in a list", filter.Filter{Orig: at(ctnetlink.FieldSrc, list)}, f, true},
		{"not in a list", filter.Filter{Orig: at(ctnetlink.FieldDst, list)}, f, false},
		{"none of a list", filter.Filter{Orig: at(ctnetlink.FieldDst, noneOf)}, f, true},
		{"one of a list", filter.Filter{Orig: at(ctnetlink.FieldSrc, noneOf)}, f, false},
		{"in an empty list", filter.Filter{Orig: at(ctnetlink.FieldSrc, filter.Address{In: filter.AddrSet{}})}, f, false},
		{"host in a list", filter.Filter{Host: list}, f, true},
		{"no host of a list", filter.Filter{Host: noneOf}, f, false},
		{"host with its port", filter.Filter{Host: host("10.0.0.2", whole), HostPort: set(4000, 4000)}, f, true},
		{"host with the reply's port", filter.Filter{Host: host("192.0.2.2", whole), HostPort: set(80, 80)}, f, true},
		{"host with the other end's port", filter.Filter{Host: host("10.0.0.2", whole), HostPort: set(8080, 8080)}, f, false},
		{"not that host with its port", filter.Filter{Host: not("10.0.0.2", whole), HostPort: set(4000, 4000)}, f, false},
		{"not that host with another port", filter.Filter{Host: not("10.0.0.2", whole), HostPort: set(1, 1)}, f, true},
		{"a key is not a host's port", filter.Filter{Host: host("10.0.0.2", whole), HostPort: set(4000, 4000)}, gre, false},
		{"source translated to a list", filter.Filter{SrcNAT: filter.NAT{Given: true, In: to}}, f, true},
		{"and to a port", filter.Filter{SrcNAT: filter.NAT{Given: true, In: to, Port: 1, HasPort: true}}, f, false},
		{"destination translated to a list", filter.Filter{DstNAT: filter.NAT{Given: true, In: to}}, f, false},
		{"either translated to none of a list", filter.Filter{AnyNAT: filter.NAT{Given: true, In: to, Not: true}}, f, false},
		{"any port", filter.Filter{Port: set(80, 80)}, f, true},
		{"no port", filter.Filter{Port: set(81, 90)}, f, false},
		{"not that port", filter.Filter{Port: set(81, 90), NotPort: true}, f, true},
		{"not any port", filter.Filter{Port: set(4000, 4000), NotPort: true}, f, false},
		{"a key is not a port", filter.Filter{Port: set(0, 65535)}, gre, false},
		{"nor is it another port", filter.Filter{Port: set(1, 1), NotPort: true}, gre, false},
		{"state", filter.Filter{States: two}, f, true},
		{"other state", filter.Filter{States: []filter.StateSet{{Proto: 6, States: ^uint32(1 << 3)}}}, f, false},
		{"another protocol's state", filter.Filter{States: []filter.StateSet{{Proto: 132, States: every}}}, f, false},
		{"no state", filter.Filter{States: []filter.StateSet{{Proto: 6, States: every}}}, bare, false},
		{"mark", filter.Filter{Marks: hex}, f, true},
		{"mark's bits", filter.Filter{Marks: marks(0x10, 0xf0)}, f, true},
		{"not that mark", filter.Filter{Marks: marks(0x10, 0xf0), NotMarks: true}, f, false},
		{"no mark is not another mark", filter.Filter{Marks: marks(1, 1), NotMarks: true}, bare, false},
		{"id", filter.Filter{ID: set(70, 80)}, f, true},
		{"no id", filter.Filter{ID: set(0, ^uint32(0))}, bare, false},
		{"no secmark", filter.Filter{SecMark: set(0, ^uint32(0))}, f, false},
		{"any status", filter.Filter{StatusAny: ctnetlink.StatusOffload | ctnetlink.StatusSeenReply}, f, true},
		{"no such status", filter.Filter{StatusAny: ctnetlink.StatusOffload | ctnetlink.StatusHWOffload}, f, false},
		{"without a label", filter.Filter{WithoutLabels: label(41)}, f, true},
		{"without its label", filter.Filter{WithoutLabels: label(40)}, f, false},
		{"no labels at all", filter.Filter{WithoutLabels: label(40)}, bare, true},
		{"packets", filter.Filter{MinPackets: 7}, f, true},
		{"more packets", filter.Filter{MinPackets: 8}, f, false},
		{"bytes", filter.Filter{MinBytes: 900, MinPackets: 1}, f, true},
		{"more bytes", filter.Filter{MinBytes: 901}, f, false},
		{"no counters", filter.Filter{MinPackets: 1}, bare, false},
		{"older", filter.Filter{Older: 100 * time.Second}, f, true},
		{"not older", filter.Filter{Older: 101 * time.Second}, f, false},
		{"younger", filter.Filter{Younger: 101 * time.Second}, f, true},
		{"not younger", filter.Filter{Younger: 100 * time.Second}, f, false},
		{"between", filter.Filter{Older: 99 * time.Second, Younger: 101 * time.Second}, f, true},
		{"no start", filter.Filter{Younger: 24 * time.Hour}, bare, false},
		{"a destroyed entry no longer ages", filter.Filter{Older: 30 * time.Second, Younger: 31 * time.Second}, gone, true},
		{"expires", filter.Filter{ExpiresWithin: 300 * time.Second}, f, true},
		{"expires later", filter.Filter{ExpiresWithin: 299 * time.Second}, f, false},
		{"no timeout", filter.Filter{ExpiresWithin: 24 * time.Hour}, bare, false},
	} {
		c.m.Now = now
		if got := c.m.Match(c.f); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
	// The clock was set back after the start of the entry.
	early := &filter.Filter{Younger: 1, Now: func() time.Time { return start.Add(-time.Hour) }}
	if !early.Match(f) {
		t.Error("an entry with a start in the future does not have age 0")
	}
}

// TestNotTranslatedTo checks that a negated translation selects entries with
// another one, and none that is not translated.
func TestNotTranslatedTo(t *testing.T) {
	f := flow(t, nil)
	plain := flow(t, func(en *ctnetlink.FlowSpec) { en.Reply = ports("192.0.2.1", "10.0.0.2", 8080, 4000) })
	nat := func(a, mask string) filter.NAT {
		return filter.NAT{Given: true, Addr: addr(a), Mask: addr(mask), Not: true}
	}
	for _, c := range []struct {
		name string
		m    filter.Filter
		want bool
	}{
		{"source", filter.Filter{SrcNAT: nat("192.0.2.9", "255.255.255.255")}, false},
		{"its network", filter.Filter{SrcNAT: nat("192.0.2.0", "255.255.255.0")}, false},
		{"another", filter.Filter{SrcNAT: nat("192.0.3.0", "255.255.255.0")}, true},
		{"destination", filter.Filter{DstNAT: nat("192.0.2.2", "255.255.255.255")}, false},
		{"either", filter.Filter{AnyNAT: nat("192.0.2.2", "255.255.255.255")}, false},
		{"neither", filter.Filter{AnyNAT: nat("192.0.2.3", "255.255.255.255")}, true},
	} {
		if got := c.m.Match(f); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
		if c.m.Match(plain) {
			t.Errorf("%s: an entry that is not translated matches", c.name)
		}
	}
}

// TestSplit checks that one part matches where the whole filter does, and only
// one, and that the kernel can evaluate each part.
func TestSplit(t *testing.T) {
	set := filter.Values[uint32]
	with := func(family ctnetlink.Family, proto, sport, dport filter.Set) *filter.Filter {
		m := &filter.Filter{Family: family}
		m.Orig.SetNumber(ctnetlink.FieldProto, proto)
		m.Orig.SetNumber(ctnetlink.FieldSrcPort, sport)
		m.Orig.SetNumber(ctnetlink.FieldDstPort, dport)
		return m
	}
	beside := with(2, set(6), nil, set(80, 443))
	beside.Orig.SetAddr(ctnetlink.FieldSrc, filter.Address{Addr: addr("10.0.0.2")})
	for _, c := range []struct {
		name  string
		m     *filter.Filter
		parts int
	}{
		{"two ports", with(2, set(6), nil, set(80, 443)), 2},
		{"two ports of IPv6", with(10, set(6), nil, set(80, 443)), 2},
		{"a port of two protocols", with(2, set(6, 17), nil, set(53)), 2},
		{"without a family", with(0, set(6), nil, set(80, 443)), 2},
		{"more without a family", with(0, set(6), nil, set(53, 80, 443)), 1},
		{"three ports", with(2, set(6), nil, set(80, 443, 8080)), 3},
		{"five ports", with(2, set(6), nil, set(53, 80, 443, 8080, 8081)), 1},
		{"two of each", with(2, set(6, 17), nil, set(80, 443)), 4},
		{"more of each", with(2, set(6, 17), nil, set(53, 80, 443)), 1},
		{"protocols alone", with(2, set(6, 17), nil, nil), 1},
		{"a port that the kernel ignores", with(2, set(132), nil, set(80, 443)), 1},
		{"beside an address", beside, 1},
		{"beside a port", with(2, set(6), set(0), set(80, 443)), 1},
	} {
		m := c.m
		parts := m.Split()
		if len(parts) != c.parts {
			t.Errorf("%s: %d parts, want %d", c.name, len(parts), c.parts)
		}
		if c.parts > 1 {
			for _, part := range parts {
				const both = ctnetlink.FieldProto | ctnetlink.FieldDstPort
				if q := part.Kernel(); len(q) > 2 || q[0].Orig.Has&both != both {
					t.Errorf("%s: the kernel cannot evaluate a part", c.name)
				}
			}
		}
		for _, p := range []ctnetlink.Protocol{6, 17, 132} {
			for _, dport := range []uint16{53, 80, 443, 8080} {
				f := flow(t, func(en *ctnetlink.FlowSpec) { en.Orig.Proto, en.Orig.DstPort, en.Orig.SrcPort = p, dport, 0 })
				n := 0
				for _, part := range parts {
					if part.Match(f) {
						n++
					}
				}
				if want := m.Match(f); n > 1 || want != (n == 1) {
					t.Errorf("%s: protocol %d, port %d is matched by %d parts; by the whole: %v", c.name, p, dport, n, want)
				}
			}
		}
	}
	if m := (&filter.Filter{}); len(m.Split()) != 1 || m.Split()[0] != m {
		t.Error("a filter without lists is split")
	}
}

// TestSplitAddrs checks the same for lists of addresses.
func TestSplitAddrs(t *testing.T) {
	in := func(ranges ...filter.AddrRange) filter.Address {
		return filter.Address{In: filter.NewAddrSet(ranges...)}
	}
	one := func(n string) filter.AddrRange { return addrRange("10.0.0."+n, "10.0.0."+n) }
	with := func(family ctnetlink.Family, src, replySrc filter.Address) *filter.Filter {
		m := &filter.Filter{Family: family}
		m.Orig.SetAddr(ctnetlink.FieldSrc, src)
		m.Reply.SetAddr(ctnetlink.FieldSrc, replySrc)
		return m
	}
	negated := in(one("1"), one("2"))
	negated.Not = true
	list := in(one("1"), one("3"))
	withPort := with(2, list, filter.Address{})
	withPort.Orig.SetNumber(ctnetlink.FieldProto, filter.Values(6))
	withPort.Orig.SetNumber(ctnetlink.FieldDstPort, filter.Values(80, 443))
	for _, c := range []struct {
		name  string
		m     *filter.Filter
		parts int
	}{
		{"two addresses", with(2, list, filter.Address{}), 2},
		{"a short range", with(2, in(addrRange("10.0.0.1", "10.0.0.4")), filter.Address{}), 4},
		{"a longer range", with(2, in(addrRange("10.0.0.1", "10.0.0.5")), filter.Address{}), 1},
		{"of the reply", with(2, filter.Address{}, list), 2},
		{"of both", with(2, list, in(one("2"), one("3"), one("4"))), 2},
		{"a longer one and a short one", with(2, in(addrRange("10.0.0.1", "10.0.0.9")), list), 2},
		{"beside an address", with(2, list, filter.Address{Addr: addr("10.0.0.2")}), 1},
		{"none of them", with(2, negated, filter.Address{}), 1},
		{"an empty list", with(2, in(), filter.Address{}), 1},
		{"of both families", with(0, in(one("1"), addrRange("fd00::1", "fd00::1")), filter.Address{}), 1},
		{"of IPv6", with(10, in(addrRange("fd00::1", "fd00::2")), filter.Address{}), 1},
		{"with ports", withPort, 2},
	} {
		parts := c.m.Split()
		if len(parts) != c.parts {
			t.Errorf("%s: %d parts, want %d", c.name, len(parts), c.parts)
		}
		for _, part := range parts {
			q := part.Kernel()
			if has := (q[0].Orig.Has | q[0].Reply.Has) & ctnetlink.FieldAddrs; c.parts > 1 && (len(q) != 1 || has == 0) {
				t.Errorf("%s: the kernel cannot evaluate a part", c.name)
			}
		}
		for n := range byte(6) {
			for k := range byte(6) {
				f := flow(t, func(en *ctnetlink.FlowSpec) {
					en.Orig.Src, en.Reply.Src = netip.AddrFrom4([4]byte{10, 0, 0, n}), netip.AddrFrom4([4]byte{10, 0, 0, k})
					en.Orig.DstPort = 443
				})
				matching := 0
				for _, part := range parts {
					if part.Match(f) {
						matching++
					}
				}
				if want := c.m.Match(f); matching > 1 || want != (matching == 1) {
					t.Errorf("%s: 10.0.0.%d, 10.0.0.%d is matched by %d parts; by the whole: %v", c.name, n, k, matching, want)
				}
			}
		}
	}
}

func BenchmarkMatchCriteria(b *testing.B) {
	f := flow(b, nil)
	web := []filter.Range{{Min: 80, Max: 80}, {Min: 443, Max: 443}, {Min: 8000, Max: 8099}}
	m := &filter.Filter{
		Host:  filter.Address{Addr: addr("10.0.0.0"), Mask: addr("255.0.0.0")},
		Marks: []filter.MarkRange{{Min: 1, Max: 2, Mask: 0xff}, {Min: 0x10, Max: 0x1f, Mask: 0xff}},
	}
	m.Orig.SetNumber(ctnetlink.FieldDstPort, filter.NewSet(web...))
	b.ReportAllocs()
	for b.Loop() {
		if !m.Match(f) {
			b.Fatal("no match")
		}
	}
}
