package top

import (
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
	"github.com/gonntrack/gonntrack/filter"
	"github.com/gonntrack/gonntrack/internal/printable"
)

// selected is what a user selects among the entries that are kept.
type selected struct {
	text   string // the filter as it was typed
	filter *filter.Filter
	search string
}

// selected returns what is selected now, and restore selects what was selected before.
func (m *Model) selected() selected { return selected{m.filterText, m.filter, m.search} }

func (m *Model) restore(s selected) {
	m.filterText, m.filter, m.search = s.text, s.filter, s.search
	m.refresh()
}

// parseFilter reads a filter in the grammar of -L, in the words of a shell; nil: it
// selects all.
func (m *Model) parseFilter(text string) (*filter.Filter, error) {
	r := new(cmdline.Request)
	if m.options != nil && m.options.request != nil {
		r = m.options.request // the names of labels are those of its table
	}
	words, err := cmdline.TypedWords(text)
	if err != nil || len(words) == 0 {
		return nil, err
	}
	return r.ReadFilter(words, nil)
}

// setFilter selects entries by a filter in the grammar of -L. If it is wrong, the one
// before stays.
func (m *Model) setFilter(text string) error {
	f, err := m.parseFilter(text)
	if err != nil {
		return err
	}
	m.filterText, m.filter = strings.TrimSpace(text), f
	if f == nil {
		m.filterText = ""
	}
	m.refresh()
	return nil
}

// addFilter adds options to the filter.
func (m *Model) addFilter(options string) error {
	if m.filterText == "" {
		return m.setFilter(options)
	}
	return m.setFilter(m.filterText + " " + options)
}

// filterLineWords returns the words of a filter, which is right.
func filterLineWords(text string) []string {
	words, err := cmdline.TypedWords(text)
	if err != nil {
		return nil
	}
	return words
}

// clearSearch shows what does not have the text that was searched for too, and
// clearFilter what the filter leaves out. They report whether there was any.
func (m *Model) clearSearch() bool {
	if m.search == "" {
		return false
	}
	m.search = ""
	m.refresh()
	return true
}

func (m *Model) clearFilter() bool {
	if m.filterText == "" {
		return false
	}
	_ = m.setFilter("") // which is right
	return true
}

// filterLine is an overlay: the line in which a filter is typed. Each change of it is
// in force at once, unless it is wrong: then the line below says why, and the last one
// that was right stays in force.
type filterLine struct {
	edit   lineEdit
	before selected
	wrong  error
}

func newFilterLine(m *Model) *filterLine {
	return &filterLine{edit: newLineEdit(m.filterText), before: m.selected()}
}

func (l *filterLine) key(m *Model, k tea.KeyPressMsg) tea.Cmd {
	switch k.String() {
	case "esc":
		m.closeOverlay()
		m.restore(l.before)
	case "enter":
		if l.wrong == nil {
			m.closeOverlay()
		}
	default:
		if l.edit.key(k) {
			l.wrong = m.setFilter(l.edit.value())
		}
	}
	return nil
}

func (l *filterLine) paste(m *Model, text string) tea.Cmd {
	if l.edit.insert(text) {
		l.wrong = m.setFilter(l.edit.value())
	}
	return nil
}

func (*filterLine) answer(*Model, tea.Msg) tea.Cmd { return nil }

func (*filterLine) keys() []hint {
	return []hint{{"Enter", "keep"}, {"Esc", "as before"}, {"^U", "clear"}}
}

func (l *filterLine) draw(m *Model, width, lines int) ([]string, bool, *tea.Position) {
	text, cursor := drawEdit(m, &l.edit, "filter: ", width)
	about, p := "options of conntrack -L, such as -p tcp --dport 443 -s 10.0.0.0/8", faint
	if l.wrong != nil {
		about, p = string(printable.AppendLines(nil, l.wrong.Error())), red
	}
	below := 2 // lines, whatever there is to say, so that the one that is typed stays
	if lines < 10 {
		below = 1
	}
	for _, line := range fill(wrap(about, width), below) {
		text = append(text, m.style.on(p, line))
	}
	return text, false, cursor
}

// drawEdit returns the line of a text that is typed behind a label, and the place of
// the cursor.
func drawEdit(m *Model, l *lineEdit, label string, width int) ([]string, *tea.Position) {
	text, cursor := l.draw(width - len(label) - 1)
	return []string{m.style.on(bold, label) + text}, &tea.Position{X: len(label) + cursor}
}

// searchLine is an overlay: the line in which a text is typed that rows must have. Only
// these are shown, from the first character on.
type searchLine struct {
	edit   lineEdit
	before selected
}

func newSearchLine(m *Model) *searchLine {
	return &searchLine{edit: newLineEdit(m.search), before: m.selected()}
}

func (l *searchLine) key(m *Model, k tea.KeyPressMsg) tea.Cmd {
	switch k.String() {
	case "esc":
		m.closeOverlay()
		m.restore(l.before)
	case "enter":
		m.closeOverlay()
	default:
		if l.edit.key(k) {
			l.set(m)
		}
	}
	return nil
}

func (l *searchLine) paste(m *Model, text string) tea.Cmd {
	if l.edit.insert(text) {
		l.set(m)
	}
	return nil
}

func (l *searchLine) set(m *Model) {
	m.search = strings.TrimSpace(l.edit.value())
	m.refresh()
}

func (*searchLine) answer(*Model, tea.Msg) tea.Cmd { return nil }

func (*searchLine) keys() []hint {
	return []hint{{"Enter", "keep"}, {"Esc", "as before"}, {"^U", "clear"}}
}

func (l *searchLine) draw(m *Model, width, _ int) ([]string, bool, *tea.Position) {
	text, cursor := drawEdit(m, &l.edit, "rows that have: ", width)
	return text, false, cursor
}
