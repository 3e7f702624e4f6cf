package top

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/gonntrack/gonntrack/cmd/internal/live"
	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/format"
	"github.com/gonntrack/gonntrack/internal/testwait"
)

// TestEntriesFar: keys and wheel move through all entries, and the cursor is where it
// goes before the rows are known.
func TestEntriesFar(t *testing.T) {
	const n = 20000
	s := newScene(t, 80, 11, "--sort src", busy(n)) // of which six fit
	p := s.panels[entriesPanel].(*entries)
	for _, c := range []struct {
		key  string
		want string
	}{
		{"up", "[0] 1 2 3 4 5"},
		{"pgup", "[0] 1 2 3 4 5"},
		{"j", "0 [1] 2 3 4 5"},
		{"pgdown", "6 [7] 8 9 10 11"},
		{"k", "[6] 7 8 9 10 11"},
		{"k", "[5] 6 7 8 9 10"},
		{"end", "19994 19995 19996 19997 19998 [19999]"},
		{"down", "19994 19995 19996 19997 19998 [19999]"},
		{"pgdown", "19994 19995 19996 19997 19998 [19999]"},
		{"pgup", "19988 19989 19990 19991 19992 [19993]"},
		{"ctrl+b", "19982 19983 19984 19985 19986 [19987]"},
		{"ctrl+f", "19988 19989 19990 19991 19992 [19993]"},
		{"g", "[0] 1 2 3 4 5"},
		{"G", "19994 19995 19996 19997 19998 [19999]"},
		{"home", "[0] 1 2 3 4 5"},
	} {
		_, cmd := s.Update(press(c.key))
		s.screen()
		at := p.cursor
		s.do(cmd)
		s.screen()
		if got := s.hosts(); got != c.want || p.cursor != at {
			t.Errorf("%s: %s, want %s; the cursor went to %d, then %d", c.key, got, c.want, at, p.cursor)
		}
	}
	// Faster than there are answers.
	var cmds []tea.Cmd
	for range 1000 {
		_, cmd := s.Update(press("pgdown"))
		cmds = append(cmds, cmd)
	}
	for _, cmd := range cmds {
		s.do(cmd)
	}
	if got, want := s.hosts(), "[6000] 6001 6002 6003 6004 6005"; got != want {
		t.Errorf("a thousand pages: %s, want %s", got, want)
	}
	if title := p.title(s.Model); title != "entries 6001/20000" {
		t.Errorf("the title is %q", title)
	}
	for range 3 {
		_, cmd := s.Update(tea.MouseWheelMsg{Button: tea.MouseWheelDown})
		s.do(cmd)
	}
	if got, want := s.hosts(), "[6009] 6010 6011 6012 6013 6014"; got != want {
		t.Errorf("after the wheel: %s, want %s", got, want)
	}
	_, cmd := s.Update(tea.MouseWheelMsg{Button: tea.MouseWheelUp})
	s.do(cmd)
	if got, want := s.hosts(), "6006 6007 6008 [6009] 6010 6011"; got != want {
		t.Errorf("after the wheel up: %s, want %s", got, want)
	}
}

// click clicks on a place of the panel.
func (s *scene) click(x, y int) {
	_, cmd := s.Update(tea.MouseClickMsg{Button: tea.MouseLeft, X: x, Y: s.headLines + y})
	s.do(cmd)
	s.screen()
}

// sortedBy returns the title with the arrow.
func (s *scene) sortedBy() string {
	titles := strings.Split(s.rows(), "\n")[1]
	for _, arrow := range []string{"▼", "▲"} {
		if _, after, ok := strings.Cut(titles, arrow); ok {
			return arrow + strings.Fields(after)[0]
		}
	}
	return titles
}

// TestEntriesSort: entries can be sorted by every column that is shown.
func TestEntriesSort(t *testing.T) {
	s := newScene(t, 100, 20, "", busy(4))
	s.send(2, 1000, true)
	s.again(10 * time.Second)
	for _, c := range []struct{ keys, title, hosts string }{
		{"", "▼BYTES/S", "[2] 0 1 3"},
		{"r", "▲BYTES/S", "[0] 1 3 2"},
		{"left", "▼PACKETS/S", "[2] 0 1 3"},
		{"<", "▲DESTINATION", "[0] 1 2 3"},
		{"< r", "▼SOURCE", "[3] 2 1 0"},
		{"> > > > >", "▼BYTES", "[2] 0 1 3"},
		{"> right", "▼BYTES", "[2] 0 1 3"},
		{"down left left left left left left left", "▲EXPIRES", "[0] 1 2 3"},
		{"< < < < < <", "▲PROTO", "[0] 1 2 3"},
	} {
		s.press(strings.Fields(c.keys)...)
		if got := s.sortedBy(); got != c.title || s.hosts() != c.hosts {
			t.Errorf("%s: sorted by %s, rows %s, want %s, %s", c.keys, got, s.hosts(), c.title, c.hosts)
		}
	}
	for _, c := range []struct{ title, want, hosts string }{
		{"SOURCE", "▲SOURCE", "[0] 1 2 3"},
		{"SOURCE", "▼SOURCE", "[3] 2 1 0"},
		{"BYTES/S", "▼BYTES/S", "[2] 0 1 3"},
		{"STATE", "▲STATE", "[2] 0 1 3"},
	} {
		before, _, _ := strings.Cut(strings.Split(s.rows(), "\n")[1], c.title)
		s.click(ansi.StringWidth(before)+1, 0)
		if got := s.sortedBy(); got != c.want || s.hosts() != c.hosts {
			t.Errorf("a click on %s: sorted by %s, rows %s, want %s, %s", c.title, got, s.hosts(), c.want, c.hosts)
		}
	}
}

// TestEntriesUncounted: where the kernel does not count, the newest are first, and no
// rates are shown.
func TestEntriesUncounted(t *testing.T) {
	s := newScene(t, 100, 20, "", func(s *scene) {
		for i := range 3 {
			s.send(i, 100, false)
			s.advance(time.Second)
		}
	})
	s.refresh()
	_, cmd := s.Update(statusMsg{status: live.Status{AccountingOff: true, Entries: 3, Total: 3}})
	s.do(cmd)
	if got, want := s.sortedBy(), "▼START"; got != want || s.hosts() != "[2] 1 0" {
		t.Errorf("sorted by %s, rows %s", got, s.hosts())
	}
	if text := s.rows(); strings.Contains(text, "/S") {
		t.Errorf("rates:%s", text)
	}
}

// TestEntriesClick: a click selects a row, a double click opens it.
func TestEntriesClick(t *testing.T) {
	s := newScene(t, 80, 20, "--sort src", busy(5))
	for _, c := range []struct {
		y     int
		after time.Duration
		want  string
		open  bool
	}{
		{3, time.Second, "0 1 [2] 3 4", false},
		{2, 100 * time.Millisecond, "0 [1] 2 3 4", false},
		{9, time.Second, "0 [1] 2 3 4", false},
		{4, time.Second, "0 1 2 [3] 4", false},
		{4, time.Second, "0 1 2 [3] 4", false},
		{4, 100 * time.Millisecond, "0 1 2 [3] 4", true},
	} {
		s.advance(c.after)
		s.Update(tea.MouseClickMsg{Button: tea.MouseLeft, X: 10, Y: s.headLines + c.y})
		s.screen()
		if got := s.hosts(); got != c.want || (s.over != nil) != c.open {
			t.Errorf("line %d after %s: %s, want %s; open: %t", c.y, c.after, got, c.want, s.over != nil)
		}
	}
}

// TestEntriesSelection: what is typed selects rows while it is typed, and a wrong
// filter leaves those of the last right one.
func TestEntriesSelection(t *testing.T) {
	s := newScene(t, 80, 20, "--sort src", busy(30))
	for _, c := range []struct{ key, want string }{
		{"F", "[0] 1 2 3 4 5 6 7 8 9 10"},
		{"type:-s 10.0.0.0/30", "[0] 1 2 3"},
		{"type:x", "[0] 1 2 3"},
		{"enter", "[0] 1 2 3"},
		{"backspace", "[0] 1 2 3"},
		{"backspace", "[0] 1 2 3 4 5 6 7"},
		{"down", "[0] 1 2 3 4 5 6 7"},
		{"enter", "[0] 1 2 3 4 5 6 7"},
		{"/", "[0] 1 2 3 4 5 6 7"},
		{"type:.7:", "[7]"},
		{"type:9", ""},
		{"esc", "[0] 1 2 3 4 5 6 7"},
	} {
		s.press(c.key)
		if got := s.hosts(); !strings.HasPrefix(got, c.want) || c.want == "" && got != "" {
			t.Errorf("%s: %s, want %s", c.key, got, c.want)
		}
	}
	s.press("/", "type:nothing")
	if text := s.rows(); !strings.Contains(text, "No entries have the text that was searched for.") {
		t.Errorf("nothing is found:%s", text)
	}
	s.press("esc", "down", "down", "esc")
	if got := s.hosts(); !strings.HasPrefix(got, "0 1 [2] 3 4 5 6 7 8 9") {
		t.Errorf("all again: %s", got)
	}
	s.press("f", "down")
	s.send(40, 100, false)
	if got := s.hosts(); !strings.HasPrefix(got, "0 1 2 [3] 4") || !s.frozen {
		t.Errorf("frozen: %s", got)
	}
}

// TestEntriesColumns: columns are shown on request, and no name that comes from outside
// reaches the terminal as it is.
func TestEntriesColumns(t *testing.T) {
	hostile := netip.MustParseAddr("192.0.2.53")
	s := newScene(t, 120, 30, "", func(s *scene) { s.send(1, 100, false) })
	p := s.panels[entriesPanel].(*entries)
	toggle := func(names ...string) {
		s.press("c")
		l := s.over.(*columnList)
		for _, name := range names {
			for i := range l.items {
				if l.items[i].name == name {
					s.press("home")
					for range i {
						s.press("down")
					}
					if got := l.items[l.cursor].name; got != name {
						t.Fatalf("the cursor is at %s, not at %s", got, name)
					}
					s.press("space")
				}
			}
		}
		s.press("esc")
	}
	toggle("age", "packets", "packet_rate", "nat_src", "id", "reply_byte_rate", "condition")
	want := `
  PROTO  EXPIRES  SOURCE          DESTINATION   ▼BYTES/S  BYTES  NAT SRC          ID  REPLY BYTES/S
> udp        30s  10.0.0.1:40001  192.0.2.53:53             100           2034243413
`
	id, _ := p.current().Flow.ID()
	if got := strings.ReplaceAll(s.rows(), fmt.Sprint(id), "2034243413"); got != want {
		t.Errorf("%s\nwant:%s", got, want)
	}
	toggle("services", "names")
	p.grid, s.width = nil, 200
	p.lookups.hostNames = names{hostile: "name\x1b[2J\u202e計"}
	p.lookups.serviceName = func(ctnetlink.Protocol, uint16) string { return "s\x9b1m" }
	for _, utf8 := range []bool{true, false} {
		s.style.utf8 = utf8
		text, _ := s.screen()
		escaped, wide := `s\x9b1m`, "計"
		if !utf8 {
			wide = "?"
		}
		if !strings.Contains(text, `name\x1b[2J\xe2\x80\xae`+wide+":"+escaped) || strings.Contains(text, "\x1b[2J") {
			t.Errorf("UTF-8 %t: names are not escaped:\n%q", utf8, text)
		}
	}
	s.press("c", "u", "esc")
	for _, d := range format.UsualColumns() {
		if p.choice.shown(d) == d.IsProcess() {
			t.Errorf("%s after u: shown is %t", d.Name, p.choice.shown(d))
		}
	}
	s.press("c", "home")
	for range slices.IndexFunc(s.over.(*columnList).items, func(i columnItem) bool { return i.name == "process" }) {
		s.press("down")
	}
	s.press("enter")
	if !s.failed || s.message != errNoProcesses.Error() || p.choice.wantsProcesses() {
		t.Errorf("the processes of a table that has none: %q", s.message)
	}
}

// names are names of hosts that are known.
type names map[netip.Addr]string

func (names) Want(netip.Addr)            {}
func (names) Wait()                      { panic("a screen does not wait") }
func (n names) Name(a netip.Addr) string { return n[a] }

// TestEntriesSizes: rows and the list of columns fit every size, with what is too wide
// for any of them.
func TestEntriesSizes(t *testing.T) {
	s := newScene(t, 80, 20, "--columns source,dst,labels,start,status,destination", busy(40))
	p := s.panels[entriesPanel].(*entries)
	p.lookups.hosts = true
	p.lookups.hostNames = names{netip.MustParseAddr("192.0.2.53"): strings.Repeat("計x", 100), host(3): strings.Repeat(" ", 400)}
	s.press("down", "down", "space", "end")
	for _, columns := range []bool{false, true} {
		if columns {
			s.press("c", "down", "down", "end")
		}
		for i, style := range []styles{{}, {utf8: true}, {color: true, utf8: true}} {
			s.style = style
			for k, width := range []int{40, 55, 56, 58, 59, 80, 132, 300} {
				for l, height := range []int{10, 11, 14, 24, 100} {
					if testwait.Race && (i+k+l)%3 != 0 { // each width and each height in each style nevertheless
						continue
					}
					s.width, s.height = width, height
					s.fresh()
					text, _ := s.screen()
					for i, line := range strings.Split(text, "\n") {
						plain := ansi.Strip(line)
						if n := ansi.StringWidth(plain); n > width || i >= height || strings.ContainsAny(plain, "\x1b\r\t\x00") {
							t.Errorf("%d x %d: line %d has %d columns: %q", width, height, i, n, line)
						}
						if !style.utf8 && strings.ContainsFunc(line, func(r rune) bool { return r > '~' }) {
							t.Errorf("%d x %d: not ASCII: %q", width, height, line)
						}
					}
					if !columns && (p.cursor < p.top || p.cursor >= p.top+p.lines || p.row(p.cursor) == nil) {
						t.Errorf("%d x %d: the cursor is at %d, the screen begins at %d", width, height, p.cursor, p.top)
					}
				}
			}
		}
	}
}

// BenchmarkEntriesView draws the largest screen.
func BenchmarkEntriesView(b *testing.B) {
	s := newScene(b, 300, 100, "", busy(1000))
	s.style.color = true
	for b.Loop() {
		s.screen()
	}
}
