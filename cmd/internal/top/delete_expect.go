package top

import (
	tea "charm.land/bubbletea/v2"

	"github.com/gonntrack/gonntrack/cmd/internal/live"
	"github.com/gonntrack/gonntrack/ctnetlink"
)

// expectQuestion is an overlay: the question whether an expectation is to be deleted.
type expectQuestion struct {
	source int
	spec   ctnetlink.ExpectSpec
	line   string // the command line that would do the same, "": there is none
}

// deleteExpect asks whether an expectation is to be deleted; nil: there is none under
// the cursor.
func (m *Model) deleteExpect(x *live.Expectation) {
	switch {
	case !m.mayChange():
		return
	case x == nil:
		m.fail(errNoEntry)
		return
	}
	q := &expectQuestion{source: x.Source}
	q.spec.Identify(x.Expect)
	if words, ok := expectedWords(x.Expect); ok {
		q.line = shellLine(append(words, m.sourceWords()(x.Source)...))
	}
	m.openOverlay(q)
}

func (q *expectQuestion) key(m *Model, k tea.KeyPressMsg) tea.Cmd {
	if k.String() == "c" && q.line != "" {
		return m.copyText(q.line, false, q)
	}
	m.closeOverlay()
	if k.String() != "y" {
		m.say("Nothing was deleted.")
		return nil
	}
	a := m.actor
	return func() tea.Msg {
		err := a.deleteExpect(q.source, &q.spec)
		return effect(func(m *Model) tea.Cmd {
			if err != nil {
				m.fail(err)
			} else {
				m.say("Deleted 1 expectation.")
			}
			m.refresh()
			return nil
		})
	}
}

func (*expectQuestion) answer(*Model, tea.Msg) tea.Cmd { return nil }

func (q *expectQuestion) keys() []hint {
	list := []hint{{"y", "delete"}, {"n Esc", "do nothing"}}
	if q.line != "" {
		list = append(list, hint{"c", "copy command"})
	}
	return list
}

func (q *expectQuestion) draw(m *Model, width, _ int) ([]string, bool, *tea.Position) {
	text := []string{"", m.style.on(bold, "Delete this expectation?")}
	if q.line == "" {
		return append(text, wrap(q.spec.Tuple.String()+" (no command line names it)", width)...), false, nil
	}
	return append(append(text, "y does it, as this would:"), wrapCommand(q.line, width)...), false, nil
}
