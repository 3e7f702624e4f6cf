package cmd

import (
	"testing"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/ctnetlink/engine"
)

// An entry with a helper that the engine does not have is copied without it;
// one that is there already, or has ended, is passed over.
func TestCopyEntry(t *testing.T) {
	r, err := parseClassic([]string{"-I", "-p", "tcp", "-s", "10.0.0.1", "-d", "10.0.0.2", "--sport", "1", "--dport", "2",
		"--state", "ESTABLISHED", "-t", "60", "-m", "7", "-u", "ASSURED", "-w", "3", "--helper", "elsewhere"}, t.Output())
	if err != nil {
		t.Fatal(err)
	}
	var f ctnetlink.Flow
	if err := f.Decode(r.entry().AppendMessage(nil)); err != nil {
		t.Fatal(err)
	}
	table := engine.New(engine.Options{})
	for range 2 {
		if err := copyEntry(table, &f); err != nil {
			t.Fatal(err)
		}
	}
	r.Timeout = 0
	en := r.entry()
	en.Orig.SrcPort, en.Reply.DstPort = 9, 9
	if err := f.Decode(en.AppendMessage(nil)); err != nil {
		t.Fatal(err)
	}
	if err := copyEntry(table, &f); err != nil {
		t.Fatal(err)
	}
	n := 0
	for msg := range table.All() {
		n++
		if err := f.Decode(msg); err != nil {
			t.Fatal(err)
		}
		mark, _ := f.Mark()
		status, _ := f.Status()
		zone, _ := f.Zone()
		state, _ := f.State()
		want := r.entry()
		if mark != 7 || zone != 3 || status&ctnetlink.StatusAssured == 0 || state != want.ProtoInfo.State || f.Has(ctnetlink.AttrHelp) {
			t.Errorf("mark %d, zone %d, status %x, state %d, helper %v", mark, zone, status, state, f.Has(ctnetlink.AttrHelp))
		}
	}
	if n != 1 {
		t.Errorf("%d entries, want 1", n)
	}
}
