package top

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/cmd/internal/live"
	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/ctnetlink/engine"
	"github.com/gonntrack/gonntrack/filter"
)

// someFlows returns entries of UDP between addresses of all lengths.
func someFlows(t *testing.T) (flows []*ctnetlink.Flow) {
	t.Helper()
	kernel := engine.New(engine.Options{Now: func() time.Time { return time.Unix(1_700_000_000, 0) }})
	conn := ctnetlink.NewConn(kernel.Dial)
	defer conn.Close()
	for _, a := range []string{"10.0.0.1:1000", "[2001:db8:1234:5678:9abc:def0:1234:5678]:65535", "192.168.100.200:54321"} {
		src, dst := netip.MustParseAddrPort(a), netip.MustParseAddrPort("192.0.2.1:53")
		if src.Addr().Is6() {
			dst = netip.MustParseAddrPort("[2001:db8::53]:53")
		}
		en := ctnetlink.NewFlowSpec(ctnetlink.NewTuple(ctnetlink.ProtoUDP, src, dst))
		en.SetTimeout(time.Minute)
		if err := conn.Create(en); err != nil {
			t.Fatal(err)
		}
	}
	for f, err := range conn.Dump(nil) {
		if err != nil {
			t.Fatal(err)
		}
		flows = append(flows, f.Clone())
	}
	return flows
}

// eventLines returns n events with serials from first on.
func eventLines(flows []*ctnetlink.Flow, first, n int) (lines []eventLine) {
	for i := first; i < first+n; i++ {
		line := eventLine{Event: live.Event{
			Serial: uint64(i), Time: time.Unix(1_700_000_000+int64(i), 123456789), Flow: flows[i%len(flows)],
			Type: []ctnetlink.EventType{ctnetlink.EventNew, ctnetlink.EventUpdate, ctnetlink.EventDestroy}[i%3],
		}}
		if i%3 == 2 {
			line.PortID, line.program = uint32(i), "con\x1btrack"
		}
		if i%3 == 1 {
			line.PortID = 1234567890
		}
		lines = append(lines, line)
	}
	return lines
}

func TestEvents(t *testing.T) {
	flows := someFlows(t)
	for _, c := range []struct {
		name         string
		utf8         bool
		width, lines int
		want         string
	}{
		{"the smallest screen", false, 40, 8, `
       SOURCE            DESTINATION
  UPD  [200~5678]:65535  [2001~8::53]:53
  DES  192.1~.200:54321  192.0.2.1:53
  997 events were passed over
  UPD  [200~5678]:65535  [2001~8::53]:53
> DES  192.1~.200:54321  192.0.2.1:53

  1001 events so far
`},
		{"80", true, 80, 8, `
  TIME      EVENT    PROTO  SOURCE           DESTINATION      BY
  22:13:21  UPDATE   udp    [200…678]:65535  [2001…8::53]:53  port id 1234567890
  22:13:22  DESTROY  udp    192.….200:54321  192.0.2.1:53     con\x1btrack
  997 events were passed over
  22:30:00  UPDATE   udp    [200…678]:65535  [2001…8::53]:53  port id 1234567890
> 22:30:01  DESTROY  udp    192.….200:54321  192.0.2.1:53     con\x1btrack

  1001 events so far
`},
		{"120", true, 120, 7, `
  TIME          EVENT    PROTO  STATE      EXPIRES  SOURCE                         DESTINATION        BY
  22:13:21.123  UPDATE   udp    unreplied       1m  [2001:db8:1…:1234:5678]:65535  [2001:db8::53]:53  port id 1234567890
  22:13:22.123  DESTROY  udp    unreplied       1m  192.168.100.200:54321          192.0.2.1:53       con\x1btrack
  997 events were passed over
  22:30:00.123  UPDATE   udp    unreplied       1m  [2001:db8:1…:1234:5678]:65535  [2001:db8::53]:53  port id 1234567890
> 22:30:01.123  DESTROY  udp    unreplied       1m  192.168.100.200:54321          192.0.2.1:53       con\x1btrack
  1001 events so far
`},
		{"few lines", true, 80, 3, `
  TIME      EVENT    PROTO  STATE      SOURCE         DESTINATION   BY
> 22:30:01  DESTROY  udp    unreplied  192…200:54321  192.0.2.1:53  con\x1btrack
  1001 events so far
`},
	} {
		m := panelModel(t, styles{utf8: c.utf8}, eventsPanel)
		p := m.panel().(*events)
		p.answer(m, eventsMsg{lines: eventLines(flows, 1, 2), last: 2})
		p.answer(m, eventsMsg{after: 2, lines: eventLines(flows, 1000, 2), last: 1001})
		t.Run(c.name, func(t *testing.T) { checkPanel(t, m, c.width, c.lines, c.want) })
	}
	m := panelModel(t, styles{color: true}, eventsPanel)
	p := m.panel().(*events)
	p.answer(m, eventsMsg{lines: eventLines(flows, 1, 2), last: 2})
	p.answer(m, eventsMsg{after: 2, lines: eventLines(flows, 1000, 20), last: 1019})
	checkSizes(t, m)
	m.status.EventsOff = "net.netfilter.nf_conntrack_events is 0\x1b"
	checkSizes(t, m)
	if text := panelText(m, 80, 5); !strings.Contains(text, `There are no events: net.netfilter.nf_conntrack_events is 0\x1b`) {
		t.Errorf("events are off: %s", text)
	}
}

// TestEventsPause: p keeps the events, and counts those that come meanwhile.
func TestEventsPause(t *testing.T) {
	flows := someFlows(t)
	m := panelModel(t, styles{}, eventsPanel)
	p := m.panel().(*events)
	p.answer(m, eventsMsg{lines: eventLines(flows, 1, 10), last: 10})
	foot := func() string {
		lines := strings.Split(strings.TrimSpace(panelText(m, 80, 6)), "\n")
		return strings.TrimSpace(lines[len(lines)-1])
	}
	if got, want := foot(), "10 events so far"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	pressAll(m, "p")
	p.answer(m, eventsMsg{after: 10, last: 1244})
	if got, want := foot(), "paused: 1234 more"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if len(p.lines) != 10 {
		t.Errorf("%d lines while it is paused", len(p.lines))
	}
	pressAll(m, "p")
	p.answer(m, eventsMsg{after: 10, lines: eventLines(flows, 1245-eventsAtOnce, eventsAtOnce), last: 1244, full: true})
	if n := 10 + 1 + eventsAtOnce; len(p.lines) != n || p.lines[10].passed != 1234-eventsAtOnce {
		t.Errorf("%d lines, %d passed over", len(p.lines), p.lines[10].passed)
	}
	// An answer to a question from before is of no use.
	p.answer(m, eventsMsg{after: 10, lines: eventLines(flows, 11, 1), last: 11})
	if p.last != 1244 {
		t.Errorf("the last event is %d", p.last)
	}
}

// TestEventsFollow: the cursor stays on the newest event, unless it was moved to
// another one.
func TestEventsFollow(t *testing.T) {
	flows := someFlows(t)
	m := panelModel(t, styles{}, eventsPanel)
	p := m.panel().(*events)
	serial := 1
	more := func(n int) {
		p.answer(m, eventsMsg{after: uint64(serial - 1), lines: eventLines(flows, serial, n), last: uint64(serial + n - 1)})
		serial += n
		p.draw(m, 80, 12)
	}
	at := func(want int) {
		t.Helper()
		if got := p.lines[p.scroll.cursor].Serial; got != uint64(want) {
			t.Errorf("the cursor is on event %d, want %d", got, want)
		}
	}
	more(5)
	at(5)
	more(100)
	at(105)
	pressAll(m, "pgup")
	at(95)
	more(50)
	at(95)
	for range eventsKept / 100 {
		more(100)
	}
	if len(p.lines) != eventsKept {
		t.Errorf("%d events are kept", len(p.lines))
	}
	at(serial - eventsKept) // 95 is no longer kept
	pressAll(m, "end")
	at(serial - 1)
	more(1)
	at(serial - 1)
	p.wheel(m, -1)
	at(serial - 4) // the last that is still to be seen
	p.click(m, 0, 1)
	more(1)
	at(serial - 14)
}

// TestEventsFilter: another filter or search begins anew, and what cannot be known is
// not claimed.
func TestEventsFilter(t *testing.T) {
	flows := someFlows(t)
	m := panelModel(t, styles{}, eventsPanel)
	p := m.panel().(*events)
	p.answer(m, eventsMsg{lines: eventLines(flows, 1, 10), last: 10})
	m.filter, m.filterText = new(filter.Filter), "-p udp"
	p.ask(t.Context(), m, 80, 20)
	if len(p.lines) != 0 || p.last != 0 {
		t.Errorf("%d lines after another filter", len(p.lines))
	}
	if text := panelText(m, 80, 4); !strings.Contains(text, "No events match so far.") {
		t.Errorf("nothing matches: %s", text)
	}
	p.answer(m, eventsMsg{filter: m.filter, lines: eventLines(flows, 8, 1), last: 10})
	p.answer(m, eventsMsg{filter: m.filter, after: 10, lines: eventLines(flows, 500, 1), last: 500})
	if len(p.lines) != 2 {
		t.Errorf("%d lines: events that do not match were not passed over", len(p.lines))
	}
	p.answer(m, eventsMsg{filter: m.filter, after: 500, lines: eventLines(flows, 801, 200), last: 1000, full: true})
	if text := passedText(&p.lines[2], 80); text != "of 300 events only the latest that match are shown" {
		t.Errorf("%q", text)
	}
	pressAll(m, "p")
	p.answer(m, eventsMsg{filter: m.filter, after: 1000, last: 1002})
	if text := panelText(m, 80, 4); !strings.Contains(text, "paused: up to 2 more") {
		t.Errorf("paused: %s", text)
	}
	var found []live.Event
	for _, l := range eventLines(flows, 1, 6) {
		found = append(found, l.Event)
	}
	for _, text := range []string{"192.168.100.200", "SPORT=54321"} {
		if n := len(searchEvents(append([]live.Event(nil), found...), text)); n != 2 {
			t.Errorf("%d events have %s", n, text)
		}
	}
}
