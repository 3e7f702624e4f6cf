package top

import (
	"testing"

	"github.com/gonntrack/gonntrack/cmd/internal/live"
	"github.com/gonntrack/gonntrack/ctnetlink"
)

// someStates is an answer.
func someStates() statesMsg {
	count := func(p ctnetlink.Protocol, state string, n int) live.StateCount {
		return live.StateCount{Proto: p, State: state, Entries: n}
	}
	return statesMsg{counts: []live.StateCount{
		count(ctnetlink.ProtoTCP, "SYN_SENT", 12), count(ctnetlink.ProtoTCP, "ESTABLISHED", 1234),
		count(ctnetlink.ProtoTCP, "TIME_WAIT", 420),
		count(ctnetlink.ProtoUDP, "unreplied", 30), count(ctnetlink.ProtoUDP, "assured", 1),
		count(99, "replied", 3),
	}}
}

func TestStates(t *testing.T) {
	for _, c := range []struct {
		name         string
		utf8         bool
		width, lines int
		want         string
	}{
		{"the smallest screen", false, 40, 12, `
> tcp            1666    98%
    SYN_SENT       12   0.7%  #
    ESTABLISHED  1234    74%  #######
    TIME_WAIT     420    25%  ###
  udp              31   1.8%
    unreplied      30    96%  ##########
    assured         1   3.2%  #
  99                3   0.2%
    replied         3   100%  ##########
`},
		{"80", true, 80, 12, `
> tcp            1666    98%
    SYN_SENT       12   0.7%  ▍
    ESTABLISHED  1234    74%  █████████████████████████████████████
    TIME_WAIT     420    25%  ████████████▋
  udp              31   1.8%
    unreplied      30    96%  ████████████████████████████████████████████████▍
    assured         1   3.2%  █▋
  99                3   0.2%
    replied         3   100%  ██████████████████████████████████████████████████
`},
		{"few lines", true, 60, 3, `
> tcp            1666    98%
    SYN_SENT       12   0.7%  ▎
    ESTABLISHED  1234    74%  ██████████████████████▎
`},
	} {
		m := panelModel(t, styles{utf8: c.utf8}, statesPanel)
		m.panel().answer(m, someStates())
		t.Run(c.name, func(t *testing.T) { checkPanel(t, m, c.width, c.lines, c.want) })
	}
	m := panelModel(t, styles{color: true}, statesPanel)
	m.panel().answer(m, someStates())
	checkSizes(t, m)

	m.style, m.search = styles{}, "UDP A"
	m.panel().answer(m, someStates())
	checkPanel(t, m, 80, 5, `
> udp        31   1.8%
    assured   1   3.2%  ##
`)
	m.search = ""
	m.panel().answer(m, statesMsg{})
	checkPanel(t, m, 80, 5, "\nThere are no entries.\n")
	m.status.Reading = true
	checkPanel(t, m, 80, 5, "\nThe table is being read.\n")
}

// TestStatesCursor: the cursor stays on its state when others come and go.
func TestStatesCursor(t *testing.T) {
	m := panelModel(t, styles{}, statesPanel)
	p := m.panel().(*states)
	p.answer(m, someStates())
	p.draw(m, 80, 20)
	pressAll(m, "down", "down", "down")
	fewer := someStates()
	fewer.counts = fewer.counts[1:]
	p.answer(m, fewer)
	if r := p.rows[p.scroll.cursor]; r.state != "TIME_WAIT" {
		t.Errorf("the cursor is on %s", r.text())
	}
	p.click(m, 5, 1)
	if r := p.rows[p.scroll.cursor]; r.state != "ESTABLISHED" {
		t.Errorf("the cursor is on %s after a click", r.text())
	}
	p.answer(m, statesMsg{})
	pressAll(m, "enter", "down")
	if m.current != statesPanel {
		t.Error("Enter opens nothing")
	}
}

// TestStateOptions: the options of every state select what is counted under it.
func TestStateOptions(t *testing.T) {
	m := panelModel(t, styles{}, statesPanel)
	for proto := range ctnetlink.Protocol(140) {
		states := append([]string{"", "unreplied", "replied", "assured"}, proto.StateNames()...)
		if proto.StateNames() != nil {
			states = append(states[:1], proto.StateNames()...)
		}
		for _, state := range states {
			r := stateRow{proto: proto, state: state}
			if proto == 0 {
				continue // no entry has it
			}
			if _, err := m.parseFilter(r.options()); err != nil {
				t.Errorf("%s: %v", r.options(), err)
			}
		}
	}
}

// TestDrillState: Enter sets the filter of the state, and Backspace takes it away.
func TestDrillState(t *testing.T) {
	for _, c := range []struct{ typed, key, want string }{
		{"", "", "-p tcp"},
		{"", "down", "-p tcp --state SYN_SENT"},
		{"-s 10.0.0.0/8", "down", "-s 10.0.0.0/8 -p tcp --state SYN_SENT"},
		{"-p tcp,udp -s 10.0.0.0/8", "", "-p tcp"}, // -p takes one list
	} {
		m := panelModel(t, styles{}, statesPanel)
		p := m.panel().(*states)
		p.answer(m, someStates())
		if err := m.setFilter(c.typed); err != nil {
			t.Fatal(err)
		}
		if c.key != "" {
			pressAll(m, c.key)
		}
		pressAll(m, "enter")
		if m.current != entriesPanel || m.filterText != c.want || m.filter == nil {
			t.Errorf("%q, Enter: view %d, filter %q", c.typed, m.current, m.filterText)
		}
		pressAll(m, "backspace")
		if m.current != statesPanel || m.filterText != c.typed {
			t.Errorf("%q, Backspace: view %d, filter %q", c.typed, m.current, m.filterText)
		}
		pressAll(m, "enter", "3")
		if m.current != statesPanel || m.filterText != c.typed {
			t.Errorf("%q, 3: view %d, filter %q", c.typed, m.current, m.filterText)
		}
		pressAll(m, "enter")
		if err := m.setFilter("-p udp"); err != nil { // typed over it
			t.Fatal(err)
		}
		pressAll(m, "esc")
		if m.current != statesPanel || m.filterText != "-p udp" {
			t.Errorf("%q, Esc: view %d, filter %q", c.typed, m.current, m.filterText)
		}
	}
}
