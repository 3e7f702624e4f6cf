package top

import (
	tea "charm.land/bubbletea/v2"

	"github.com/gonntrack/gonntrack/internal/printable"
)

// intervalLine is an overlay: the line in which the interval is typed.
type intervalLine struct {
	text   string
	failed string // why the text is wrong
}

func newIntervalLine(*Model) *intervalLine { return &intervalLine{} }

func (l *intervalLine) key(m *Model, k tea.KeyPressMsg) tea.Cmd {
	l.failed = ""
	switch k.String() {
	case "esc":
		m.closeOverlay()
	case "enter":
		d, err := parseInterval(l.text)
		if err != nil {
			l.failed = err.Error()
			return nil
		}
		m.closeOverlay()
		return m.setInterval(d)
	case "backspace":
		l.text = l.text[:max(len(l.text)-1, 0)]
	case "ctrl+u":
		l.text = ""
	default:
		return l.paste(m, k.Text)
	}
	return nil
}

// paste adds what an interval can have.
func (l *intervalLine) paste(_ *Model, text string) tea.Cmd {
	for _, c := range text {
		if (c >= '0' && c <= '9' || c == '.' || c >= 'a' && c <= 'z') && len(l.text) < 12 {
			l.text += string(c)
		}
	}
	return nil
}

func (*intervalLine) answer(*Model, tea.Msg) tea.Cmd { return nil }

func (*intervalLine) keys() []hint { return []hint{{"Enter", "set"}, {"Esc", "cancel"}} }

func (l *intervalLine) draw(m *Model, width, _ int) ([]string, bool, *tea.Position) {
	line := "read the table every (" + durationText(m.interval) + " now): "
	lines := []string{line + l.text}
	if l.failed != "" {
		for _, text := range wrap(printable.String(l.failed), width) {
			lines = append(lines, m.style.on(red, text))
		}
	}
	return lines, false, &tea.Position{X: len(line) + len(l.text)}
}
