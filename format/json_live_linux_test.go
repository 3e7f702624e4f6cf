package format

import (
	"net/netip"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/internal/testwait"
)

// TestLiveJSON holds what is written of a kernel's table, its statistics and
// the events of its end against the schemas, and against the classic lines.
func TestLiveJSON(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	conn := ctnetlink.Open()
	defer conn.Close()
	// From the beginning: of an entry that was made while nobody listened,
	// nothing is heard later either.
	l, err := conn.Listen(ctnetlink.ListenRequest{Groups: []ctnetlink.Group{ctnetlink.GroupNew, ctnetlink.GroupDestroy, ctnetlink.GroupExpectDestroy}})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Stop()
	defer time.AfterFunc(testwait.Scale(time.Minute), l.Stop).Stop() // a missing event ends the test
	fillTable(t)
	expect := makeExpectation(conn)
	s := schemas(t)
	members := map[string]bool{}
	c := &Context{Now: time.Now()}
	p := NewPrinter(Options{Style: StyleJSON})
	n := 0
	doc := p.AppendHeader(nil)
	for f, err := range conn.Dump(&ctnetlink.DumpRequest{}) {
		if err != nil {
			t.Fatal(err)
		}
		checkLine(t, f, c)
		doc = p.AppendFlow(p.AppendSeparator(doc, n), f, c)
		n++
	}
	if n < 30 {
		t.Errorf("only %d entries", n)
	}
	valid(t, s["entries.json"], p.AppendFooter(doc), members)

	if expect {
		for x, err := range conn.DumpExpect(ctnetlink.FamilyAny) {
			if err != nil {
				t.Fatal(err)
			}
			valid(t, s["expectation.json"], p.AppendExpect(nil, x, c), members)
		}
	}
	cpus := NewRecords(StyleJSON, true)
	var records []byte
	for s, err := range conn.Stats() {
		if err != nil {
			t.Fatal(err)
		}
		values := []Value{Number("cpu", uint64(s.CPU))}
		for _, c := range s.Counters {
			values = append(values, Number(c.Name, uint64(c.Value)))
		}
		records = cpus.Append(records, values)
	}
	valid(t, s["stats.json"], cpus.AppendEnd(records), members)

	// The end of all: each an event.
	if err := conn.Flush(ctnetlink.FamilyAny); err != nil {
		t.Fatal(err)
	}
	if expect {
		n++ // it goes with its master
	}
	lines := NewPrinter(Options{Style: StyleJSONL})
	var events ctnetlink.Events
	for gone := 0; gone < n; {
		batch, err := l.Next()
		if err != nil || batch.Gap {
			t.Fatalf("after %d of %d ends: %v", gone, n, err)
		}
		for events.Reset(batch); events.Next(); {
			var event Event
			if events.Expectation {
				x := events.Expect()
				event = x.EventType()
				valid(t, s["event.json"], lines.AppendExpect(nil, x, &Context{Event: event, Now: c.Now, PortID: x.PortID()}), members)
			} else {
				f := events.Flow()
				event = f.EventType()
				c := &Context{Event: event, Now: c.Now, PortID: f.PortID()}
				valid(t, s["event.json"], lines.AppendFlow(nil, f, c), members)
				checkLine(t, f, c)
			}
			if event == EventDestroy {
				gone++
			}
		}
	}
	for _, name := range []string{"state", "timeout", "sport", "type", "icmp_id", "srckey", "vtag", "zone", "packets", "nat", "addr", "port",
		"status", "mark", "start", "stop", "age", "id", "use", "event", "time", "portid"} {
		if !members[name] {
			t.Errorf("no %q was seen", name)
		}
	}
}

// makeExpectation makes an expectation, and its master with a helper; false
// where the kernel has none.
func makeExpectation(conn *ctnetlink.Conn) bool {
	tuple := func(src, dst string, sport, dport uint16) ctnetlink.Tuple {
		return ctnetlink.Tuple{
			Has: ctnetlink.FieldAddrs | ctnetlink.FieldProto | ctnetlink.FieldPorts, Proto: ctnetlink.ProtoTCP,
			Src: netip.MustParseAddr(src), Dst: netip.MustParseAddr(dst), SrcPort: sport, DstPort: dport,
		}
	}
	master := ctnetlink.FlowSpec{Family: ctnetlink.FamilyIPv4, Timeout: 3000 * time.Second, Helper: "ftp",
		Orig: tuple("10.0.7.1", "10.0.7.2", 32874, 21), Reply: tuple("10.0.7.2", "10.0.7.1", 21, 32874)}
	master.Set = master.Set.With(ctnetlink.AttrTimeout).With(ctnetlink.AttrHelp)
	return conn.Create(&master) == nil && conn.CreateExpect(&ctnetlink.ExpectSpec{
		Family: ctnetlink.FamilyIPv4, Master: master.Orig, Tuple: tuple("10.0.7.2", "10.0.7.1", 0, 51210),
		Mask: tuple("255.255.255.255", "255.255.255.255", 0, 65535), Timeout: 300 * time.Second, HasTimeout: true}) == nil
}
