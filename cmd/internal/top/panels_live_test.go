package top

import (
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/internal/testwait"
)

// TestGroupsOfTable: from the table to its groups, to the entries of one, and back.
func TestGroupsOfTable(t *testing.T) {
	s := newScene(t, 80, 16, "--by src --sort bytes", busy(4))
	for _, i := range []int{3, 1} {
		s.send(i, 1000*i, false)
		s.send(i, 100*i, true)
	}
	s.again(10 * time.Second)
	want := func(what, want string) {
		t.Helper()
		if got := strings.TrimRight(s.rows(), "\n") + "\n"; got != want {
			t.Errorf("%s:%s\nwant:%s", what, got, want)
		}
	}
	s.height = 13
	want("--by", `
  SRC       ENTRIES  PACKETS ▼BYTES  PACKETS/S  BYTES/S  SHARE
> 10.0.0.3        1        3   3.3K      0.2/s    330/s    25% ████▎
  10.0.0.1        1        3   1.2K      0.2/s    110/s    25% ████▎
  10.0.0.0        1        1    100          0        0    25% ████▎
  10.0.0.2        1        1    100          0        0    25% ████▎



  4 groups        4        8   4.7K      0.4/s    440/s   100%
`)
	s.press("down", "enter")
	want("Enter", `
  PROTO  STATE    EXPIRES  SOURCE          DESTINATION   ▼BYTES/S  BYTES
> udp    replied      20s  10.0.0.1:40001  192.0.2.53:53    110/s   1.2K
`)
	if head := ansi.Strip(strings.Join(s.head(), "\n")); !strings.Contains(head, "group: src=10.0.0.1") {
		t.Errorf("the head: %s", head)
	}
	if text, _ := s.screen(); !strings.Contains(ansi.Strip(text), "Bksp back") {
		t.Error("the foot does not say how to go back")
	}
	s.press("backspace")
	want("Backspace", `
  SRC       ENTRIES  PACKETS ▼BYTES  PACKETS/S  BYTES/S  SHARE
  10.0.0.3        1        3   3.3K      0.2/s    330/s    25% ████▎
> 10.0.0.1        1        3   1.2K      0.2/s    110/s    25% ████▎
  10.0.0.0        1        1    100          0        0    25% ████▎
  10.0.0.2        1        1    100          0        0    25% ████▎



  4 groups        4        8   4.7K      0.4/s    440/s   100%
`)
	s.press("R", ">")
	want("sorted by the rate of packets", `
  SRC       ENTRIES  PACKETS  BYTES ▼PACKETS/S  BYTES/S  SHARE
> 10.0.0.1        1        3   1.2K      0.2/s    110/s    25% ████▎
  10.0.0.3        1        3   3.3K      0.2/s    330/s    25% ████▎
  10.0.0.0        1        1    100          0        0    25% ████▎
  10.0.0.2        1        1    100          0        0    25% ████▎



  4 groups        4        8   4.7K      0.4/s    440/s   100%
`)
	s.press("F", "type:--src 10.0.0.2", "enter")
	want("a filter", `
  SRC       ENTRIES  PACKETS  BYTES ▼PACKETS/S  BYTES/S  SHARE
> 10.0.0.2        1        1    100          0        0   100% █████████████████





  1 group         1        1    100          0        0   100%
`)
	s.press("esc", "/", "type:0.3", "enter")
	want("a search", `
  SRC       ENTRIES  PACKETS  BYTES ▼PACKETS/S  BYTES/S  SHARE
> 10.0.0.3        1        3   3.3K      0.2/s    330/s   100% █████████████████





  1 group         1        3   3.3K      0.2/s    330/s   100%
`)
	s.press("esc", "/", "type:x", "enter")
	want("a search for what is not there", `
No entries have the text that was searched for.
`)
	s.press("esc", "g", "ctrl+u", "type:dst/24,proto", "enter")
	want("other keys", `
  DST/24        PROTO  ENTRIES  PACKETS  BYTES ▼PACKETS/S  BYTES/S  SHARE
> 192.0.2.0/24  udp          4        8   4.7K      0.4/s    440/s   100% ██████






  1 group                    4        8   4.7K      0.4/s    440/s   100%
`)
}

// TestGroupsWritten: all groups are written, in their order.
func TestGroupsWritten(t *testing.T) {
	s := newScene(t, 80, 10, "--by src --sort src", busy(300))
	s.again(time.Second)
	dir := t.TempDir()
	for name, want := range map[string]string{
		"a.json": `{"src":"10.0.0.255","entries":1,"packets":1,"bytes":100,"packet_rate":0,"byte_rate":0}`,
		"a.csv":  "\n10.0.0.255,1,1,100,0,0\n",
		"a.txt":  "\n10.0.0.255        1        1    100          0        0   0.3%\n",
	} {
		s.press("w")
		s.press(append(strings.Split(filepath.Join(dir, name), ""), "enter")...)
		if want := "300 groups were written to " + filepath.Join(dir, name) + "."; s.message != want {
			t.Errorf("%q, want %q", s.message, want)
		}
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil || !strings.Contains(string(b), want) {
			t.Errorf("%s, %v: %.300s", name, err, b)
		}
		if first, last := strings.Index(string(b), "10.0.0.0"), strings.Index(string(b), "10.0.1.43"); first < 0 || last < first {
			t.Errorf("%s: the order is another: %.300s", name, b)
		}
	}
	s.press("w", "type:x.nl", "enter")
	if _, err := os.Stat("x.nl"); err == nil {
		t.Error("a table file of groups was written")
	}
	if text, _, _ := s.over.draw(s.Model, 80, 10); !strings.Contains(ansi.Strip(strings.Join(text, "\n")), "A table file has entries") {
		t.Errorf("%q", text)
	}
}

// TestStatesOfTable: from the table to its states, and to the entries of one.
func TestStatesOfTable(t *testing.T) {
	s := newScene(t, 80, 14, "", busy(4))
	for _, i := range []int{3, 1} {
		s.send(i, 1000, true)
	}
	s.again(time.Second)
	s.press("3")
	want := `
> udp          4   100%
    unreplied  2    50%  ███████████████████████████▌
    replied    2    50%  ███████████████████████████▌
`
	if got := strings.TrimRight(s.rows(), "\n") + "\n"; got != want {
		t.Errorf("%s\nwant:%s", got, want)
	}
	s.press("down", "down", "enter")
	if got := s.hosts(); got != "[1] 3" || s.filterText != "-p udp -u SEEN_REPLY,!ASSURED" {
		t.Errorf("hosts %s, filter %s", got, s.filterText)
	}
	s.press("backspace")
	if p, ok := s.panel().(*states); !ok || p.scroll.cursor != 2 || s.filter != nil {
		t.Errorf("back in %s", s.panel().name())
	}
}

// happen waits until there were n events, and shows them.
func (s *scene) happen(n uint64) {
	s.t.Helper()
	var last uint64
	if !testwait.For(20*time.Second, func() bool { _, last = s.table.EventsSince(0, 0, nil); return last >= n }) {
		s.t.Fatalf("%d events of %d", last, n)
	}
	s.fresh()
}

// TestEventsOfTable: events are shown as they come, and opened.
func TestEventsOfTable(t *testing.T) {
	s := newScene(t, 90, 14, "", func(*scene) {})
	s.press("4")
	busy(3)(s)
	s.happen(3)
	spec := ctnetlink.NewFlowSpec(ctnetlink.NewTuple(ctnetlink.ProtoUDP, netip.AddrPortFrom(host(1), 40001),
		netip.MustParseAddrPort("192.0.2.53:53")))
	if err := s.conn.Delete(spec); err != nil {
		t.Fatal(err)
	}
	s.happen(4)
	p := s.panel().(*events)
	var got []string
	for _, l := range p.lines {
		name, _ := eventName(l.Type, 90)
		got = append(got, strings.TrimSpace(name)+" "+l.Flow.Orig().Src.String())
	}
	if got, want := strings.Join(got, ", "), "NEW 10.0.0.0, NEW 10.0.0.1, NEW 10.0.0.2, DESTROY 10.0.0.1"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	// What has ended is told as the event showed it.
	s.press("enter")
	text, _, _ := s.over.draw(s.Model, 90, 20)
	if got := ansi.Strip(text[0]); !strings.HasPrefix(got, "The entry was deleted by") {
		t.Errorf("%s", got)
	}
	s.press("x", "up", "up", "enter")
	text, _, _ = s.over.draw(s.Model, 90, 20)
	if got := ansi.Strip(text[0]); got != "The entry has ended. As this event showed it:" {
		t.Errorf("%s", got)
	}
	s.press("x")

	// More than an answer has are passed over, and counted.
	s.press("end", "p")
	for i := range eventsAtOnce + 50 {
		s.send(100+i, 100, false)
	}
	s.happen(4 + eventsAtOnce + 50)
	if p.more != eventsAtOnce+50 || len(p.lines) != 4 {
		t.Errorf("paused: %d more, %d lines", p.more, len(p.lines))
	}
	s.press("p")
	if n := 4 + 1 + eventsAtOnce; len(p.lines) != n || p.lines[4].passed != 50 {
		t.Errorf("%d lines, passed over: %+v", len(p.lines), p.lines[4])
	}
	s.press("/", "type:sport=40002", "enter")
	if len(p.lines) != 1 || p.lines[0].Flow.Orig().Src != host(2) {
		t.Errorf("%d events have the text", len(p.lines))
	}
}

// TestExpectsOfTable: expectations are listed.
func TestExpectsOfTable(t *testing.T) {
	s := newScene(t, 80, 14, "", func(s *scene) {
		master := ctnetlink.NewFlowSpec(ctnetlink.NewTuple(ctnetlink.ProtoTCP, netip.AddrPortFrom(host(1), 40001),
			netip.MustParseAddrPort("192.0.2.21:21")))
		master.SetTimeout(time.Hour)
		master.SetState(ctnetlink.TCPEstablished)
		master.SetHelper("ftp")
		if err := s.conn.Create(master); err != nil {
			t.Fatal(err)
		}
		all := netip.MustParseAddr("255.255.255.255")
		x := &ctnetlink.ExpectSpec{
			Family: ctnetlink.FamilyIPv4, Master: master.Orig,
			Tuple: ctnetlink.NewTuple(ctnetlink.ProtoTCP, netip.MustParseAddrPort("192.0.2.21:0"),
				netip.AddrPortFrom(host(1), 45678)),
			Mask: ctnetlink.NewTuple(ctnetlink.ProtoTCP, netip.AddrPortFrom(all, 0), netip.AddrPortFrom(all, 0xffff)),
		}
		if err := s.conn.CreateExpect(x); err != nil {
			t.Fatal(err)
		}
	})
	s.press("5")
	const want = `
  PROTO  EXPIRES  SOURCE      DESTINATION     MASTER                          HELPER
> tcp         5m  192.0.2.21  10.0.0.1:45678  10.0.0.1:40001 > 192.0.2.21:21  ftp
`
	s.width = 100
	if got := s.rows(); got != want {
		t.Errorf("%s\nwant:%s", got, want)
	}
	s.press("/", "type:nowhere", "enter")
	if got := s.rows(); got != "\nNo expectations have the text that was searched for.\n" {
		t.Errorf("%s", got)
	}
}
