package ctnetlink

import (
	"errors"
	"math/rand/v2"
	"net/netip"
	"testing"
)

// identifies checks that a request made from each entry of the table gets and
// then deletes that entry and no other.
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
