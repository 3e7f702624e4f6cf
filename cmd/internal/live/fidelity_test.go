package live

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/ctnetlink/engine"
	"github.com/gonntrack/gonntrack/internal/testwait"
)

// kept returns what a copy keeps of an entry, as text.
func kept(f *ctnetlink.Flow) string {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%v %+v %+v", f.Family(), *f.Orig(), *f.Reply())
	put := func(name string, v any, ok bool) {
		if ok {
			fmt.Fprintf(&b, " %s=%v", name, v)
		}
	}
	status, ok := f.Status()
	put("status", status, ok)
	timeout, ok := f.Timeout()
	put("timeout", min(timeout, maxExpirySecs*time.Second), ok)
	mark, ok := f.Mark()
	put("mark", mark, ok)
	use, ok := f.Use()
	put("use", use, ok)
	id, ok := f.ID()
	put("id", id, ok)
	zone, ok := f.Zone()
	put("zone", zone, ok)
	secMark, ok := f.SecMark()
	put("secmark", secMark, ok)
	p, n, ok := f.CountersOrig()
	p2, n2, ok2 := f.CountersReply()
	put("counters", []uint64{p, n, p2, n2}, ok || ok2)
	helper, ok := f.Helper()
	put("helper", string(helper), ok)
	secCtx, ok := f.SecCtx()
	put("secctx", string(secCtx), ok)
	labels, ok := f.Labels()
	put("labels", []byte(labels), ok)
	start, ok := f.Start()
	put("start", uint32(start.Unix()), ok)
	state, ok := f.State()
	put("state", state, ok)
	if info, ok := f.ProtoInfo(); ok && info.Proto == ctnetlink.ProtoDCCP {
		put("role", info.Role, info.Has&ctnetlink.InfoRole != 0)
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
	count := testwait.Size(5000, 2000)
	for i := range count {
		if err := kernel.Restore(g.entry(i, now.Add(-1)), 0); err != nil {
			t.Fatal(err)
		}
	}
	dumpInto(t, table, 0)
	same(t, copyOf(t, table), tableOf(t, conn))
	now.advance(1000 * 1e9)
	want := tableOf(t, conn)
	dumpInto(t, table, 0)
	if len(want) == count {
		t.Error("none has timed out")
	}
	same(t, copyOf(t, table), want)
}

// TestDumpIsWhole: what a dump no longer shows of an entry it no longer has; an event
// changes only what it shows.
func TestDumpIsWhole(t *testing.T) {
	s := newStory(t, Options{})
	show := func(bare bool, take func(f *ctnetlink.Flow)) *ctnetlink.Flow {
		en := ctnetlink.NewFlowSpec(ctnetlink.NewTuple(ctnetlink.ProtoTCP,
			netip.MustParseAddrPort("10.0.0.1:1000"), netip.MustParseAddrPort("192.0.2.1:80")))
		if !bare {
			en.SetID(7)
			en.SetTimeout(time.Minute)
			en.SetStatus(ctnetlink.StatusAssured)
			en.Mark, en.Set = 3, en.Set.With(ctnetlink.AttrMark)
			en.SetState(ctnetlink.TCPEstablished)
		}
		f := new(ctnetlink.Flow)
		if err := f.Decode(en.AppendMessage(nil)); err != nil {
			t.Fatal(err)
		}
		take(f)
		return f
	}
	expect := func(f *ctnetlink.Flow) {
		t.Helper()
		if got := copyOf(t, s.Table); len(got) != 1 || got[kept(f)] != 1 {
			t.Errorf("%v, want %s", got, kept(f))
		}
	}
	dump := func(f *ctnetlink.Flow) {
		d := s.beginDump(0)
		d.saw(f, s.now.Time)
		d.abandon()
	}
	event := func(f *ctnetlink.Flow) { s.apply(0, f, s.now.Time) }
	whole := show(false, dump)
	expect(whole)
	show(true, event)
	expect(whole)
	expect(show(true, dump))
	expect(show(false, event))
}
