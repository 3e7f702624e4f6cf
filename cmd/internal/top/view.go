package top

import (
	"strings"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
)

// The least size of a terminal on which there is something to see.
const (
	leastWidth  = 40
	leastHeight = 10
)

// footLines is the height of the foot.
const footLines = 1

// tooSmall reports that the terminal has no room for the screen, or that its size is
// not known yet.
func (m *Model) tooSmall() bool { return m.width < leastWidth || m.height < leastHeight }

// View draws the screen.
func (m *Model) View() tea.View {
	v := tea.NewView("")
	v.AltScreen = true
	if !m.noMouse {
		v.MouseMode = tea.MouseModeCellMotion
	}
	text, cursor := m.screen()
	v.SetContent(text)
	if cursor != nil {
		v.Cursor = tea.NewCursor(cursor.X, cursor.Y)
	}
	return v
}

// screen returns the lines of the screen, and the place of the cursor, nil: it is not
// shown.
func (m *Model) screen() (text string, cursor *tea.Position) {
	if m.width <= 0 || m.height <= 0 {
		return "", nil
	}
	if m.tooSmall() {
		return m.smallScreen(), nil
	}
	lines := m.head()
	m.headLines = len(lines)
	room := max(m.height-len(lines)-footLines, 0)
	hints := m.panel().keys()
	if m.from != nil && m.current == entriesPanel {
		hints = append([]hint{{"Bksp", "back"}}, hints...)
	}
	if m.over == nil {
		lines = append(lines, fill(m.panel().draw(m, m.width, room), room)...)
	} else {
		over, whole, at := m.over.draw(m, m.width, room)
		over = over[:min(len(over), room)]
		above := room - len(over)
		if whole {
			over, above = fill(over, room), 0
		} else if above > 0 {
			lines = append(lines, fill(m.panel().draw(m, m.width, above), above)...)
		}
		if at != nil && at.Y < len(over) {
			cursor = &tea.Position{X: min(at.X, m.width-1), Y: len(lines) + at.Y}
		}
		lines = append(lines, over...)
		hints = m.over.keys()
	}
	lines = append(lines, m.foot(hints))
	for i, line := range lines {
		lines[i] = m.style.line(line, m.width)
	}
	return strings.Join(lines[:min(len(lines), m.height)], "\n"), cursor
}

// fill returns n lines: those that there are, and empty ones.
func fill(lines []string, n int) []string {
	lines = lines[:min(len(lines), n)]
	for len(lines) < n {
		lines = append(lines, "")
	}
	return lines
}

// smallScreen says that the terminal is too small.
func (m *Model) smallScreen() string {
	text := []string{
		"The terminal is too small:", sizeText(m.width, m.height) + ", at least " + sizeText(leastWidth, leastHeight) + ".",
		"q quits.", "`conntrack top --once' fits", "every terminal.",
	}
	for i, line := range text {
		text[i] = m.style.line(line, m.width)
	}
	return strings.Join(text[:min(len(text), m.height)], "\n")
}

// line returns a line that is cut to a width, in ASCII if the terminal shows no more.
func (s *styles) line(line string, width int) string {
	if !s.utf8 {
		line = toASCII(line)
	}
	if len(line) > width && ansi.StringWidth(line) > width {
		line = ansi.Truncate(line, width, "")
	}
	return line
}

// toASCII puts ASCII in place of all other characters, as wide as they are.
func toASCII(line string) string {
	plain := true
	for i := range len(line) {
		plain = plain && line[i] < 0x80
	}
	if plain {
		return line
	}
	var b strings.Builder
	for _, r := range line {
		switch {
		case r < 0x80:
			b.WriteRune(r)
		case r == '…':
			b.WriteByte('~')
		case r == '→':
			b.WriteByte('>')
		case r == '←':
			b.WriteByte('<')
		case r == '↑', r == '▲':
			b.WriteByte('^')
		case r == '↓', r == '▼':
			b.WriteByte('v')
		case r == '·', r == '─', r == '–', r == '—':
			b.WriteByte('-')
		case r == '│':
			b.WriteByte('|')
		case r == '█':
			b.WriteByte('#')
		default:
			b.WriteString(strings.Repeat("?", ansi.StringWidth(string(r))))
		}
	}
	return b.String()
}
