package top

import (
	"slices"
	"time"

	tea "charm.land/bubbletea/v2"
)

// globalHints are the keys that have a meaning in all views, the most important
// first.
var globalHints = []hint{
	{"?", "help"}, {"q", "quit"}, {"/", "search"}, {"F", "filter"}, {"1-5 Tab", "view"}, {"f", "freeze"},
	{"+ -", "interval"}, {"i", "set interval"},
	{"M", "mouse on or off"}, {"^L", "draw again"}, {"^Z", "suspend"},
}

// key takes a key: what lies over the panel takes all of them, then the panel, then
// those that have a meaning in all views.
func (m *Model) key(k tea.KeyPressMsg) tea.Cmd {
	m.message = ""
	switch k.String() {
	case "ctrl+c":
		return m.quit()
	case "ctrl+z":
		return suspend
	case "ctrl+l":
		return tea.ClearScreen
	}
	if m.over != nil {
		return m.over.key(m, k)
	}
	if !m.tooSmall() {
		if cmd, ok := m.panel().key(m, k); ok {
			return cmd
		}
	}
	switch key := k.String(); key {
	case "q", "Q":
		return m.quit()
	case "1", "2", "3", "4", "5":
		m.show(min(int(key[0]-'1'), len(m.panels)-1))
	case "backspace":
		m.back()
	case "tab":
		m.show((m.current + 1) % len(m.panels))
	case "shift+tab":
		m.show((m.current + len(m.panels) - 1) % len(m.panels))
	case "?", "h", "f1":
		m.openOverlay(newHelp(m))
	case "f", "space":
		m.freeze()
	case "/":
		m.openOverlay(newSearchLine(m))
	case "F", `\`, "f4":
		m.openOverlay(newFilterLine(m))
	case "esc":
		if !m.back() && !m.clearSearch() {
			m.clearFilter()
		}
	case "+", "=":
		return m.setInterval(longer(m.interval))
	case "-", "_":
		return m.setInterval(shorter(m.interval))
	case "i":
		m.openOverlay(newIntervalLine(m))
	case "M":
		m.noMouse = !m.noMouse
		if m.noMouse {
			m.say("The mouse selects text. M gives it back to the table.")
		} else {
			m.say("The mouse sorts and selects rows.")
		}
	}
	return nil
}

// freeze keeps the rows as they are, or lets them go on.
func (m *Model) freeze() {
	m.frozen = !m.frozen
	m.frozenTime = m.now()
	if !m.frozen {
		m.refresh()
	}
}

// intervals are those that + and - go through.
var intervals = []time.Duration{
	100 * time.Millisecond, 200 * time.Millisecond, 500 * time.Millisecond, time.Second, 2 * time.Second,
	5 * time.Second, 10 * time.Second, 20 * time.Second, 30 * time.Second, time.Minute, 2 * time.Minute, 5 * time.Minute,
}

func longer(d time.Duration) time.Duration {
	i := slices.IndexFunc(intervals, func(i time.Duration) bool { return i > d })
	if i < 0 {
		return d
	}
	return intervals[i]
}

func shorter(d time.Duration) time.Duration {
	for _, i := range slices.Backward(intervals) {
		if i < d {
			return i
		}
	}
	return d
}

// setInterval changes the time from one dump to the next.
func (m *Model) setInterval(d time.Duration) tea.Cmd {
	m.interval = d
	m.say("The table is read every " + durationText(d) + ", less often where that takes long.")
	data := m.data
	return func() tea.Msg {
		data.SetInterval(d)
		return nil
	}
}
