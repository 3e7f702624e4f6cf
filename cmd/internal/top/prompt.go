package top

import (
	"strings"

	tea "charm.land/bubbletea/v2"
)

// prompt is an overlay: a line in which a value is typed.
type prompt struct {
	edit  lineEdit
	label string
	about string // a line above it, "" for none
	wrong string // why the value is wrong, "" if it is not known to be
	verb  string // what Enter does
	// take takes the value. If it returns why it is wrong, the line stays.
	take func(m *Model, value string) (cmd tea.Cmd, wrong string)
	// back is what lies over the panel again when the value was taken or refused;
	// nil: nothing.
	back overlay
}

func newPrompt(label, about, verb string, take func(*Model, string) (tea.Cmd, string)) *prompt {
	return &prompt{label: label, about: about, verb: verb, take: take}
}

func (p *prompt) key(m *Model, k tea.KeyPressMsg) tea.Cmd {
	switch k.String() {
	case "esc":
		p.leave(m)
		return nil
	case "enter":
		cmd, wrong := p.take(m, strings.TrimSpace(p.edit.value()))
		if p.wrong = wrong; wrong == "" && m.over == overlay(p) {
			p.leave(m)
		}
		return cmd
	}
	p.wrong = ""
	p.edit.key(k)
	return nil
}

// leave closes the line.
func (p *prompt) leave(m *Model) {
	if m.closeOverlay(); p.back != nil {
		m.openOverlay(p.back)
	}
}

// paste adds text that was pasted.
func (p *prompt) paste(_ *Model, text string) tea.Cmd {
	p.wrong = ""
	p.edit.insert(text)
	return nil
}

func (*prompt) answer(*Model, tea.Msg) tea.Cmd { return nil }

func (p *prompt) keys() []hint { return []hint{{"Enter", p.verb}, {"Esc", "cancel"}} }

func (p *prompt) draw(m *Model, width, lines int) ([]string, bool, *tea.Position) {
	var text []string
	if p.about != "" {
		text = wrap(p.about, width)
	}
	line, at := drawEdit(m, &p.edit, p.label+" ", width)
	at.Y = len(text)
	text = append(text, line...)
	if p.wrong != "" {
		for _, line := range wrap(p.wrong, width) {
			text = append(text, m.style.on(red, line))
		}
	}
	if over := len(text) - lines; over > 0 { // the line itself stays
		over = min(over, at.Y)
		text, at.Y = text[over:], at.Y-over
	}
	return text, false, at
}
