package top

import (
	"strings"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
	"github.com/gonntrack/gonntrack/internal/printable"
)

// groupsLine is an overlay: the line in which the keys of groups are typed. Below it is
// what is wrong, or which keys begin with what was typed.
type groupsLine struct {
	panel  *groups
	edit   lineEdit
	failed string // why the text is wrong
}

func newGroupsLine(p *groups) *groupsLine {
	return &groupsLine{panel: p, edit: newLineEdit(keysText(p.by))}
}

func (l *groupsLine) key(m *Model, k tea.KeyPressMsg) tea.Cmd {
	l.failed = ""
	switch k.String() {
	case "esc":
		m.closeOverlay()
		return nil
	case "tab":
		l.complete()
		return nil
	case "enter":
		by, err := cmdline.ParseGroupKeys(strings.TrimSpace(l.edit.value()))
		if err != nil {
			l.failed, _, _ = strings.Cut(err.Error(), "\n")
			l.failed = printable.String(strings.TrimSuffix(strings.TrimSuffix(l.failed, " The keys are"), "."))
			return nil
		}
		m.closeOverlay()
		l.panel.setKeys(by)
		m.refresh()
		return nil
	}
	l.edit.key(k)
	return nil
}

func (l *groupsLine) paste(_ *Model, text string) tea.Cmd {
	l.failed = ""
	l.edit.insert(text)
	return nil
}

func (*groupsLine) answer(*Model, tea.Msg) tea.Cmd { return nil }

func (*groupsLine) keys() []hint {
	return []hint{{"Enter", "group"}, {"Tab", "complete"}, {"Esc", "cancel"}}
}

// candidates returns the keys that begin with the last one that is typed, each with its
// description.
func (l *groupsLine) candidates() (names, texts []string) {
	typed := l.edit.value()
	for _, word := range cmdline.Keys(typed[strings.LastIndexByte(typed, ',')+1:]).Words {
		name, text, _ := strings.Cut(word, "\t")
		names, texts = append(names, name), append(texts, text)
	}
	return names, texts
}

// complete completes the last key, as far as there is only one way to.
func (l *groupsLine) complete() {
	names, _ := l.candidates()
	if len(names) == 0 {
		return
	}
	common := names[0]
	for _, name := range names[1:] {
		for !strings.HasPrefix(name, common) {
			common = common[:len(common)-1]
		}
	}
	typed := l.edit.value()
	start := strings.LastIndexByte(typed, ',') + 1
	if len(common) > len(typed)-start {
		l.edit = newLineEdit(typed[:start] + common)
	}
}

func (l *groupsLine) draw(m *Model, width, lines int) ([]string, bool, *tea.Position) {
	text, cursor := drawEdit(m, &l.edit, "group by: ", width)
	if l.failed != "" {
		for _, line := range wrap(l.failed, width) {
			text = append(text, m.style.on(red, line))
		}
	} else if most := min(lines/3, 4); most > 1 {
		names, texts := l.candidates()
		below := wrap(strings.Join(names, " "), width)
		if len(names) == 1 {
			below = []string{ansi.Truncate(names[0]+": "+texts[0], width, "")}
		}
		if len(below) > most {
			below = below[:most]
			below[most-1] = ansi.Truncate(below[most-1], width-2, "") + " …"
		}
		for _, line := range below {
			text = append(text, m.style.on(faint, line))
		}
	}
	return text, false, cursor
}
