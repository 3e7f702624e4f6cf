package top

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/gonntrack/gonntrack/cmd/internal/console"
	"github.com/gonntrack/gonntrack/cmd/internal/live"
	"github.com/gonntrack/gonntrack/cmd/internal/target"
	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/ctnetlink/engine"
	"github.com/gonntrack/gonntrack/internal/packets"
	"github.com/gonntrack/gonntrack/internal/testwait"
)

// scene is a screen over a copy of an engine's table, which changes when a test says so.
type scene struct {
	*Model
	t      testing.TB
	kernel *engine.Table
	conn   *ctnetlink.Conn
	table  *live.Table

	mu  sync.Mutex
	now time.Time
}

func (s *scene) clock() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

func (s *scene) advance(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = s.now.Add(d)
}

// newScene returns a screen of a size for a command line. make makes entries, before
// the table is read for the first time.
func newScene(t testing.TB, width, height int, line string, make func(s *scene)) *scene {
	t.Helper()
	s := &scene{t: t, now: time.Unix(1_700_000_000, 0)}
	s.kernel = engine.New(engine.Options{Now: s.clock, Max: -1, Accounting: true, Timestamps: true, Seed: 1})
	s.conn = ctnetlink.NewConn(s.kernel.Dial)
	t.Cleanup(func() { s.conn.Close() })
	make(s)
	fed := ctnetlink.NewConn(s.kernel.Dial)
	t.Cleanup(func() { fed.Close() })
	s.table = live.New([]live.Source{{Conn: fed, Now: s.clock}}, live.Options{Interval: time.Hour, Share: 1})
	ctx, cancel := context.WithCancel(context.Background())
	done := startRun(s.table, ctx)
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	s.wait("the first reading", func(st *live.Status) bool { return !st.Reading && !st.Complete.IsZero() })
	o, err := parse(strings.Fields(line), console.NewMessages(discard{}))
	if err != nil {
		t.Fatal(err)
	}
	s.Model = newModel(s.table, o, nil, styles{utf8: true})
	s.Model.now, s.tables = s.clock, []*target.Table{target.InMemory(s.kernel.Dial, s.clock)}
	s.width, s.height = width, height
	s.fresh()
	return s
}

func startRun(table *live.Table, ctx context.Context) <-chan error {
	done := make(chan error, 1)
	go func() { done <- table.Run(ctx) }()
	return done
}

type discard struct{}

func (discard) Write(b []byte) (int, error) { return len(b), nil }

func (s *scene) wait(what string, ok func(*live.Status) bool) {
	s.t.Helper()
	var st live.Status
	if !testwait.For(20*time.Second, func() bool { st = s.table.Status(); return ok(&st) }) {
		s.t.Fatalf("%s: the status is %+v", what, st)
	}
}

// again has the table read again, some time after the last reading.
func (s *scene) again(after time.Duration) {
	s.t.Helper()
	before := s.table.Status().Complete
	s.advance(after)
	s.table.SetInterval(time.Millisecond)
	s.wait("another reading", func(st *live.Status) bool { return st.Complete.After(before) })
	s.table.SetInterval(time.Hour)
	s.fresh()
}

// host returns address number i.
func host(i int) netip.Addr { return netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}) }

// send sends a datagram of a size from host i to a server, or back.
func (s *scene) send(i, size int, reply bool) {
	src, dst := netip.AddrPortFrom(host(i), uint16(40000+i)), netip.MustParseAddrPort("192.0.2.53:53")
	if reply {
		src, dst = dst, src
	}
	p := packets.UDP{Src: src, Dst: dst, Data: make([]byte, size-28)}
	if v := s.kernel.Track(&engine.Packet{Data: p.Bytes(), Time: s.clock()}); !v.Confirmed {
		s.t.Fatalf("datagram of host %d: %v", i, v.State)
	}
}

// do executes commands, those that they lead to as well, and gives their messages to
// the model. Ticks are left out: tests move the clock.
func (s *scene) do(cmd tea.Cmd) {
	if cmd == nil {
		return
	}
	switch msg := cmd().(type) {
	case nil:
	case tea.BatchMsg:
		for _, c := range msg {
			s.do(c)
		}
	default:
		_, next := s.Update(msg)
		s.do(next)
	}
}

// fresh asks for the status and the rows.
func (s *scene) fresh() {
	s.t.Helper()
	s.refresh()
	_, cmd := s.Update(statusMsg{status: s.table.Status()})
	s.do(cmd)
	s.screen()
}

// press gives keys to the model, with the answers to what they ask for.
func (s *scene) press(keys ...string) {
	for _, k := range keys {
		list := []string{k}
		if text, ok := strings.CutPrefix(k, "type:"); ok {
			list = strings.Split(text, "")
		}
		for _, k := range list {
			_, cmd := s.Update(press(k))
			s.screen() // with the old rows
			s.do(cmd)
			s.screen()
		}
	}
}

// rows returns the lines of the panel, without colours and blanks at their ends.
func (s *scene) rows() string {
	_, lines := s.panelSize()
	var b strings.Builder
	for _, line := range s.panel().draw(s.Model, s.width, lines) {
		if n := ansi.StringWidth(line); n > s.width {
			s.t.Errorf("%d columns: %q", n, line)
		}
		b.WriteString("\n" + strings.TrimRight(ansi.Strip(line), " "))
	}
	return b.String() + "\n"
}

// hosts returns the hosts of the rows on the screen, the one at the cursor in brackets.
func (s *scene) hosts() string {
	p := s.panel().(*entries)
	var list []string
	for place := p.top; place < p.top+p.lines; place++ {
		row := p.row(place)
		if row == nil {
			continue
		}
		a := row.Flow.Orig().Src.As4()
		text := fmt.Sprint(int(a[2])<<8 | int(a[3]))
		if row.Marked {
			text += "*"
		}
		if place == p.cursor {
			text = "[" + text + "]"
		}
		list = append(list, text)
	}
	return strings.Join(list, " ")
}

// busy makes n entries of hosts 0 to n-1.
func busy(n int) func(s *scene) {
	return func(s *scene) {
		for i := range n {
			s.send(i, 100, false)
		}
	}
}

// TestEntries holds the rows at several widths.
func TestEntries(t *testing.T) {
	s := newScene(t, 80, 14, "", busy(5))
	for _, i := range []int{3, 1} {
		s.send(i, 1000*i, false)
		s.send(i, 100*i, true)
	}
	s.again(10 * time.Second)
	for _, c := range []struct {
		width int
		keys  string
		want  string
	}{
		{80, "", `
  PROTO  STATE      EXPIRES  SOURCE          DESTINATION   ▼BYTES/S  BYTES
> udp    replied        20s  10.0.0.3:40003  192.0.2.53:53    330/s   3.3K
  udp    replied        20s  10.0.0.1:40001  192.0.2.53:53    110/s   1.2K
  udp    unreplied      20s  10.0.0.0:40000  192.0.2.53:53        0    100
  udp    unreplied      20s  10.0.0.2:40002  192.0.2.53:53        0    100
  udp    unreplied      20s  10.0.0.4:40004  192.0.2.53:53        0    100
`},
		{40, "", `
  SOURCE          DESTINATION   ▼BYTES/S
> 10.0.0.3:40003  192.0.2.53:53    330/s
  10.0.0.1:40001  192.0.2.53:53    110/s
  10.0.0.0:40000  192.0.2.53:53        0
  10.0.0.2:40002  192.0.2.53:53        0
  10.0.0.4:40004  192.0.2.53:53        0
`},
		{300, "down space down", `
  PROTO  STATE      EXPIRES  AGE  SOURCE          DESTINATION    PACKETS/S ▼BYTES/S  PACKETS  BYTES
  udp    replied        20s  10s  10.0.0.3:40003  192.0.2.53:53      0.2/s    330/s        3   3.3K
 *udp    replied        20s  10s  10.0.0.1:40001  192.0.2.53:53      0.2/s    110/s        3   1.2K
  udp    unreplied      20s  10s  10.0.0.0:40000  192.0.2.53:53          0        0        1    100
> udp    unreplied      20s  10s  10.0.0.2:40002  192.0.2.53:53          0        0        1    100
  udp    unreplied      20s  10s  10.0.0.4:40004  192.0.2.53:53          0        0        1    100
`},
		{60, "space left left", `
  PROTO  STATE     ▲SOURCE          DESTINATION    BYTES/S
> udp    unreplied  10.0.0.0:40000  192.0.2.53:53        0
 *udp    replied    10.0.0.1:40001  192.0.2.53:53    110/s
 *udp    unreplied  10.0.0.2:40002  192.0.2.53:53        0
  udp    replied    10.0.0.3:40003  192.0.2.53:53    330/s
  udp    unreplied  10.0.0.4:40004  192.0.2.53:53        0
`},
	} {
		s.width = c.width
		s.fresh()
		s.press(strings.Fields(c.keys)...)
		if got := s.rows(); got != c.want {
			t.Errorf("%d columns, %s:%s\nwant:%s", c.width, c.keys, got, c.want)
		}
	}
}

// TestEntriesCursor: the cursor stays on its entry while the rows move, except at the
// top, where it stays at the top; and stays where it is when its entry ends.
func TestEntriesCursor(t *testing.T) {
	s := newScene(t, 80, 11, "--sort bytes", busy(9)) // of which six fit
	check := func(what, want string) {
		t.Helper()
		if got := s.hosts(); got != want {
			t.Errorf("%s: %s, want %s", what, got, want)
		}
	}
	check("at first", "[0] 1 2 3 4 5")
	s.send(4, 200, false)
	s.again(time.Second)
	check("at the top", "[4] 0 1 2 3 5")
	s.press("down", "down")
	check("two lines down", "4 0 [1] 2 3 5")
	s.send(3, 300, false)
	s.send(6, 300, false)
	s.again(time.Second)
	check("others pass by", "3 6 4 0 [1] 2")
	for i := range 9 {
		if i != 1 {
			s.send(i, 1000, false)
		}
	}
	s.again(time.Second)
	check("the screen follows", "0 2 5 7 8 [1]")
	s.press("up", "end")
	check("the end", "0 2 5 7 8 [1]")
	s.press("home")
	check("back at the top", "[3] 6 4 0 2 5")
	s.press("down")
	spec := ctnetlink.NewFlowSpec(ctnetlink.Tuple{
		Has: ctnetlink.FieldAddrs | ctnetlink.FieldProto | ctnetlink.FieldPorts, Proto: ctnetlink.ProtoUDP,
		Src: host(6), SrcPort: 40006, Dst: netip.MustParseAddr("192.0.2.53"), DstPort: 53,
	})
	if err := s.conn.Delete(spec); err != nil {
		t.Fatal(err)
	}
	s.again(time.Second)
	check("its entry has ended", "3 [4] 0 2 5 7")
	s.send(2, 2000, false)
	s.send(5, 2000, false)
	s.again(time.Second)
	check("it stays on the next", "2 5 3 [4] 0 7")
}
