package live

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/ctnetlink/engine"
)

// kept returns what a copy keeps of an entry, as text.
func kept(f *ctnetlink.Flow) string {
	var b bytes.Buffer
	o, r := f.Orig(), f.Reply()
	fmt.Fprintf(&b, "%v %+v %+v", f.Family(), *o, *r)
	for _, a := range []ctnetlink.Attr{ctnetlink.AttrStatus, ctnetlink.AttrHelp, ctnetlink.AttrTimeout, ctnetlink.AttrMark,
		ctnetlink.AttrCountersOrig, ctnetlink.AttrCountersReply, ctnetlink.AttrUse, ctnetlink.AttrID,
		ctnetlink.AttrSecMark, ctnetlink.AttrZone, ctnetlink.AttrSecCtx, ctnetlink.AttrLabels} {
		if v, ok := f.Raw(a); ok {
			fmt.Fprintf(&b, " %v=%x", a, v)
		}
	}
	if start, ok := f.Start(); ok {
		fmt.Fprintf(&b, " start=%d", start.Unix())
	}
	if info, ok := f.ProtoInfo(); ok {
		fmt.Fprintf(&b, " state=%v/%v", info.Has&ctnetlink.InfoState != 0, info.State)
		if info.Proto == ctnetlink.ProtoDCCP {
			fmt.Fprintf(&b, " role=%v/%d", info.Has&ctnetlink.InfoRole != 0, info.Role)
		}
	}
	return b.String()
}

// copyOf returns all entries of a copy, as text.
func copyOf(t testing.TB, table *Table) map[string]int {
	t.Helper()
	all := map[string]int{}
	var f ctnetlink.Flow
	var message []byte
	err := table.walk(context.Background(), func(e *entry) bool {
		message = e.appendMessage(message[:0])
		if err := f.Decode(message); err != nil {
			t.Fatal(err)
		}
		all[kept(&f)]++
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// tableOf returns all entries of a table, as text.
func tableOf(t testing.TB, conn *ctnetlink.Conn) map[string]int {
	t.Helper()
	all := map[string]int{}
	for f, err := range conn.Dump(nil) {
		if err != nil {
			t.Fatal(err)
		}
		all[kept(f)]++
	}
	return all
}

// same fails the test unless both have the same entries.
func same(t testing.TB, got, want map[string]int) {
	t.Helper()
	n := 0
	report := func(what string, have, other map[string]int) {
		for _, s := range slices.Sorted(maps.Keys(have)) {
			if have[s] != other[s] && n < 6 {
				t.Errorf("%s: %d× %s", what, have[s]-other[s], s)
				n++
			}
		}
	}
	report("only in the copy", got, want)
	report("only in the table", want, got)
}

// TestFidelity: an entry that is made of its record has all attributes that are kept
// as the table sent them.
func TestFidelity(t *testing.T) {
	table, kernel, conn, now := newTable(t, engine.Options{Max: -1}, Options{})
	g := newGenerator(1)
	for i := range 5000 {
		if err := kernel.Restore(g.entry(i, now.Add(-1)), 0); err != nil {
			t.Fatal(err)
		}
	}
	dumpInto(t, table, 0)
	same(t, copyOf(t, table), tableOf(t, conn))
	now.advance(1000 * 1e9)
	want := tableOf(t, conn)
	dumpInto(t, table, 0)
	if len(want) == 5000 {
		t.Error("none has timed out")
	}
	same(t, copyOf(t, table), want)
}
