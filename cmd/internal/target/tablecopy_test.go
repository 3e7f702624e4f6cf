package target

import (
	"net/netip"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/ctnetlink/engine"
)

// copied returns an entry with a helper that the engine does not have.
func copied(port uint16, timeout time.Duration) *ctnetlink.FlowSpec {
	const has = ctnetlink.FieldAddrs | ctnetlink.FieldProto | ctnetlink.FieldPorts
	a, b := netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.2")
	en := &ctnetlink.FlowSpec{Family: ctnetlink.FamilyIPv4, Timeout: timeout, Mark: 7, Zone: 3, Helper: "elsewhere",
		Status:    ctnetlink.StatusAssured | ctnetlink.StatusConfirmed,
		Orig:      ctnetlink.Tuple{Has: has, Proto: ctnetlink.ProtoTCP, Src: a, Dst: b, SrcPort: port, DstPort: 2},
		Reply:     ctnetlink.Tuple{Has: has, Proto: ctnetlink.ProtoTCP, Src: b, Dst: a, SrcPort: 2, DstPort: port},
		ProtoInfo: ctnetlink.ProtoInfo{Proto: ctnetlink.ProtoTCP, Has: ctnetlink.InfoState, State: 3},
	}
	for _, attr := range []ctnetlink.Attr{ctnetlink.AttrTimeout, ctnetlink.AttrMark, ctnetlink.AttrZone, ctnetlink.AttrHelp,
		ctnetlink.AttrStatus, ctnetlink.AttrProtoInfo} {
		en.Set = en.Set.With(attr)
	}
	return en
}

// An entry with a helper that the engine does not have is copied too; one that
// exists already, or has ended, is ignored.
func TestCopyEntry(t *testing.T) {
	table := engine.New(engine.Options{})
	for _, en := range []*ctnetlink.FlowSpec{copied(1, time.Minute), copied(1, time.Minute), copied(9, 0)} {
		var f ctnetlink.Flow
		if err := f.Decode(en.AppendMessage(nil)); err != nil {
			t.Fatal(err)
		}
		if err := copyEntry(table, &f); err != nil {
			t.Fatal(err)
		}
	}
	n := 0
	for msg := range table.All() {
		n++
		var f ctnetlink.Flow
		if err := f.Decode(msg); err != nil {
			t.Fatal(err)
		}
		mark, _ := f.Mark()
		status, _ := f.Status()
		zone, _ := f.Zone()
		state, _ := f.State()
		helper, _ := f.Helper()
		if mark != 7 || zone != 3 || status&ctnetlink.StatusAssured == 0 || state != ctnetlink.TCPEstablished ||
			string(helper) != "elsewhere" {
			t.Errorf("mark %d, zone %d, status %x, state %v, helper %s", mark, zone, status, state, helper)
		}
	}
	if n != 1 {
		t.Errorf("%d entries, want 1", n)
	}
}
