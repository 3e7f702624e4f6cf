package live

import (
	"testing"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/ctnetlink/engine"
)

// TestExtras: what few entries have takes memory while an entry has it.
func TestExtras(t *testing.T) {
	table, kernel, conn, now := newTable(t, engine.Options{Max: -1}, Options{})
	for range 3 {
		g := newGenerator(1)
		for i := range 2000 {
			if err := kernel.Restore(g.entry(i, now.Time), 0); err != nil {
				t.Fatal(err)
			}
		}
		dumpInto(t, table, 0)
		used := len(table.extras.index)
		if used < 100 || len(table.extras.all) > used+1 {
			t.Errorf("%d extras of %d are used", used, len(table.extras.all))
		}
		if err := conn.Flush(ctnetlink.FamilyAny); err != nil {
			t.Fatal(err)
		}
		dumpInto(t, table, 0)
		if n := len(table.extras.index); n != 0 || len(table.extras.free) != len(table.extras.all)-1 {
			t.Errorf("%d extras of no entry", n)
		}
	}
}

// TestExtraOfEvents: an event changes what it has, and a dump also what it has not.
func TestExtraOfEvents(t *testing.T) {
	s := newStory(t, Options{})
	show := func(e ctnetlink.EventType, helper string, labels ...int) {
		en := ctnetlink.NewFlowSpec(*message(e, told{}).Orig())
		if helper != "" {
			en.SetHelper(helper)
		}
		if labels != nil {
			en.SetLabels(ctnetlink.NewLabels(labels...), nil)
		}
		var f ctnetlink.Flow
		if err := f.Decode(en.AppendMessage(nil)); err != nil {
			t.Fatal(err)
		}
		if e == ctnetlink.EventUpdate {
			s.apply(0, &f, s.now.Time)
			return
		}
		d := s.beginDump(0)
		d.saw(&f, s.now.Time)
		d.abandon()
	}
	expect := func(helper, labels string) {
		t.Helper()
		var e entry
		_ = s.walk(t.Context(), func(at *entry) bool { e = *at; return true })
		var f ctnetlink.Flow
		if err := f.Decode(e.appendMessage(nil)); err != nil {
			t.Fatal(err)
		}
		h, _ := f.Helper()
		l, _ := f.Labels()
		if string(h) != helper || l.String() != labels {
			t.Errorf("helper %q, labels %s; want %q, %s", h, l, helper, labels)
		}
		want := 1
		if helper+labels == "" {
			want = 0
		}
		if n := len(s.extras.index); n != want {
			t.Errorf("%d extras", n)
		}
	}
	show(ctnetlink.EventNone, "ftp")
	expect("ftp", "")
	show(ctnetlink.EventUpdate, "", 3, 4)
	expect("ftp", "3,4")
	show(ctnetlink.EventUpdate, "irc")
	expect("irc", "3,4")
	show(ctnetlink.EventUpdate, "")
	expect("irc", "3,4")
	show(ctnetlink.EventNone, "", 4)
	expect("", "4")
	show(ctnetlink.EventNone, "")
	expect("", "")
}
