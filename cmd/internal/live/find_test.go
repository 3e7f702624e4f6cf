package live

import (
	"net/netip"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/ctnetlink/engine"
)

// TestFind: an event is about the entry that is there, until that ends.
func TestFind(t *testing.T) {
	table, _, conn, now := newTable(t, engine.Options{}, Options{})
	var events []*ctnetlink.Flow
	create := func(port uint16) {
		t.Helper()
		en := ctnetlink.NewFlowSpec(ctnetlink.NewTuple(ctnetlink.ProtoUDP,
			netip.AddrPortFrom(netip.MustParseAddr("10.0.0.1"), port), netip.MustParseAddrPort("192.0.2.1:53")))
		en.SetTimeout(time.Minute)
		if err := conn.Create(en); err != nil {
			t.Fatal(err)
		}
	}
	create(1000)
	create(1001)
	for f, err := range conn.Dump(nil) {
		if err != nil {
			t.Fatal(err)
		}
		events = append(events, f.Clone())
	}
	if _, ok := table.Find(0, events[0]); ok {
		t.Error("an entry is found that was not read yet")
	}
	dumpInto(t, table, 0)
	refs := map[Ref]bool{}
	for _, f := range events {
		r, ok := table.Find(0, f)
		if !ok || r.IsZero() {
			t.Fatalf("%s is not found", f.Orig())
		}
		refs[r] = true
		for _, source := range []int{-1, 1} {
			if _, ok := table.Find(source, f); ok {
				t.Errorf("%s is found in source %d", f.Orig(), source)
			}
		}
	}
	if len(refs) != len(events) {
		t.Errorf("%d entries are found as %d", len(events), len(refs))
	}

	// Another entry takes the place of the first.
	if err := conn.Delete(ctnetlink.NewFlowSpec(*events[0].Orig())); err != nil {
		t.Fatal(err)
	}
	create(events[0].Orig().SrcPort)
	now.advance(time.Second)
	dumpInto(t, table, 0)
	if _, ok := table.Find(0, events[0]); ok {
		t.Error("an entry that has ended is found")
	}
	if _, ok := table.Find(0, events[1]); !ok {
		t.Error("an entry is not found any more")
	}
}
