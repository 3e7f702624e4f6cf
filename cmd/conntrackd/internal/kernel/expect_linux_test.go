package kernel

import (
	"bytes"
	"context"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/wire"
	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/internal/testwait"
)

// control is an FTP connection, translated, and what its helper expects.
func control() (*ctnetlink.FlowSpec, *ctnetlink.ExpectSpec) {
	client, server := netip.MustParseAddrPort("10.0.0.1:1000"), netip.MustParseAddrPort("192.0.2.2:21")
	s := ctnetlink.NewFlowSpec(ctnetlink.NewTuple(ctnetlink.ProtoTCP, client, server))
	s.SetTimeout(time.Hour)
	s.SetStatus(ctnetlink.StatusSeenReply | ctnetlink.StatusAssured)
	s.SetState(ctnetlink.NewState(ctnetlink.ProtoTCP, 3))
	s.SetHelper("ftp")
	s.SetSrcNAT(ctnetlink.NAT{MinAddr: addr("192.0.2.101"), MaxAddr: addr("192.0.2.101"), MinPort: 1000, MaxPort: 1000})
	all := netip.MustParseAddrPort("255.255.255.255:0")
	x := &ctnetlink.ExpectSpec{
		Tuple:  ctnetlink.NewTuple(ctnetlink.ProtoTCP, netip.MustParseAddrPort("192.0.2.2:0"), netip.MustParseAddrPort("192.0.2.101:2000")),
		Mask:   ctnetlink.NewTuple(ctnetlink.ProtoTCP, all, netip.AddrPortFrom(all.Addr(), 0xffff)),
		Master: s.Orig, Helper: "ftp", Fn: "nat-follow-master",
	}
	x.SetTimeout(300 * time.Second)
	x.NAT = ctnetlink.ExpectNAT{Reply: true, Tuple: ctnetlink.NewTuple(ctnetlink.ProtoTCP, netip.MustParseAddrPort("10.0.0.1:2000"), netip.AddrPortFrom(netip.IPv4Unspecified(), 0))}
	return s, x
}

// expectations returns the table's expectations.
func expectations(t *testing.T) (all []*ctnetlink.Expect) {
	t.Helper()
	c := ctnetlink.Open()
	defer c.Close()
	for e, err := range c.DumpExpect(ctnetlink.FamilyAny) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, e.Clone())
	}
	return all
}

// TestExpectations: they are told when their helper is listed, deleted, and committed with
// all that they had, also in place of those that exist.
func TestExpectations(t *testing.T) {
	namespace(t, "")
	c := settings()
	c.Expect, c.ExpectHelpers = true, []string{"FT"}
	table, s := start(t, c)
	master, x := control()
	fill(t, master)
	s.until(t, "the master", func() bool { return len(s.cache) == 1 })
	conn := ctnetlink.Open()
	defer conn.Close()
	if err := conn.CreateExpect(x); err != nil {
		t.Fatal(err)
	}
	s.until(t, "the event", func() bool { return len(s.told) == 2 && s.told[1].typ == wire.ExpectNew })
	before := expectations(t)
	if len(before) != 1 {
		t.Fatalf("%d expectations", len(before))
	}
	if err := table.DumpExpect(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	s.Lock()
	last := s.told[len(s.told)-1]
	s.Unlock()
	if last.typ != wire.ExpectUpdate || !last.silent {
		t.Errorf("the dump told %+v", last)
	}
	if n, err := table.FlushExpect(t.Context(), false); n != 1 || err != nil || len(expectations(t)) != 0 {
		t.Fatalf("%d deleted, %v, %d left", n, err, len(expectations(t)))
	}
	for range 2 {
		all := inParts([]Entry{{Object: last.object}}, 1)
		if done, err := table.CommitExpect(context.Background(), all); err != nil || done != (Committed{New: 1}) {
			t.Fatalf("%+v, %v", done, err)
		}
		after := expectations(t)
		if len(after) != 1 {
			t.Fatalf("%d expectations", len(after))
		}
		a, b := after[0], before[0]
		an, _ := a.NAT()
		bn, _ := b.NAT()
		af, _ := a.Fn()
		bf, _ := b.Fn()
		ah, _ := a.Helper()
		bh, _ := b.Helper()
		ac, _ := a.Class()
		bc, _ := b.Class()
		if *a.Tuple() != *b.Tuple() || *a.Mask() != *b.Mask() || *a.Master() != *b.Master() || an != bn ||
			string(af) != string(bf) || string(ah) != string(bh) || ac != bc {
			t.Errorf("committed %x, want %x", a.Message(), b.Message())
		}
	}
	// Without its master it cannot be.
	empty(t)
	var failed int
	gone := inParts([]Entry{{Object: last.object}}, 1)
	gone.Failed = func(string, wire.Object, error) { failed++ }
	if done, err := table.CommitExpect(context.Background(), gone); err != nil || done != (Committed{Failed: 1}) || failed != 1 {
		t.Errorf("%+v, %v, %d", done, err, failed)
	}
	// Injection makes both, in the order of the calls.
	var flow ctnetlink.FlowSpec
	s.Lock()
	object := s.told[0].object
	s.Unlock()
	if err := object.Spec(&flow); err != nil {
		t.Fatal(err)
	}
	table.Inject(wire.New, object)
	table.Inject(wire.ExpectNew, last.object)
	made := func(counted uint64) func() bool {
		return func() bool { return table.Injected(true).Created == counted && len(expectations(t)) == 1 }
	}
	if !testwait.For(5*time.Second, made(1)) {
		t.Errorf("injected: %+v", table.Injected(true))
	}
	// An expectation that comes before its master waits for it, one that ends does not.
	empty(t)
	k := last.object.Key()
	other := slices.Clone(last.object)
	at := bytes.Index(other, k.Ports[2:])
	other[at]++
	table.Inject(wire.ExpectNew, other)
	table.Inject(wire.ExpectNew, last.object)
	table.Inject(wire.ExpectDelete, other)
	table.Inject(wire.New, object)
	if !testwait.For(5*time.Second, made(2)) {
		t.Errorf("injected before its master: %+v", table.Injected(true))
	}
	table.injector.close()
	if n := len(expectations(t)); n != 1 {
		t.Errorf("%d expectations after the injection", n)
	}
}

// TestRelated: a connection that another expected is committed after that, with it as its
// master; without it if it is gone.
func TestRelated(t *testing.T) {
	namespace(t, "")
	table, s := start(t, settings())
	master, _ := control()
	data := ctnetlink.NewFlowSpec(ctnetlink.NewTuple(ctnetlink.ProtoTCP, netip.MustParseAddrPort("192.0.2.2:20"), netip.MustParseAddrPort("10.0.0.1:2000")))
	data.SetTimeout(time.Hour)
	data.SetState(ctnetlink.NewState(ctnetlink.ProtoTCP, 3))
	data.SetStatus(ctnetlink.StatusSeenReply | ctnetlink.StatusAssured)
	data.SetMaster(master.Orig)
	fill(t, master, data)
	s.until(t, "the entries", func() bool { return len(s.cache) == 2 })
	s.Lock()
	objects := []Entry{{Object: s.cache[key(data)]}, {Object: s.cache[key(master)]}}
	s.Unlock()
	want := contents(t)
	empty(t)
	commit(t, table, inParts(objects, 1), 2)
	alike(t, contents(t), want)
	commit(t, table, inParts(objects, 2), 2)
	alike(t, contents(t), want)
	empty(t)
	commit(t, table, inParts(objects[:1], 1), 1)
	if got := contents(t); len(got) != 1 || got[key(data)] == nil || got[key(data)].Has(ctnetlink.AttrTupleMaster) {
		t.Errorf("without its master: %v", got)
	}
}
