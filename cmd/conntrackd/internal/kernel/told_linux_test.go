package kernel

import (
	"net/netip"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/wire"
	"github.com/gonntrack/gonntrack/ctnetlink"
)

// TestTold has TCPWindowTracking and CommitTimeout change what peers are told, of a dump
// and of an event.
func TestTold(t *testing.T) {
	namespace(t, "")
	orig := ctnetlink.NewTuple(ctnetlink.ProtoTCP, netip.MustParseAddrPort("10.0.0.1:1"), netip.MustParseAddrPort("10.0.0.2:2"))
	entry := ctnetlink.NewFlowSpec(orig)
	entry.Reply = orig.Reverse()
	entry.SetTimeout(1000 * time.Second)
	entry.SetProtoInfo(ctnetlink.ProtoInfo{
		Proto: ctnetlink.ProtoTCP, State: ctnetlink.NewState(ctnetlink.ProtoTCP, 3), WScale: [2]uint8{7, 8},
		Has: ctnetlink.InfoState | ctnetlink.InfoWScaleOrig | ctnetlink.InfoWScaleReply,
	})
	for _, scales := range []bool{false, true} {
		for _, commit := range []time.Duration{0, time.Minute} {
			c := settings()
			c.TCPWindowTracking, c.CommitTimeout = scales, commit
			empty(t)
			table, s := start(t, c)
			fill(t, entry)
			check := func(what string, o wire.Object) {
				t.Helper()
				var told ctnetlink.FlowSpec
				if err := o.Spec(&told); err != nil {
					t.Fatal(err)
				}
				if got := told.ProtoInfo.Has&ctnetlink.InfoWScaleOrig != 0; got != scales {
					t.Errorf("%s: window scales %v, want %v", what, got, scales)
				}
				if got := told.Set.Has(ctnetlink.AttrTimeout); got != (commit == 0) {
					t.Errorf("%s: timeout %v with CommitTimeout %v", what, got, commit)
				}
			}
			key := wire.TupleKey(&orig, 0, 0)
			s.until(t, "the event", func() bool { return s.cache[key] != nil })
			s.Lock()
			check("event", s.cache[key])
			s.Unlock()
			if err := table.List(t.Context(), func(o wire.Object) error { check("list", o); return nil }); err != nil {
				t.Fatal(err)
			}
			if err := table.Dump(t.Context(), true); err != nil {
				t.Fatal(err)
			}
			s.Lock()
			check("dump", s.cache[key])
			s.Unlock()
		}
	}
}
