package top

import (
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/gonntrack/gonntrack/cmd/internal/live"
)

// tickMsg says that time has passed.
type tickMsg struct{}

// tickEvery is the time between two ticks. Each asks for the status, and for the rows
// if they are due.
const tickEvery = 250 * time.Millisecond

// statusMsg is the answer to the question for the status.
type statusMsg struct {
	status  live.Status
	history []live.Point
}

// Init returns the first commands.
func (m *Model) Init() tea.Cmd { return tea.Batch(m.askStatus(), m.tick()) }

func (m *Model) tick() tea.Cmd {
	return tea.Tick(tickEvery, func(time.Time) tea.Msg { return tickMsg{} })
}

// askStatus returns the command that asks for the status, nil while one is under way.
func (m *Model) askStatus() tea.Cmd {
	if m.statusAsked || m.quitting {
		return nil
	}
	m.statusAsked = true
	d := m.data
	return func() tea.Msg { return statusMsg{d.Status(), d.History(sparklineSeconds)} }
}

// Update takes a message.
func (m *Model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	cmd := m.take(msg)
	if ask := m.ask(); ask != nil {
		cmd = tea.Batch(cmd, ask)
	}
	return m, cmd
}

// take takes a message and returns what is to be done.
func (m *Model) take(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.width, m.height = msg.Width, msg.Height
		m.refresh()
	case tickMsg:
		return tea.Batch(m.tick(), m.askStatus())
	case statusMsg:
		m.statusAsked = false
		m.status, m.history, m.statusTime = msg.status, msg.history, m.now()
	case answerMsg:
		return m.answered(msg)
	case effect:
		return msg(m)
	case tea.KeyPressMsg:
		return m.key(msg)
	case tea.PasteMsg:
		if o, ok := m.over.(interface {
			paste(m *Model, text string) tea.Cmd
		}); ok {
			return o.paste(m, msg.Content)
		}
	case tea.MouseClickMsg:
		if msg.Button == tea.MouseLeft {
			return m.click(msg.X, msg.Y)
		}
	case tea.MouseWheelMsg:
		return m.wheel(msg)
	default:
		return m.pass(msg)
	}
	return nil
}

// pass gives a message to the panel, or the overlay, that it is for.
func (m *Model) pass(msg tea.Msg) tea.Cmd {
	for _, p := range m.panels {
		if cmd, ok := p.answer(m, msg); ok {
			return cmd
		}
	}
	if m.over != nil {
		return m.over.answer(m, msg)
	}
	return nil
}

// click takes a click of the left button.
func (m *Model) click(x, y int) tea.Cmd {
	if m.over != nil || m.tooSmall() {
		return nil
	}
	for _, t := range m.tabs {
		if y == t.line && x >= t.from && x < t.to {
			m.show(t.panel)
			return nil
		}
	}
	_, lines := m.panelSize()
	if y -= m.headLines; y < 0 || y >= lines {
		return nil
	}
	m.message = ""
	return m.panel().click(m, x, y)
}

// wheel takes a turn of the wheel.
func (m *Model) wheel(msg tea.MouseWheelMsg) tea.Cmd {
	turns := 0
	switch msg.Button {
	case tea.MouseWheelUp:
		turns = -1
	case tea.MouseWheelDown:
		turns = 1
	}
	if turns == 0 || m.tooSmall() {
		return nil
	}
	if m.over != nil {
		if o, ok := m.over.(interface {
			wheel(m *Model, turns int) tea.Cmd
		}); ok {
			return o.wheel(m, turns)
		}
		return nil
	}
	return m.panel().wheel(m, turns)
}
