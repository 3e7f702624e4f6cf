package top

import (
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/gonntrack/gonntrack/format"
)

// columnList is an overlay: the list of the columns of entries, and of the names that
// take the place of addresses and ports. What is changed shows at once.
type columnList struct {
	p      *entries
	items  []columnItem
	cursor int
	top    int
	lines  int
}

// columnItem is a line of the list.
type columnItem struct {
	name, help string
	field      *format.Field // nil: none
	on         func() bool
	set        func(m *Model, on bool) tea.Cmd
}

func newColumnList(p *entries) *columnList {
	l := &columnList{p: p, lines: 1}
	l.items = []columnItem{
		{
			"names", "names of hosts in place of their addresses", nil,
			func() bool { return p.lookups.hosts },
			func(_ *Model, on bool) tea.Cmd { p.lookups.setHosts(on); return nil },
		},
		{
			"services", "names of services in place of their ports", nil,
			func() bool { return p.lookups.services },
			func(_ *Model, on bool) tea.Cmd { return p.lookups.setServices(on) },
		},
	}
	usual := format.UsualColumns()
	for _, d := range usual {
		l.add(d)
	}
	for d := range format.Fields() {
		if d.OfFlows() && isKept(d) && !ofEvents[d.Name] && !slices.Contains(usual, d) {
			l.add(d)
		}
	}
	return l
}

// ofEvents are the fields that only events have.
var ofEvents = map[string]bool{"event": true, "time": true, "portid": true, "program": true, "stop": true}

func (l *columnList) add(d *format.Field) {
	c := &l.p.choice
	help := d.Help
	for _, option := range []string{" (--processes)", " (top)"} {
		help = strings.TrimSuffix(help, option)
	}
	l.items = append(l.items, columnItem{d.Name, help, d, func() bool { return c.shown(d) },
		func(m *Model, on bool) tea.Cmd {
			c.set(d, on)
			m.refresh() // for the processes
			return nil
		}})
}

func (l *columnList) key(m *Model, k tea.KeyPressMsg) tea.Cmd {
	switch k.String() {
	case "up", "k":
		l.cursor--
	case "down", "j":
		l.cursor++
	case "pgup":
		l.cursor -= l.lines
	case "pgdown":
		l.cursor += l.lines
	case "home", "g":
		l.cursor = 0
	case "end", "G":
		l.cursor = len(l.items) - 1
	case "space", "enter":
		item := &l.items[l.cursor]
		return item.set(m, !item.on())
	case "u":
		l.p.choice = columnChoice{base: l.p.choice.base}
		m.refresh()
	case "esc", "c", "q":
		m.closeOverlay()
	}
	l.cursor = max(min(l.cursor, len(l.items)-1), 0)
	return nil
}

func (l *columnList) wheel(_ *Model, turns int) tea.Cmd {
	l.cursor = max(min(l.cursor+3*turns, len(l.items)-1), 0)
	return nil
}

func (*columnList) answer(*Model, tea.Msg) tea.Cmd { return nil }

func (*columnList) keys() []hint {
	return []hint{{"Space", "show or hide"}, {"u", "the usual ones"}, {"Esc", "close"}}
}

// draw returns the list. It says for which columns there is no room.
func (l *columnList) draw(m *Model, width, lines int) ([]string, bool, *tea.Position) {
	l.lines = max(lines-1, 1)
	l.top = max(min(l.top, l.cursor, len(l.items)-l.lines), l.cursor-l.lines+1, 0)
	text := []string{m.style.on(bold, "Columns of entries")}
	widest := 0
	for _, item := range l.items {
		widest = max(widest, len(item.name))
	}
	omitted := map[*format.Field]bool{nil: false}
	if l.p.grid != nil {
		for _, c := range l.p.grid.Omitted() {
			omitted[c.Field] = true
		}
	}
	for i := l.top; i < min(l.top+l.lines, len(l.items)); i++ {
		item := &l.items[i]
		box := "[ ] "
		if item.on() {
			box = "[x] "
		}
		help := item.help
		if omitted[item.field] && item.on() {
			help = "(no room) " + help
		}
		line := box + item.name + strings.Repeat(" ", widest-len(item.name)+2) + help
		line = ansi.Truncate(line, width, m.style.glyph("…", "~"))
		if i == l.cursor {
			line = m.style.row(reverse, line+strings.Repeat(" ", max(width-ansi.StringWidth(line), 0)))
		}
		text = append(text, line)
	}
	return text, true, nil
}
