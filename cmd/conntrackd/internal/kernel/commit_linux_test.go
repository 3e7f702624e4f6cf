package kernel

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/wire"
	"github.com/gonntrack/gonntrack/ctnetlink"
)

// labels makes the namespace keep labels.
const labels = "table inet t { chain c { type filter hook input priority 0; ct label set 1\n}\n}"

func addr(s string) netip.Addr { return netip.MustParseAddr(s) }

// connection is the i-th of up to 16 million established TCP connections, translated to
// 192.0.2.1.
func connection(i int) *ctnetlink.FlowSpec {
	src := netip.AddrFrom4([4]byte{10, 1, byte(i >> 16), byte(i >> 8)})
	orig := ctnetlink.NewTuple(ctnetlink.ProtoTCP, netip.AddrPortFrom(src, 1024+uint16(i&0xff)), netip.MustParseAddrPort("198.51.100.7:80"))
	s := ctnetlink.NewFlowSpec(orig)
	s.SetTimeout(3600 * time.Second)
	s.SetStatus(ctnetlink.StatusSeenReply | ctnetlink.StatusAssured)
	s.SetState(ctnetlink.NewState(ctnetlink.ProtoTCP, 3))
	nat := netip.AddrFrom4([4]byte{192, 0, byte(i >> 16), 1})
	port := uint16(i)
	s.SetSrcNAT(ctnetlink.NAT{MinAddr: nat, MaxAddr: nat, MinPort: port | 1, MaxPort: port | 1})
	if port&1 == 0 { // another translation keeps the port
		nat := netip.AddrFrom4([4]byte{192, 1, byte(i >> 16), byte(i >> 8)})
		s.SetSrcNAT(ctnetlink.NAT{MinAddr: nat, MaxAddr: nat})
	}
	return s
}

// various are entries of all kinds.
func various() map[string]*ctnetlink.FlowSpec {
	ports := func(p ctnetlink.Protocol, src, dst string) *ctnetlink.FlowSpec {
		s := ctnetlink.NewFlowSpec(ctnetlink.NewTuple(p, netip.MustParseAddrPort(src), netip.MustParseAddrPort(dst)))
		s.SetTimeout(300 * time.Second)
		return s
	}
	all := map[string]*ctnetlink.FlowSpec{}
	s := ports(ctnetlink.ProtoUDP, "10.0.0.1:1000", "10.0.0.2:53")
	s.SetMark(0x2a, 0xffffffff)
	all["udp"] = s
	s = ports(ctnetlink.ProtoUDP, "10.0.0.1:1001", "192.0.2.1:5555")
	s.SetDstNAT(ctnetlink.NAT{MinAddr: addr("10.0.0.9"), MaxAddr: addr("10.0.0.9"), MinPort: 53, MaxPort: 53})
	all["udp dnat"] = s
	s = ports(ctnetlink.ProtoTCP, "10.0.0.1:1002", "192.0.2.1:8080")
	s.SetState(ctnetlink.NewState(ctnetlink.ProtoTCP, 3))
	s.SetStatus(ctnetlink.StatusSeenReply | ctnetlink.StatusAssured)
	s.SetDstNAT(ctnetlink.NAT{MinAddr: addr("10.0.0.9"), MaxAddr: addr("10.0.0.9"), MinPort: 80, MaxPort: 80})
	s.SetSrcNAT(ctnetlink.NAT{MinAddr: addr("10.0.0.254"), MaxAddr: addr("10.0.0.254"), MinPort: 4000, MaxPort: 4000})
	s.SetHelper("ftp")
	s.SetLabels(ctnetlink.NewLabels(1, 40), nil)
	all["tcp both, helper, labels"] = s
	s = ports(ctnetlink.ProtoTCP, "10.0.0.1:1003", "10.0.0.2:21")
	s.SetState(ctnetlink.NewState(ctnetlink.ProtoTCP, 3))
	s.SetStatus(ctnetlink.StatusSeenReply | ctnetlink.StatusAssured)
	s.SeqAdj = [2]ctnetlink.SeqAdj{{Pos: 1000, Before: -2, After: 5}, {Pos: 7, Before: 0, After: 1}}
	s.Set = s.Set.With(ctnetlink.AttrSeqAdjOrig).With(ctnetlink.AttrSeqAdjReply)
	all["seqadj"] = s
	s = ports(ctnetlink.ProtoSCTP, "10.0.0.1:1000", "10.0.0.2:2000")
	s.SetStatus(ctnetlink.StatusSeenReply | ctnetlink.StatusAssured)
	s.SetProtoInfo(ctnetlink.ProtoInfo{Proto: ctnetlink.ProtoSCTP, State: ctnetlink.NewState(ctnetlink.ProtoSCTP, 4),
		VTag: [2]uint32{0x12345678, 0x9abcdef0}, Has: ctnetlink.InfoState | ctnetlink.InfoVTags})
	all["sctp"] = s
	s = ports(ctnetlink.ProtoUDP, "[fd00::1]:1000", "[fd00::2]:53")
	s.SetSrcNAT(ctnetlink.NAT{MinAddr: addr("fd00::ff"), MaxAddr: addr("fd00::ff"), MinPort: 1000, MaxPort: 1000})
	all["ipv6"] = s
	s = ports(ctnetlink.ProtoUDP, "10.0.0.1:1000", "10.0.0.2:53")
	s.SetZone(8)
	all["zone"] = s
	s = ctnetlink.NewFlowSpec(ctnetlink.NewICMPTuple(addr("10.0.0.1"), addr("10.0.0.2"), 8, 0, 258))
	s.SetTimeout(30 * time.Second)
	all["icmp"] = s
	s = ports(ctnetlink.ProtoGRE, "10.0.0.1:17", "10.0.0.2:18")
	all["gre"] = s
	s = ports(ctnetlink.ProtoUDPLite, "10.0.0.1:17", "10.0.0.2:18")
	all["udplite"] = s
	return all
}

// fill puts entries into the table.
func fill(t testing.TB, entries ...*ctnetlink.FlowSpec) {
	t.Helper()
	c := ctnetlink.Open()
	defer c.Close()
	b := c.NewBatch()
	defer b.Close()
	for _, s := range entries {
		b.Create(s)
	}
	results, err := b.Do()
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range results {
		if r.Err != nil {
			t.Fatalf("entry %d, %+v: %v", i, entries[i], r.Err)
		}
	}
}

// contents returns the table as messages without what differs between two entries that
// are alike: by original tuple.
func contents(t testing.TB) map[wire.Key]*ctnetlink.Flow {
	t.Helper()
	c := ctnetlink.Open()
	defer c.Close()
	all := map[wire.Key]*ctnetlink.Flow{}
	for f, err := range c.Dump(nil) {
		if err != nil {
			t.Fatal(err)
		}
		if key, ok := wire.FlowKey(f); ok {
			all[key] = f.Clone()
		}
	}
	return all
}

// compared are the attributes that a commit restores, byte by byte.
var compared = []ctnetlink.Attr{
	ctnetlink.AttrTupleOrig, ctnetlink.AttrTupleReply, ctnetlink.AttrStatus, ctnetlink.AttrMark, ctnetlink.AttrHelp,
	ctnetlink.AttrLabels, ctnetlink.AttrZone, ctnetlink.AttrSeqAdjOrig, ctnetlink.AttrSeqAdjReply, ctnetlink.AttrTupleMaster,
}

// alike compares two tables.
func alike(t *testing.T, got, want map[wire.Key]*ctnetlink.Flow) {
	t.Helper()
	for key, w := range want {
		g := got[key]
		if g == nil {
			t.Errorf("%+v is missing", w.Orig())
			continue
		}
		for _, a := range compared {
			gb, _ := g.Raw(a)
			wb, _ := w.Raw(a)
			if string(gb) != string(wb) {
				t.Errorf("%+v: %v is % x, want % x", w.Orig(), a, gb, wb)
			}
		}
		if gs, _ := g.State(); true {
			if ws, _ := w.State(); gs != ws {
				t.Errorf("%+v: state %v, want %v", w.Orig(), gs, ws)
			}
		}
		gi, _ := g.ProtoInfo()
		wi, _ := w.ProtoInfo()
		if gi.VTag != wi.VTag {
			t.Errorf("%+v: tags %x, want %x", w.Orig(), gi.VTag, wi.VTag)
		}
		gd, _ := g.Timeout()
		wd, _ := w.Timeout()
		if (gd - wd).Abs() > 20*time.Second {
			t.Errorf("%+v: timeout %v, want %v", w.Orig(), gd, wd)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d entries, want %d", len(got), len(want))
	}
}

// objects returns what a sink knows.
func (s *sink) objects() (all []Entry) {
	s.Lock()
	defer s.Unlock()
	for _, o := range s.cache {
		all = append(all, Entry{Object: o})
	}
	return all
}

// inParts returns a commit of entries in parts.
func inParts(all []Entry, part int) Commit {
	return Commit{Total: len(all), Next: func(dst []Entry) []Entry {
		n := min(part, len(all))
		dst = append(dst, all[:n]...)
		all = all[n:]
		return dst
	}}
}

func commit(t *testing.T, table *Table, c Commit, want int) {
	t.Helper()
	c.Failed = func(op string, o wire.Object, err error) { t.Errorf("%s: % x: %v", op, []byte(o), err) }
	done, err := table.Commit(context.Background(), c)
	if err != nil || done.New != want || done.Failed != 0 {
		t.Fatalf("committed %+v, want %d: %v", done, want, err)
	}
}

// TestCommit: entries of all kinds are committed as they were, into an empty table, into
// one that has them, and into one that has others in their place.
func TestCommit(t *testing.T) {
	namespace(t, labels)
	var all []*ctnetlink.FlowSpec
	for _, s := range various() {
		all = append(all, s)
	}
	for i := range 600 {
		all = append(all, connection(i))
	}
	fill(t, all...)
	table, s := start(t, settings())
	if err := table.Dump(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	want := contents(t)
	if len(want) != len(all) || len(s.cache) != len(all) {
		t.Fatalf("%d entries, %d known, want %d", len(want), len(s.cache), len(all))
	}
	objects := s.objects()
	empty(t)
	commit(t, table, inParts(objects, 100), len(all))
	got := contents(t)
	alike(t, got, want)

	// Again: they stay what they are.
	commit(t, table, inParts(objects, 100), len(all))
	again := contents(t)
	alike(t, again, want)
	for key, f := range again {
		id, _ := f.ID()
		if before, _ := got[key].ID(); before != id {
			t.Errorf("%+v was made anew", f.Orig())
		}
	}

	// In the place of others: with the same original tuple and another translation, and
	// with another original tuple and the same translation.
	empty(t)
	for i := range 600 {
		other := connection(i)
		switch i % 3 {
		case 0:
			other.SrcNAT.MinAddr, other.SrcNAT.MaxAddr = addr("203.0.113.1"), addr("203.0.113.1")
		case 1:
			other.Orig.SrcPort += 0x4000
			other.Reply.DstPort += 0x4000
			if other.SrcNAT.MinPort == 0 {
				other.SrcNAT.MinPort = connection(i).Orig.SrcPort
				other.SrcNAT.MaxPort = other.SrcNAT.MinPort
			}
		default:
			continue
		}
		fill(t, other)
	}
	commit(t, table, inParts(objects, 100), len(all))
	alike(t, contents(t), want)
}

// TestCommitActive: what an active node has is not displaced by another connection that was
// translated to the same. What has the original tuple is replaced all the same.
func TestCommitActive(t *testing.T) {
	namespace(t, "")
	for _, size := range []int{4, 3 * sampleSize} { // the table is read before, or not
		empty(t)
		table, s := start(t, settings())
		var all []*ctnetlink.FlowSpec
		for i := range size {
			all = append(all, connection(i))
		}
		fill(t, all...)
		s.until(t, "the entries", func() bool { return len(s.cache) == size })
		objects := s.objects()
		// Those before make it known that much is there.
		i := slices.IndexFunc(objects, func(e Entry) bool { return e.Object.Key() == key(all[1]) })
		objects[size-1], objects[i] = objects[i], objects[size-1]
		conn := ctnetlink.Open()
		defer conn.Close()
		for _, i := range []int{1, 3} {
			if err := conn.Delete(&ctnetlink.FlowSpec{Orig: all[i].Orig}); err != nil {
				t.Fatal(err)
			}
		}
		mine, wrong := connection(1), connection(3)
		mine.Orig.SrcPort += 0x4000
		mine.Reply.DstPort += 0x4000
		wrong.SrcNAT.MinAddr, wrong.SrcNAT.MaxAddr = addr("203.0.113.1"), addr("203.0.113.1")
		fill(t, mine, wrong)

		var failed []error
		c := inParts(objects, 100)
		c.Active = true
		c.Failed = func(_ string, o wire.Object, err error) {
			if failed = append(failed, err); o.Key() != key(all[1]) {
				t.Errorf("another failed: %v", o.Key())
			}
		}
		done, err := table.Commit(t.Context(), c)
		if err != nil || done != (Committed{New: size - 1, Failed: 1}) || len(failed) != 1 || failed[0] != ctnetlink.EEXIST {
			t.Fatalf("committed %+v, %v, %v", done, err, failed)
		}
		got := contents(t)
		if got[key(mine)] == nil || got[key(all[1])] != nil {
			t.Error("the connection of the active node was displaced")
		}
		if f := got[key(all[3])]; f == nil || f.Reply().Dst == wrong.SrcNAT.MinAddr {
			t.Errorf("the entry with another translation was not replaced: %v", f)
		}

		commit(t, table, inParts(objects, 100), size)
		if got := contents(t); got[key(mine)] != nil || got[key(all[1])] == nil {
			t.Error("an entry of a node that was not active was not displaced")
		}
		table.Close()
	}
}

// empty empties the table.
func empty(t testing.TB) {
	t.Helper()
	c := ctnetlink.Open()
	defer c.Close()
	if err := c.Flush(ctnetlink.FamilyAny); err != nil {
		t.Fatal(err)
	}
}

// TestCommitEnds: a commit ends with its context and with what it is given, and says what
// it could not write.
func TestCommitEnds(t *testing.T) {
	namespace(t, "")
	table, s := start(t, settings())
	var failed []error
	bad := Commit{Next: func() func(dst []Entry) []Entry {
		given := false
		return func(dst []Entry) []Entry {
			if given {
				return dst
			}
			given = true
			return append(dst, Entry{Object: wire.Object("nonsense")})
		}
	}(), Failed: func(_ string, _ wire.Object, err error) { failed = append(failed, err) }}
	done, err := table.Commit(t.Context(), bad)
	if err != nil || done != (Committed{Failed: 1}) || len(failed) != 1 {
		t.Errorf("%+v, %v, %v", done, err, failed)
	}
	fill(t, connection(1))
	s.until(t, "the event", func() bool { return len(s.cache) == 1 })
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := table.Commit(ctx, inParts(s.objects(), 1)); !errors.Is(err, context.Canceled) {
		t.Errorf("after the end of its context: %v", err)
	}
}
