package top

import (
	"flag"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/cmd/internal/live"
	"github.com/gonntrack/gonntrack/ctnetlink"
)

var updateGolden = flag.Bool("update", false, "write the screens in testdata instead of comparing with them")

// checkGolden compares a screen with a file of testdata. The lines of the file end
// where their text does; the escape character is written as \e.
func checkGolden(t *testing.T, name, text string) {
	t.Helper()
	var b strings.Builder
	for line := range strings.SplitSeq(text, "\n") {
		b.WriteString(strings.ReplaceAll(strings.TrimRight(line, " "), "\x1b", `\e`) + "\n")
	}
	path := filepath.Join("testdata", name+".txt")
	if *updateGolden {
		if err := os.WriteFile(path, []byte(b.String()), 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := b.String(); got != string(want) {
		t.Errorf("%s: the screen is\n%s\nwant\n%s(go test -update writes it)", path, got, want)
	}
}

// traffic makes entries of several kinds, and packets of some of them.
func traffic(s *scene) {
	busy(40)(s)
	create := func(p ctnetlink.Protocol, src, dst string, set func(*ctnetlink.FlowSpec)) {
		tuple := ctnetlink.NewTuple(p, netip.MustParseAddrPort(src), netip.MustParseAddrPort(dst))
		en := ctnetlink.NewFlowSpec(tuple)
		en.Reply = tuple.Reverse()
		en.SetTimeout(time.Hour)
		set(en)
		if err := s.conn.Create(en); err != nil {
			s.t.Fatal(err)
		}
	}
	for i, state := range []ctnetlink.State{ctnetlink.TCPEstablished, ctnetlink.TCPTimeWait, ctnetlink.TCPSynSent} {
		create(ctnetlink.ProtoTCP, fmt.Sprintf("[2001:db8:1:2:3:4:5:%x]:5%04d", i, i), "[2001:db8::443]:443",
			func(en *ctnetlink.FlowSpec) {
				en.SetState(state)
				en.SetMark(uint32(i), 0)
			})
	}
	create(ctnetlink.ProtoTCP, "10.0.9.9:55555", "203.0.113.80:80", func(en *ctnetlink.FlowSpec) {
		en.SetState(ctnetlink.TCPEstablished)
		en.SetStatus(ctnetlink.StatusAssured | ctnetlink.StatusSeenReply)
		en.SetSrcNAT(ctnetlink.NAT{MinAddr: netip.MustParseAddr("198.51.100.1")})
	})
}

// goldenScene returns a screen over a table that was read twice.
func goldenScene(t *testing.T, width, height int, line string) *scene {
	s := newScene(t, width, height, line, traffic)
	for i := range 12 {
		s.send(i, 100+97*i, false)
		s.send(i, 100+31*i, true)
	}
	s.again(10 * time.Second)
	return s
}

// shown returns the screen with a status that is not that of the table, because what
// happened in a second is different every time.
func (s *scene) shown(style styles, st live.Status) string {
	s.style = style
	real := s.table.Status()
	if st.Total == 0 {
		st.Total, st.Entries = real.Total, real.Entries
	}
	var points []live.Point
	for i := range 200 {
		at := s.clock().Add(time.Duration(i-199) * time.Second)
		points = append(points, live.Point{Time: at, Entries: i * (300 - i), Births: float64(i % 50 * i)})
	}
	s.Update(statusMsg{st, points})
	text, _ := s.screen()
	return text
}

// quiet is the status of a table in which all is well.
func (s *scene) quiet() live.Status {
	st := statuses["quiet"]
	st.Complete, st.Total = s.clock().Add(-400*time.Millisecond), 0
	return st
}

// The screens at all sizes, with colours and without, and without UTF-8.
func TestGoldenSizes(t *testing.T) {
	for _, size := range [][2]int{{40, 10}, {80, 24}, {120, 40}, {200, 50}, {300, 100}} {
		s := goldenScene(t, size[0], size[1], "")
		s.press("down", "down", "space", "down")
		st := s.quiet()
		st.Marked = 1
		for _, c := range []struct {
			name  string
			style styles
		}{{"", styles{utf8: true}}, {"-color", styles{utf8: true, color: true}}, {"-ascii", styles{}}} {
			checkGolden(t, fmt.Sprintf("entries-%dx%d%s", size[0], size[1], c.name), s.shown(c.style, st))
		}
	}
}

// The other views, and what lies over them.
func TestGoldenViews(t *testing.T) {
	for _, c := range []struct{ name, line, keys string }{
		{"groups", "--by dst,dport", "2"},
		{"states", "", "3"},
		{"expectations", "", "5"},
		{"help", "", "?"},
		{"filter", "", "F type:-s 10.0.0.0/30"},
		{"filter-wrong", "", "F type:--dport x"},
		{"search", "", "/ type:198.51"},
		{"interval", "", "i type:0"},
		{"frozen", "", "f"},
		{"nothing", "", "F type:-p sctp enter"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := goldenScene(t, 80, 24, c.line)
			s.press(keysOf(c.keys)...)
			checkGolden(t, c.name, s.shown(styles{utf8: true}, s.quiet()))
		})
	}
}

// keysOf returns the keys of a text: those that are typed can have blanks.
func keysOf(text string) []string {
	before, typed, ok := strings.Cut(text, "type:")
	keys := strings.Fields(before)
	if ok {
		last, enter := strings.CutSuffix(typed, " enter")
		keys = append(keys, "type:"+last)
		if enter {
			keys = append(keys, "enter")
		}
	}
	return keys
}

// The states of the table that people should know of.
func TestGoldenStatuses(t *testing.T) {
	s := goldenScene(t, 80, 24, "")
	for _, name := range []string{"reading", "busy", "full", "no rights", "gone"} {
		st := statuses[name]
		if !st.Complete.IsZero() {
			st.Complete = s.clock().Add(st.Complete.Sub(testTime))
		}
		for _, style := range []styles{{utf8: true}, {utf8: true, color: true}} {
			file := "status-" + strings.ReplaceAll(name, " ", "-")
			if style.color {
				file += "-color"
			}
			checkGolden(t, file, s.shown(style, st))
		}
	}
}
