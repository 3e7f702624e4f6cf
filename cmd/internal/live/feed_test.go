package live

import (
	"context"
	"errors"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/ctnetlink/engine"
	"github.com/gonntrack/gonntrack/filter"
	"github.com/gonntrack/gonntrack/internal/testwait"
)

// settingsOf answers as the settings of the kernel would.
func settingsOf(values map[string]uint64) func(string) (uint64, bool) {
	return func(name string) (uint64, bool) {
		v, ok := values[name]
		return v, ok
	}
}

// defaults are the settings of a kernel that counts.
var defaults = map[string]uint64{"nf_conntrack_acct": 1, "nf_conntrack_timestamp": 0, "nf_conntrack_events": 2}

// run runs a copy of sources until the test ends, or stop is called.
func run(t testing.TB, o Options, sources ...Source) (table *Table, stop func()) {
	t.Helper()
	table = New(sources, o)
	return table, start(t, table)
}

// start runs a copy until the test ends, or stop is called.
func start(t testing.TB, table *Table) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- table.Run(ctx) }()
	var stopped atomic.Bool
	stop = func() {
		t.Helper()
		if stopped.Swap(true) {
			return
		}
		cancel()
		select {
		case err := <-done:
			if err != nil {
				t.Errorf("Run: %v", err)
			}
		case <-time.After(testwait.Scale(10 * time.Second)):
			t.Error("Run does not end")
		}
	}
	t.Cleanup(stop)
	return stop
}

// wait waits until the status is as it shall be.
func wait(t testing.TB, table *Table, what string, ok func(s *Status) bool) Status {
	t.Helper()
	var s Status
	if !testwait.For(10*time.Second, func() bool { s = table.Status(); return ok(&s) }) {
		t.Fatalf("%s: the status is %+v", what, s)
	}
	return s
}

func complete(s *Status) bool { return !s.Reading }

func entries(n int) func(s *Status) bool {
	return func(s *Status) bool { return s.Entries == n && !s.Reading }
}

// makeEntries makes entries from one number to before another in a table.
func makeEntries(t testing.TB, conn *ctnetlink.Conn, from, to int) {
	t.Helper()
	change(t, conn, from, to, (*ctnetlink.Batch).Create)
}

func deleteEntries(t testing.TB, conn *ctnetlink.Conn, from, to int) {
	t.Helper()
	change(t, conn, from, to, (*ctnetlink.Batch).Delete)
}

func change(t testing.TB, conn *ctnetlink.Conn, from, to int, how func(*ctnetlink.Batch, *ctnetlink.FlowSpec)) {
	t.Helper()
	b := conn.NewBatch()
	defer b.Close()
	finish := func() {
		results, err := b.Do()
		for _, r := range results {
			err = errors.Join(err, r.Err)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for i := from; i < to; i++ {
		if b.Full() {
			finish()
		}
		how(b, udpSpec(i))
	}
	finish()
}

// total returns how many births and deaths the history has, that of the present
// second included.
func total(table *Table) (births, deaths int) {
	h := &table.feed.history
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, s := range h.ring {
		births += int(s.births + s.born)
		deaths += int(s.deaths + s.died)
	}
	return births, deaths
}

// waitTotal waits until the history has as many births and deaths.
func waitTotal(t testing.TB, table *Table, births, deaths int) {
	t.Helper()
	var b, d int
	if !testwait.For(10*time.Second, func() bool { b, d = total(table); return b == births && d == deaths }) {
		t.Errorf("%d births, want %d; %d deaths, want %d", b, births, d, deaths)
	}
}

// TestRun: what there is at the start is read at once, and events tell of the rest.
func TestRun(t *testing.T) {
	kernel := engine.New(engine.Options{Accounting: true})
	conn := ctnetlink.NewConn(kernel.Dial)
	defer conn.Close()
	makeEntries(t, conn, 0, 1000)
	table, stop := run(t, Options{Interval: time.Hour}, Source{Conn: conn.Beside(), Sysctl: settingsOf(defaults)})
	s := wait(t, table, "the first dump", func(s *Status) bool { return !s.Reading && s.Total == 1000 })
	if s.Entries != 1000 || s.Complete.IsZero() || s.Took <= 0 || s.Asked != time.Hour || s.Interval != time.Hour ||
		s.Share != 0.1 || s.EventsOff != "" || s.Failed != nil || s.AccountingOff || !s.TimestampsOff || s.RatesKnown {
		t.Errorf("after the first dump: %+v", s)
	}
	makeEntries(t, conn, 1000, 3000)
	wait(t, table, "births", entries(3000))
	deleteEntries(t, conn, 1500, 2500)
	wait(t, table, "deaths", entries(2000))
	waitTotal(t, table, 2000, 1000)
	if !testwait.For(10*time.Second, func() bool { _, last := table.EventsSince(0, 1, nil); return last == 3000 }) {
		t.Error("not all events are there")
	}
	// The entries from before have no DESTROY events.
	deleteEntries(t, conn, 0, 500)
	table.SetInterval(0)
	wait(t, table, "ends that no event tells of", func(s *Status) bool { return s.Entries == 1500 && s.Deaths > 0 })
	waitTotal(t, table, 2000, 1500)
	s = wait(t, table, "rates", func(s *Status) bool { return s.RatesKnown })
	if s.Packets != 0 || s.Asked != minInterval {
		t.Errorf("%+v", s)
	}
	stop()
}

// TestRunReads: while the first dump is under way its entries are there for questions.
func TestRunReads(t *testing.T) {
	const n = 50_000
	kernel := engine.New(engine.Options{Max: n})
	conn := ctnetlink.NewConn(kernel.Dial)
	defer conn.Close()
	makeEntries(t, conn, 0, n)
	// The table is kept from answering a second request for data.
	held := make(chan struct{})
	dial := func() (ctnetlink.Socket, error) {
		s, err := kernel.Dial()
		return &slowSocket{Socket: s, after: 5, held: held}, err
	}
	table, _ := run(t, Options{Interval: time.Hour},
		Source{Conn: ctnetlink.NewConn(dial), Sysctl: settingsOf(defaults)})
	s := wait(t, table, "rows during the first dump", func(s *Status) bool { return s.Entries > 0 && s.Total == n })
	if !s.Reading || s.Entries >= n {
		t.Errorf("%+v", s)
	}
	seen := 0
	if err := table.walk(t.Context(), func(*entry) bool { seen++; return true }); err != nil || seen == 0 {
		t.Errorf("%d entries during the first dump, %v", seen, err)
	}
	close(held)
	wait(t, table, "the first dump", entries(n))
}

// slowSocket is a socket that answers with some datagrams, and with the others only
// when held is closed.
type slowSocket struct {
	ctnetlink.Socket
	after int
	held  chan struct{}
}

func (s *slowSocket) Receive(b []byte) (int, uint32, error) {
	if s.after--; s.after < 0 {
		<-s.held
	}
	return s.Socket.Receive(b)
}

// TestRunFilter: only what matches is kept, counted and logged.
func TestRunFilter(t *testing.T) {
	kernel := engine.New(engine.Options{})
	conn := ctnetlink.NewConn(kernel.Dial)
	defer conn.Close()
	makeEntries(t, conn, 0, 1000)
	odd := &filter.Filter{Marks: []filter.MarkRange{{Min: 1, Max: 1, Mask: 1}}}
	table, _ := run(t, Options{Interval: time.Hour, Filter: odd}, Source{Conn: conn.Beside()})
	wait(t, table, "the first dump", entries(500))
	makeEntries(t, conn, 1000, 2000)
	s := wait(t, table, "births", entries(1000))
	if s.Total != 1000 || s.Maximum != 0 { // a source without settings is not asked
		t.Errorf("%+v", s)
	}
	deleteEntries(t, conn, 1000, 1100)
	wait(t, table, "deaths", entries(950))
	waitTotal(t, table, 500, 50)
	found, last := table.EventsSince(0, 10000, nil)
	if last != 550 || len(found) != 550 {
		t.Errorf("%d events, the last is %d", len(found), last)
	}
}

// TestRunFilterMark: events do not have a mark of 0, and are matched as if they had; an
// entry that is changed so that it matches, or no longer, comes and goes at once.
func TestRunFilterMark(t *testing.T) {
	conn := ctnetlink.NewConn(engine.New(engine.Options{}).Dial)
	defer conn.Close()
	testFilterMark(t, conn, Source{Conn: conn.Beside()})
}

func testFilterMark(t *testing.T, conn *ctnetlink.Conn, source Source) {
	unmarked := func(i int) *ctnetlink.FlowSpec {
		en := udpSpec(i)
		en.Set, en.Mark, en.MarkMask = en.Set.Without(ctnetlink.AttrMark).Without(ctnetlink.AttrMarkMask), 0, 0
		return en
	}
	for i := range 5 {
		if err := conn.Create(unmarked(i)); err != nil {
			t.Fatal(err)
		}
	}
	none := &filter.Filter{Marks: []filter.MarkRange{{Mask: 0xff}}}
	table, _ := run(t, Options{Interval: time.Hour, Filter: none}, source)
	wait(t, table, "the first dump", entries(5))
	for i := 5; i < 9; i++ {
		if err := conn.Create(unmarked(i)); err != nil {
			t.Fatal(err)
		}
	}
	makeEntries(t, conn, 100, 110) // with marks
	wait(t, table, "births", entries(9))
	waitTotal(t, table, 4, 0)
	change := ctnetlink.NewFlowSpec(unmarked(6).Orig)
	change.SetMark(7, 1<<32-1)
	if err := conn.Update(change); err != nil {
		t.Fatal(err)
	}
	wait(t, table, "an entry that no longer matches", entries(8))
	change.SetMark(0, 1<<32-1)
	if err := conn.Update(change); err != nil {
		t.Fatal(err)
	}
	wait(t, table, "an entry that matches again", entries(9))
	if err := conn.Delete(unmarked(7)); err != nil {
		t.Fatal(err)
	}
	wait(t, table, "a death", entries(8))
	found, _ := table.EventsSince(0, 100, nil)
	var kinds []ctnetlink.EventType
	for _, e := range found {
		kinds = append(kinds, e.Type)
	}
	if want := []ctnetlink.EventType{1, 1, 1, 1, 2, 3}; !slices.Equal(kinds, want) {
		t.Errorf("events %v, want %v", kinds, want)
	}
}

// TestRunWithoutEvents: dumps tell of births and deaths.
func TestRunWithoutEvents(t *testing.T) {
	kernel := engine.New(engine.Options{NoEvents: true})
	conn := ctnetlink.NewConn(kernel.Dial)
	defer conn.Close()
	makeEntries(t, conn, 0, 100)
	off := map[string]uint64{"nf_conntrack_acct": 0, "nf_conntrack_timestamp": 1, "nf_conntrack_events": 0}
	table, _ := run(t, Options{Interval: minInterval}, Source{Conn: conn.Beside(), Sysctl: settingsOf(off)})
	s := wait(t, table, "the first dump", entries(100))
	if s.EventsOff != "net.netfilter.nf_conntrack_events is 0" || !s.AccountingOff || s.TimestampsOff {
		t.Errorf("%+v", s)
	}
	makeEntries(t, conn, 100, 300)
	wait(t, table, "births", entries(300))
	deleteEntries(t, conn, 0, 50)
	wait(t, table, "deaths", entries(250))
	waitTotal(t, table, 200, 50)
	if s := table.Status(); s.RatesKnown {
		t.Error("rates are known though nothing counts")
	}
}

// TestRunSeveral: the entries of several tables are together.
func TestRunSeveral(t *testing.T) {
	var sources []Source
	var conns []*ctnetlink.Conn
	for i, name := range []string{"a", "b", "c"} {
		conn := ctnetlink.NewConn(engine.New(engine.Options{}).Dial)
		defer conn.Close()
		makeEntries(t, conn, 0, 10*(i+1))
		conns = append(conns, conn)
		sources = append(sources, Source{Name: name, Conn: conn.Beside(), Sysctl: settingsOf(defaults)})
	}
	table, _ := run(t, Options{Interval: time.Hour}, sources...)
	s := wait(t, table, "the first dump", func(s *Status) bool { return !s.Reading && s.Total == 60 })
	if s.Entries != 60 || s.Maximum != 3*262144 {
		t.Errorf("%+v", s)
	}
	makeEntries(t, conns[1], 20, 25)
	wait(t, table, "births", entries(65))
	if found, _ := table.EventsSince(0, 10, nil); len(found) != 5 || found[0].Source != 1 {
		t.Errorf("%v", found)
	}
}

// TestRunEventsEnd: when the kernel makes no more events, dumps tell of births and
// deaths of what matches.
func TestRunEventsEnd(t *testing.T) {
	kernel := engine.New(engine.Options{NoEvents: true})
	conn := ctnetlink.NewConn(kernel.Dial)
	defer conn.Close()
	makeEntries(t, conn, 0, 100)
	off := map[string]uint64{"nf_conntrack_acct": 1, "nf_conntrack_timestamp": 0, "nf_conntrack_events": 0}
	options := Options{Interval: minInterval, Filter: &filter.Filter{Family: ctnetlink.FamilyIPv4}}
	table, _ := run(t, options, Source{Conn: conn.Beside(), Sysctl: settingsOf(off)})
	wait(t, table, "the first dump", entries(100))
	table.mu.Lock()
	table.copies[0].heard = true // as long as there were events
	table.mu.Unlock()
	complete := table.Status().Complete
	wait(t, table, "two dumps", func(s *Status) bool { return s.Complete.Sub(complete) > 2*minInterval })
	makeEntries(t, conn, 100, 300)
	wait(t, table, "births", entries(300))
	waitTotal(t, table, 200, 0)
}

// TestRunSomeCount: one namespace that does not count hides nothing of the others.
func TestRunSomeCount(t *testing.T) {
	off := maps.Clone(defaults)
	off["nf_conntrack_acct"] = 0
	for _, c := range []struct {
		settings    []map[string]uint64
		off, partly bool
	}{
		{[]map[string]uint64{off, off}, true, false},
		{[]map[string]uint64{off, defaults}, false, true},
		{[]map[string]uint64{defaults, defaults}, false, false},
	} {
		var sources []Source
		for i, settings := range c.settings {
			conn := ctnetlink.NewConn(engine.New(engine.Options{}).Dial)
			defer conn.Close()
			sources = append(sources, Source{Name: string(rune('a' + i)), Conn: conn.Beside(), Sysctl: settingsOf(settings)})
		}
		table, _ := run(t, Options{Interval: minInterval}, sources...)
		s := wait(t, table, "two dumps", func(s *Status) bool {
			return !s.Reading && s.RatesKnown != c.off && s.AccountingOff == c.off && s.AccountingPartly == c.partly
		})
		if s.ClockStopped {
			t.Error("the clock is said to stand")
		}
	}
}

// TestExpectations: they are asked for while the table is fed.
func TestExpectations(t *testing.T) {
	kernel := engine.New(engine.Options{})
	conn := ctnetlink.NewConn(kernel.Dial)
	defer conn.Close()
	master := ctnetlink.NewTuple(ctnetlink.ProtoTCP, netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, 1}), 40000),
		netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, 1}), 21))
	en := ctnetlink.NewFlowSpec(master)
	en.SetTimeout(time.Minute)
	en.SetState(ctnetlink.NewState(ctnetlink.ProtoTCP, 3))
	en.SetHelper("ftp")
	if err := conn.Create(en); err != nil {
		t.Fatal(err)
	}
	expected, mask := master, master
	expected.SrcPort, expected.DstPort = 0, 20000
	mask.Src, mask.Dst = netip.AddrFrom4([4]byte{255, 255, 255, 255}), netip.AddrFrom4([4]byte{255, 255, 255, 255})
	mask.SrcPort, mask.DstPort = 0, 0xffff
	x := &ctnetlink.ExpectSpec{Master: master, Tuple: expected, Mask: mask, Timeout: time.Minute, HasTimeout: true}
	if err := conn.CreateExpect(x); err != nil {
		t.Fatal(err)
	}
	table, _ := run(t, Options{}, Source{Conn: conn.Beside()},
		Source{Name: "none", Conn: refuse(kernel, ctnetlink.EPERM, nil)})
	wait(t, table, "the first dump", complete)
	all, err := table.Expectations(t.Context())
	if err != nil || len(all) != 1 || all[0].Source != 0 || all[0].Expect.Tuple().DstPort != 20000 {
		t.Errorf("%v, %v", all, err)
	}
	none := New([]Source{{Name: "none", Conn: refuse(kernel, ctnetlink.EPERM, nil)}}, Options{})
	if _, err := none.Expectations(t.Context()); !errors.Is(err, ctnetlink.EPERM) {
		t.Errorf("%v", err)
	}
}

// TestRunPanics: a panic of a goroutine of Run is one of Run, so that the caller can
// leave the terminal as it was.
func TestRunPanics(t *testing.T) {
	defer func() {
		if text, _ := recover().(string); !strings.HasPrefix(text, "boom\n\ngoroutine ") {
			t.Errorf("recovered %q", text)
		}
	}()
	conn := ctnetlink.NewConn(func() (ctnetlink.Socket, error) { panic("boom") })
	table := New([]Source{{Conn: conn, Now: time.Now}}, Options{})
	t.Error(table.Run(t.Context()))
}
