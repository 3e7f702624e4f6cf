package top

import (
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/gonntrack/gonntrack/cmd/internal/live"
	"github.com/gonntrack/gonntrack/internal/printable"
)

// maxCopied is how much is copied at most: more is more than terminals take (xterm
// and tmux have a limit of some 100 000 characters in base64).
const maxCopied = 64 << 10

// copyCommand copies the command lines that delete the entries that are marked, or
// the one under the cursor.
func (m *Model) copyCommand(s shown) tea.Cmd {
	d, c := m.data, &confirmation{words: m.sourceWords()}
	var row live.Ref
	if s.row != nil {
		row = s.row.Ref
	}
	return func() tea.Msg {
		if c.choice = d.ChooseMarked(); c.choice.Len() == 0 {
			c.choice = d.ChooseOne(row)
		}
		var text strings.Builder
		more := false
		for row := range c.choice.All() {
			line := c.line(row)
			if more = text.Len()+len(line) > maxCopied; more {
				break
			}
			if text.Len() > 0 {
				text.WriteByte('\n')
			}
			text.WriteString(line)
		}
		return effect(func(m *Model) tea.Cmd {
			if text.Len() == 0 {
				m.fail(errNoEntry)
				return nil
			}
			return m.copyText(text.String(), more, m.over)
		})
	}
}

// copyText copies lines to the clipboard of the terminal, by OSC 52, and shows them,
// because not every terminal takes them. more: there are others. back lies over the
// panel afterwards.
func (m *Model) copyText(text string, more bool, back overlay) tea.Cmd {
	m.openOverlay(&copied{lines: strings.Split(text, "\n"), more: more, back: back})
	return tea.SetClipboard(text)
}

// copied is an overlay that shows what was copied.
type copied struct {
	lines []string
	more  bool
	back  overlay
}

func (c *copied) key(m *Model, _ tea.KeyPressMsg) tea.Cmd {
	if m.closeOverlay(); c.back != nil {
		m.openOverlay(c.back)
	}
	return nil
}

func (*copied) answer(*Model, tea.Msg) tea.Cmd { return nil }

func (*copied) keys() []hint { return []hint{{"any key", "close"}} }

func (c *copied) draw(m *Model, width, lines int) ([]string, bool, *tea.Position) {
	about := "Copied, if the terminal takes it:"
	if c.more {
		about = "The first ones were copied, if the terminal takes them (w in the question writes all to a file):"
	}
	text := []string{""}
	for _, line := range wrap(about, width) {
		text = append(text, m.style.on(bold, line))
	}
	for _, line := range c.lines {
		text = append(text, wrapCommand(printable.String(line), width)...)
	}
	if len(text) > lines && lines > 1 {
		text = append(text[:lines-1], "  …")
	}
	return text, false, nil
}
