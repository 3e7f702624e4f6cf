package top

import (
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
)

func plainText(s string) string { return ansi.Strip(s) }

// crashingPanel panics where it is told to.
type crashingPanel struct {
	emptyPanel
	in string
}

func (p *crashingPanel) key(_ *Model, k tea.KeyPressMsg) (tea.Cmd, bool) {
	boom := func() tea.Msg { panic("\x1b[2Jboom") }
	switch p.in = k.String(); p.in {
	case "u":
		panic("boom")
	case "c":
		return boom, true
	case "b":
		return tea.Batch(nil, boom, func() tea.Msg { return nil }, tea.Batch(boom, boom)), true
	case "s":
		return tea.Sequence(func() tea.Msg { return nil }, tea.Sequence(boom, boom)), true
	}
	return nil, p.in == "d"
}

func (p *crashingPanel) draw(*Model, int, int) []string {
	if p.in == "d" {
		panic("boom")
	}
	return []string{"all is well"}
}

// A panic, wherever it is, ends the program, and is kept for the message.
func TestCrash(t *testing.T) {
	for _, where := range []string{"u", "c", "b", "s", "d"} {
		m := testModel(80, 24, styles{})
		m.panels[0] = &crashingPanel{}
		ended := make(chan bool, 10)
		g := &guarded{Model: m, end: func() { ended <- true }}
		var run func(tea.Cmd)
		run = func(cmd tea.Cmd) {
			if cmd == nil {
				return
			}
			switch msg := cmd().(type) {
			case tea.BatchMsg:
				for _, c := range msg {
					run(c)
				}
			case tea.QuitMsg:
				ended <- true
			case nil:
			default:
				if cmds, ok := sequence(msg); ok {
					for _, c := range cmds {
						run(c)
					}
					return
				}
				_, cmd := g.Update(msg)
				run(cmd)
			}
		}
		if v := g.View(); !strings.Contains(v.Content, "all is well") {
			t.Fatalf("view %q", v.Content)
		}
		_, cmd := g.Update(press(where))
		run(cmd)
		v := g.View()
		if g.crash == nil || !strings.Contains(g.crash.Error(), "boom") || !strings.Contains(g.crash.Error(), "crash_test.go") {
			t.Errorf("%s: the panic was not kept: %v", where, g.crash)
		}
		if len(ended) == 0 {
			t.Errorf("%s: the program goes on", where)
		}
		if !strings.Contains(v.Content, "all is well") {
			t.Errorf("%s: not the last view: %q", where, v.Content)
		}
	}
}
