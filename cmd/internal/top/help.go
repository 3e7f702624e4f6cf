package top

import (
	"strings"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
)

// helpScreen is an overlay with the meaning of all keys.
type helpScreen struct {
	title  string
	hints  []hint // of the view
	offset int    // of the first line
	last   int    // the largest offset
}

func newHelp(m *Model) *helpScreen {
	return &helpScreen{title: m.panel().name(), hints: m.panel().keys()}
}

func (h *helpScreen) key(m *Model, k tea.KeyPressMsg) tea.Cmd {
	switch k.String() {
	case "up", "k":
		h.offset--
	case "down", "j":
		h.offset++
	case "pgup":
		h.offset -= max(m.height/2, 1)
	case "pgdown", "space":
		h.offset += max(m.height/2, 1)
	case "home":
		h.offset = 0
	case "end":
		h.offset = h.last
	default:
		m.closeOverlay()
	}
	h.offset = max(min(h.offset, h.last), 0)
	return nil
}

func (h *helpScreen) wheel(_ *Model, turns int) tea.Cmd {
	h.offset = max(min(h.offset+3*turns, h.last), 0)
	return nil
}

func (*helpScreen) answer(*Model, tea.Msg) tea.Cmd { return nil }

func (h *helpScreen) keys() []hint { return []hint{{"↑ ↓", "scroll"}, {"any other key", "close"}} }

// draw returns the lines from the offset on.
func (h *helpScreen) draw(m *Model, width, lines int) ([]string, bool, *tea.Position) {
	text := []string{m.style.on(bold, "Keys of the view of "+h.title)}
	text = append(text, h.table(m, h.hints, width)...)
	text = append(text, "", m.style.on(bold, "Keys of all views"))
	text = append(text, h.table(m, globalHints, width)...)
	text = append(text, "")
	text = append(text, wrap("A click of the mouse on a row selects it, on a title sorts, on the name of a view shows it. "+
		"With most terminals Shift selects text.", width)...)
	h.last = max(len(text)-lines, 0)
	h.offset = min(h.offset, h.last)
	return text[h.offset:], true, nil
}

// table returns hints in as many columns as fit.
func (h *helpScreen) table(m *Model, hints []hint, width int) []string {
	widest, key := 0, 0
	for _, t := range hints {
		key = max(key, ansi.StringWidth(t.key))
		widest = max(widest, ansi.StringWidth(t.text))
	}
	each := key + 2 + widest
	columns := max((width+4)/(each+4), 1)
	rows := (len(hints) + columns - 1) / columns
	lines := make([]string, rows)
	for i, t := range hints {
		row, column := i%max(rows, 1), i/max(rows, 1)
		cell := m.style.on(bold, t.key) + strings.Repeat(" ", key-ansi.StringWidth(t.key)) + "  " + t.text
		if column > 0 {
			before := column*(each+4) - ansi.StringWidth(lines[row])
			lines[row] += strings.Repeat(" ", max(before, 1))
		}
		lines[row] += cell
	}
	return lines
}
