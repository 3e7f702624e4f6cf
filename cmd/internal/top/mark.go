package top

import (
	"context"
	"fmt"

	tea "charm.land/bubbletea/v2"

	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
	"github.com/gonntrack/gonntrack/cmd/internal/live"
)

// toggleMark marks an entry, or takes its mark away. The row shows it at once.
func (m *Model) toggleMark(row *live.Row) tea.Cmd {
	if row == nil {
		return nil
	}
	row.Marked = !row.Marked
	d, ref, on := m.data, row.Ref, row.Marked
	return func() tea.Msg {
		d.Mark(ref, on)
		return nil
	}
}

// markMatching marks all entries that match, or takes all marks away.
func (m *Model) markMatching(s shown, on bool) tea.Cmd {
	d, q := m.data, s.query
	return func() tea.Msg {
		var n int
		var err error
		if on {
			n, err = d.MarkMatching(context.Background(), q.Filter, q.Group, q.Search, true)
		} else {
			n, err = d.MarkMatching(context.Background(), nil, nil, "", false)
		}
		return effect(func(m *Model) tea.Cmd {
			switch {
			case err != nil:
				m.fail(err)
			case on:
				m.say(fmt.Sprintf("%d more entries are marked.", n))
			default:
				m.say(fmt.Sprintf("%d marks were taken away.", n))
			}
			m.refresh()
			return nil
		})
	}
}

// newMarkLine returns the line in which a mark is typed for the entries that are
// marked, or the one under the cursor.
func newMarkLine(s shown) *prompt {
	return newPrompt("mark:", "The mark of the kernel (VALUE[/MASK], as -U -m): it becomes (old & ~MASK) ^ VALUE.",
		"set", func(m *Model, value string) (tea.Cmd, string) {
			ch, err := newMarkChange(value)
			if err != nil {
				return nil, err.Error()
			}
			m.closeOverlay()
			return m.choose(s, ch, false), ""
		})
}

// newMarkChange reads VALUE[/MASK].
func newMarkChange(value string) (change, error) {
	if value == "" {
		return change{}, cmdline.Usagef("a mark is VALUE[/MASK]: 7, 0x10/0xff")
	}
	b := &cmdline.Beside{}
	err := b.Scan([]string{"--mark", value})
	if err != nil {
		return change{}, err
	}
	r, err := b.Request(cmdline.CmdUpdate, nil)
	if err != nil {
		return change{}, err
	}
	return change{mark: value, value: r.Mark, mask: r.MarkMask}, nil
}
