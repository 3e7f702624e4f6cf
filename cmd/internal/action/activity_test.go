package action

import (
	"hash/maphash"
	"net/netip"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// What is concluded of an entry without counters from its timeout, ten seconds after
// it was seen with 100 seconds left.
func TestActivityByTimeout(t *testing.T) {
	const before, passed = 100, 10
	entry := func(sport uint16, left int, status ctnetlink.Status) *ctnetlink.Flow {
		en := ctnetlink.FlowSpec{Family: ctnetlink.FamilyIPv4, Timeout: time.Duration(left) * time.Second, Status: status}
		en.Orig = ctnetlink.Tuple{Src: netip.MustParseAddr("10.0.0.1"), Dst: netip.MustParseAddr("10.0.0.2"),
			Proto: ctnetlink.ProtoUDP, SrcPort: sport, DstPort: 53,
			Has: ctnetlink.FieldAddrs | ctnetlink.FieldProto | ctnetlink.FieldPorts}
		en.Set = en.Set.With(ctnetlink.AttrTupleOrig).With(ctnetlink.AttrStatus)
		if left >= 0 {
			en.Set = en.Set.With(ctnetlink.AttrTimeout)
		}
		var f ctnetlink.Flow
		if err := f.Decode(en.AppendMessage(nil)); err != nil {
			t.Fatal(err)
		}
		return &f
	}
	for _, c := range []struct {
		name   string
		least  time.Duration
		left   int
		status ctnetlink.Status
		want   verdict
	}{
		{"shorter by what has passed", 10 * time.Second, 90, 0, idle},
		{"rounded down twice", 10 * time.Second, 89, 0, idle},
		{"rounded the other way", 10 * time.Second, 91, 0, idle},
		{"set again two seconds ago", 10 * time.Second, 98, 0, growing},
		{"set again just now", 10 * time.Second, 100, 0, growing},
		{"another state, with a shorter timeout", 10 * time.Second, 30, 0, growing},
		{"compared after two seconds only", 2 * time.Second, 100, 0, unknown},
		{"a fixed timeout", 10 * time.Second, 90, ctnetlink.StatusFixedTimeout, unknown},
		{"offloaded", 10 * time.Second, 90, ctnetlink.StatusOffload, unknown},
		{"without a timeout", 10 * time.Second, -1, 0, unknown},
	} {
		a := &activity{least: c.least, begun: time.Now().Add(-passed * time.Second), seen: map[uint64]sighting{},
			seed: maphash.MakeSeed()}
		f := entry(1, c.left, c.status)
		if got := a.judge("", f); got != unseen {
			t.Errorf("%s: %d before it was seen", c.name, got)
		}
		a.seen[a.hash("", entry(1, before, 0))] = sighting{packets: noPackets, timeout: before}
		if got := a.judge("", f); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
		if got := a.judge("other", f); got != unseen {
			t.Errorf("%s: seen in another namespace: %d", c.name, got)
		}
		if got := a.judge("", entry(2, c.left, c.status)); got != unseen {
			t.Errorf("%s: another entry taken for it: %d", c.name, got)
		}
	}
}
