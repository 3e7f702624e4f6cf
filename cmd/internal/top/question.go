package top

import (
	"context"
	"time"

	tea "charm.land/bubbletea/v2"
)

// question is what is known of the questions of a panel: no more than one is under
// way, and it is asked again some time after the answer.
type question struct {
	cancel context.CancelFunc // of the one under way, nil: none is
	serial uint64             // of the last one
	old    bool               // the one under way is outdated, or the last answer is
	due    time.Time          // when it is to be asked again
}

// answerMsg is the answer to a question of a panel.
type answerMsg struct {
	panel  int
	serial uint64
	took   time.Duration
	msg    tea.Msg
}

// Times between an answer and the next question.
const (
	askEvery = 500 * time.Millisecond
	// A question that takes long is asked less often: it takes at most one part of
	// askShare of the time.
	askShare = 20
)

// outdate ends the question under way, and has the panel asked again at once.
func (q *question) outdate() {
	q.old = true
	if q.cancel != nil {
		q.cancel()
	}
}

// ask returns the command that asks the panel that is shown, nil if it is not the
// time for that.
func (m *Model) ask() tea.Cmd {
	q := &m.asked[m.current]
	if q.cancel != nil || m.quitting || m.tooSmall() {
		return nil
	}
	if !q.old && (m.frozen || m.now().Before(q.due)) {
		return nil
	}
	width, lines := m.panelSize()
	ctx, cancel := context.WithCancel(context.Background())
	cmd := m.panel().ask(ctx, m, width, lines)
	q.old = false
	if cmd == nil {
		cancel()
		q.due = m.now().Add(m.every(0))
		return nil
	}
	q.cancel = cancel
	q.serial++
	a := answerMsg{panel: m.current, serial: q.serial}
	return func() tea.Msg {
		begun := time.Now()
		a.msg = cmd()
		a.took = time.Since(begun)
		return a
	}
}

// every returns the time from an answer of the panel that is shown to the next
// question. took is how long the answer took.
func (m *Model) every(took time.Duration) time.Duration {
	every := askEvery
	if p, ok := m.panel().(interface{ every() time.Duration }); ok {
		every = p.every()
	}
	return max(every, askShare*took)
}

// answered takes the answer to a question. One that is outdated is dropped.
func (m *Model) answered(a answerMsg) tea.Cmd {
	q := &m.asked[a.panel]
	if a.serial != q.serial || q.cancel == nil {
		return nil
	}
	q.cancel()
	q.cancel = nil
	q.due = m.now().Add(m.every(a.took))
	if q.old || a.msg == nil {
		return nil
	}
	cmd, _ := m.panels[a.panel].answer(m, a.msg)
	return cmd
}
