package top

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/gonntrack/gonntrack/cmd/internal/live"
	"github.com/gonntrack/gonntrack/internal/testwait"
)

// testPanel is a panel whose questions wait until they are released.
type testPanel struct {
	emptyPanel
	release       chan string
	asked, ended  int
	running, most atomic.Int32
	shown         string
}

type testAnswer string

func (p *testPanel) ask(ctx context.Context, _ *Model, width, lines int) tea.Cmd {
	p.asked++
	return func() tea.Msg {
		p.most.Store(max(p.most.Load(), p.running.Add(1)))
		defer p.running.Add(-1)
		select {
		case text := <-p.release:
			return testAnswer(fmt.Sprintf("%s %dx%d", text, width, lines))
		case <-ctx.Done():
			return testAnswer("outdated")
		}
	}
}

func (p *testPanel) answer(_ *Model, msg tea.Msg) (tea.Cmd, bool) {
	text, ok := msg.(testAnswer)
	if ok {
		p.ended++
		p.shown = string(text)
	}
	return nil, ok
}

func (p *testPanel) draw(*Model, int, int) []string { return []string{p.shown} }

// runner runs the commands of a model as bubbletea does, without ticks.
type runner struct {
	t    *testing.T
	m    *Model
	msgs chan tea.Msg
}

func newRunner(t *testing.T, m *Model) *runner {
	return &runner{t, m, make(chan tea.Msg, 100)}
}

// send has the model take a message, and starts its commands.
func (r *runner) send(msg tea.Msg) {
	_, cmd := r.m.Update(msg)
	r.start(cmd)
}

func (r *runner) start(cmd tea.Cmd) {
	if cmd == nil {
		return
	}
	go func() {
		switch msg := cmd().(type) {
		case tea.BatchMsg:
			for _, c := range msg {
				r.start(c)
			}
		case nil:
		default:
			r.msgs <- msg
		}
	}()
}

// take has the model take the next message of a command.
func (r *runner) take() tea.Msg {
	r.t.Helper()
	select {
	case msg := <-r.msgs:
		r.send(msg)
		return msg
	case <-time.After(testwait.Scale(10 * time.Second)):
		r.t.Fatal("no answer")
		return nil
	}
}

// One question of a panel is under way at a time; one that is outdated ends at once,
// and its answer is not shown.
func TestQuestions(t *testing.T) {
	m := testModel(80, 24, styles{})
	now := testTime
	m.now = func() time.Time { return now }
	p := &testPanel{release: make(chan string)}
	m.panels[0] = p
	r := newRunner(t, m)
	r.send(tea.WindowSizeMsg{Width: 80, Height: 24})
	for range 5 { // nothing is asked while a question is under way
		r.send(nil)
	}
	if p.asked != 1 {
		t.Fatalf("asked %d times", p.asked)
	}
	m.refresh()
	for range 5 {
		r.send(nil)
	}
	if p.asked != 1 {
		t.Fatalf("asked again before the outdated question has ended: %d times", p.asked)
	}
	r.take()
	if p.ended != 0 || p.shown != "" || p.asked != 2 {
		t.Fatalf("after the outdated answer: asked %d times, %d answers, %q is shown", p.asked, p.ended, p.shown)
	}
	p.release <- "first"
	r.take()
	_, lines := m.panelSize()
	if want := fmt.Sprintf("first 80x%d", lines); p.shown != want {
		t.Fatalf("%q is shown, want %q", p.shown, want)
	}
	r.send(nil)
	if p.asked != 2 {
		t.Fatal("asked again before it was due")
	}
	now = now.Add(askEvery)
	r.send(nil)
	if p.asked != 3 {
		t.Fatal("not asked again when it was due")
	}
	r.send(press("f")) // what is under way is still shown
	p.release <- "second"
	r.take()
	now = now.Add(time.Hour)
	r.send(nil)
	if p.asked != 3 || !m.frozen || !strings.HasPrefix(p.shown, "second") {
		t.Fatalf("frozen: asked %d times, %q is shown", p.asked, p.shown)
	}
	if text, _ := m.screen(); !strings.Contains(text, "frozen for 1 h") {
		t.Errorf("not told that it is frozen:\n%s", text)
	}
	r.send(tea.WindowSizeMsg{Width: 100, Height: 30})
	if p.asked != 4 {
		t.Fatal("frozen: not asked for another size")
	}
	r.send(press("2")) // its question ends, and its answer is dropped
	r.take()
	if m.current != 1 || p.ended != 2 {
		t.Fatalf("view %d, %d answers", m.current, p.ended)
	}
	if n := p.most.Load(); n != 1 {
		t.Fatalf("%d questions at the same time", n)
	}
}

// Keys change the views, the interval and more, whatever the panel does.
func TestKeys(t *testing.T) {
	m := testModel(80, 24, styles{})
	m.data = live.New(nil, live.Options{})
	key := func(keys ...string) {
		for _, k := range keys {
			_, cmd := m.Update(press(k))
			if k == "+" || k == "-" || k == "enter" {
				if cmd != nil {
					cmd()
				}
			}
		}
	}
	screen := func() string {
		text, _ := m.screen()
		return text
	}
	for i := range m.panels {
		if m.current != i {
			t.Errorf("view %d, want %d", m.current, i)
		}
		key("tab")
	}
	key("shift+tab")
	if m.current != len(m.panels)-1 {
		t.Errorf("shift+tab: view %d", m.current)
	}
	key("1", "3")
	if m.current != 2 {
		t.Errorf("3: view %d", m.current)
	}
	key("+", "+")
	if m.interval != 5*time.Second || !strings.Contains(screen(), "every 5 s") {
		t.Errorf("interval %s:\n%s", m.interval, screen())
	}
	key("-")
	if m.interval != 2*time.Second {
		t.Errorf("interval %s", m.interval)
	}
	key("i", "0", "x", "enter")
	if m.interval != 2*time.Second || m.over == nil || !strings.Contains(screen(), "no interval") {
		t.Errorf("a wrong interval:\n%s", screen())
	}
	key("backspace", "backspace", "3", "enter")
	if m.interval != 3*time.Second || m.over != nil {
		t.Errorf("interval %s:\n%s", m.interval, screen())
	}
	key("?")
	if !strings.Contains(screen(), "Keys of all views") {
		t.Errorf("help:\n%s", screen())
	}
	key("q")
	if m.over != nil || m.quitting {
		t.Error("q does not close the help alone")
	}
	if _, cmd := m.Update(press("q")); cmd == nil || !m.quitting {
		t.Error("q does not quit")
	}
}

// A click on the name of a view shows it.
func TestTabs(t *testing.T) {
	for _, width := range []int{40, 80, 200} {
		m := testModel(width, 24, styles{})
		text, _ := m.screen()
		lines := strings.Split(text, "\n")
		for i := range m.panels {
			place := m.tabs[i]
			row := lines[place.line]
			if got := strings.Fields(plainText(row)[place.from:place.to])[0]; got != fmt.Sprint(i+1) {
				t.Errorf("%d columns: view %d is at %q", width, i, got)
			}
			m.Update(tea.MouseClickMsg{X: place.to - 1, Y: place.line, Button: tea.MouseLeft})
			if m.current != i {
				t.Errorf("%d columns: a click shows view %d, want %d", width, m.current, i)
			}
			text, _ = m.screen()
			lines = strings.Split(text, "\n")
		}
	}
}
