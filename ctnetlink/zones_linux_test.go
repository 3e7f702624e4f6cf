package ctnetlink

import (
	"errors"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"
)

// identifies checks that a request made from each entry of the table gets,
// changes and then deletes that entry and no other.
func identifies(t *testing.T, c *Conn, want int) {
	t.Helper()
	all := table(t, c, &DumpRequest{})
	if len(all) != want {
		t.Fatalf("%d entries, want %d", len(all), want)
	}
	var en FlowSpec
	for id, f := range all {
		en.Identify(f)
		got, err := c.Get(&en)
		if err != nil {
			t.Errorf("%+v: %v", en, err)
			continue
		}
		zone, _ := f.Zone()
		gotZone, _ := got.Zone()
		if gotID, _ := got.ID(); gotID != id || *got.Orig() != *f.Orig() || *got.Reply() != *f.Reply() || gotZone != zone {
			t.Errorf("%+v: got %+v", en, *got.Orig())
		}
		change := en
		change.SetMark(id, 0xffffffff)
		if err := c.Update(&change); err != nil {
			t.Errorf("%+v: %v", en, err)
		}
	}
	for id, f := range table(t, c, &DumpRequest{}) {
		if mark, _ := f.Mark(); mark != id {
			t.Errorf("%+v: the change went elsewhere", *f.Orig())
		}
	}
	for id, f := range all { // in the random order of a map
		en.Identify(f)
		if err := c.Delete(&en); err != nil {
			t.Errorf("%+v: %v", en, err)
			continue
		}
		if err := c.Delete(&en); !errors.Is(err, ENOENT) {
			t.Errorf("%+v once more: %v", en, err)
		}
		want--
		if want > 10 && want%32 != 0 {
			continue // each dump walks the whole machine's hash table
		}
		left := table(t, c, &DumpRequest{})
		if len(left) != want || left[id] != nil {
			t.Fatalf("%d entries left, want %d", len(left), want)
		}
	}
}

// TestIdentifyTwins: entries that share tuples with others, in zones of both
// directions, of one, and in none.
func TestIdentifyTwins(t *testing.T) {
	c := namespace(t)
	base := benchEntry(1)
	elsewhere := func(i int) Tuple { return benchEntry(i).Orig } // tuples that nothing else has
	zoned := func(orig, reply Tuple, kind int, zone uint16) *FlowSpec {
		en := *base
		en.Orig, en.Reply = orig, reply
		switch kind {
		case zoneBoth:
			en.Zone, en.Set = zone, en.Set.With(AttrZone)
		case zoneOrig:
			en.Orig.Zone, en.Orig.Has = zone, orig.Has|FieldZone
		case zoneReply:
			en.Reply.Zone, en.Reply.Has = zone, reply.Has|FieldZone
		}
		return &en
	}
	o, r := base.Orig, base.Reply
	// The base comes last: the kernel compares zones in the direction of the
	// entry that is there, and would refuse some of the others beside it.
	entries := []*FlowSpec{
		zoned(o, r, zoneBoth, 5),
		zoned(o, r, zoneBoth, 6),
		zoned(r, o, zoneBoth, 7),                       // the other way round
		zoned(o, mirrored(elsewhere(20)), zoneOrig, 8), // its original is the base's
		zoned(r, mirrored(elsewhere(21)), zoneOrig, 9), // its original is the base's reply
		zoned(elsewhere(22), r, zoneReply, 10),         // its reply is the base's
		zoned(elsewhere(23), o, zoneReply, 11),         // its reply is the base's original
		zoned(elsewhere(22), r, zoneBoth, 12),          // tuples of an entry above, in a zone of their own
		zoned(elsewhere(20), o, zoneBoth, 13),          // and the other way round
		base,
	}
	for _, en := range entries {
		create(t, c, en)
	}
	identifies(t, c, len(entries))
}

// TestIdentifyPairs: two entries of which one has the original tuple of the other
// as its reply, in all zones in which the kernel takes both.
func TestIdentifyPairs(t *testing.T) {
	c := namespace(t)
	type zones struct{ orig, reply uint16 }
	all := []zones{{0, 0}, {3, 0}, {0, 3}, {3, 3}, {4, 0}, {0, 4}, {0, exactZone}, {exactZone, 0}}
	add := func(orig, reply Tuple, z zones) bool {
		en := &FlowSpec{Orig: orig, Reply: reply}
		en.SetTimeout(time.Hour)
		switch {
		case z.orig == z.reply:
			en.SetZone(z.orig)
		case z.orig != 0:
			en.Orig.Zone, en.Orig.Has = z.orig, orig.Has|FieldZone
		default:
			en.Reply.Zone, en.Reply.Has = z.reply, reply.Has|FieldZone
		}
		return c.Create(en) == nil
	}
	entries, pairs := 0, 0
	for n := range len(all) * len(all) * 8 {
		zx, zy, variant := all[n/8/len(all)], all[n/8%len(all)], n%8
		x := benchEntry(n).Orig
		x.SrcPort, x.DstPort = 500, 500
		if variant&1 != 0 {
			x = Tuple{
				Has: FieldAddrs | FieldProto | FieldICMP, Proto: ProtoICMPv6, ICMPType: 128, ICMPID: 7,
				Src: netip.AddrFrom16([16]byte{0xfd, 14: byte(n >> 8), 15: byte(n)}), Dst: netip.MustParseAddr("fd01::1"),
			}
		}
		y := mirrored(x)
		if variant&2 != 0 { // translated
			elsewhere := x.Src.AsSlice()
			elsewhere[0]++
			y.Dst, _ = netip.AddrFromSlice(elsewhere)
		}
		first := func() bool { return add(x, mirrored(x), zx) }
		second := func() bool { return add(y, x, zy) }
		if variant&4 != 0 {
			first, second = second, first
		}
		if !first() {
			t.Fatalf("pair %d: nothing was created", n)
		}
		entries++
		if second() {
			entries++
			pairs++
		}
	}
	if pairs < 300 {
		t.Errorf("only %d pairs could be created", pairs)
	}
	identifies(t, c, entries)
}

// TestExactDirection: a tuple that is meant in its own direction is not found in
// the other.
func TestExactDirection(t *testing.T) {
	c := namespace(t)
	en := benchEntry(1)
	create(t, c, en)
	for _, ask := range []FlowSpec{
		{Orig: en.Orig}, {Reply: en.Orig}, {Orig: en.Reply}, {Reply: en.Reply},
		{Orig: en.Orig, Exact: true}, {Reply: en.Reply, Exact: true},
	} {
		if _, err := c.Get(&ask); err != nil {
			t.Errorf("%+v: %v", ask, err)
		}
	}
	for _, ask := range []FlowSpec{{Reply: en.Orig, Exact: true}, {Orig: en.Reply, Exact: true}} {
		if _, err := c.Get(&ask); !errors.Is(err, ENOENT) {
			t.Errorf("%+v: %v", ask, err)
		}
	}
}

// TestIdentifyRandom: the same for entries of every kind.
func TestIdentifyRandom(t *testing.T) {
	c := namespace(t)
	populate(t, c, rand.New(rand.NewPCG(13, 14)), 0, 700)
	identifies(t, c, 700)
}

// TestIdentifyNAT: the reply tuple of a translated entry is not the mirror of
// its original, and two may share an original address and port.
func TestIdentifyNAT(t *testing.T) {
	c := namespace(t)
	const n = 60
	for i := range n {
		en := benchEntry(i)
		en.SrcNAT = NAT{MinAddr: netip.MustParseAddr("198.51.100.1")} // ports collide and are changed
		en.Set = en.Set.With(AttrNATSrc)
		if i%3 == 0 {
			en.Zone, en.Set = uint16(i), en.Set.With(AttrZone)
		}
		create(t, c, en)
	}
	identifies(t, c, n)
}
