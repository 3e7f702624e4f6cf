package top

import (
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/gonntrack/gonntrack/cmd/internal/target"
)

// TestAnyKeys: whatever is pressed, clicked and resized while entries come and go, the
// screen is as large as the terminal, clean, and there is no panic.
func TestAnyKeys(t *testing.T) {
	t.Chdir(t.TempDir()) // for what is written
	steps, seeds := 200, uint64(4)
	if testing.Short() {
		steps, seeds = 150, 3
	}
	if n, err := strconv.ParseUint(os.Getenv("TOP_SEEDS"), 10, 64); err == nil { // for a longer run
		steps, seeds = 1000, n
	}
	for seed := range seeds {
		r := rand.New(rand.NewPCG(seed, 1))
		s := newScene(t, 80, 24, "", busy(r.IntN(300)))
		if seed%2 == 0 {
			s.actor = &actor{tables: []*target.Table{target.InMemory(s.kernel.Dial, s.clock)}}
		}
		s.style.color = seed > 1
		a := &animal{scene: s, Rand: r, answers: make(chan tea.Msg, 10000)}
		var last []string
		t.Run("", func(t *testing.T) {
			defer func() {
				if t.Failed() {
					t.Fatalf("seed %d, after the keys %s", seed, strings.Join(last, " "))
				}
			}()
			for range steps {
				what := a.act()
				if last = append(last, what); len(last) > 30 {
					last = last[1:]
				}
				a.checkScreen(t, what)
			}
		})
	}
}

var monkeyKeys = []string{
	"up", "down", "pgup", "pgdown", "home", "end", "left", "right", "<", ">", "enter", "enter", "esc", "esc", "tab",
	"shift+tab", "backspace", "space", "delete", "f4", "ctrl+u", "ctrl+w", "ctrl+l",
}

// animal does something with a screen, as fast as it can. Commands run beside it, as
// they do in the program.
type animal struct {
	*scene
	*rand.Rand
	answers chan tea.Msg
}

// give gives a message to the model.
func (a *animal) give(msg tea.Msg) {
	_, cmd := a.Update(msg)
	a.start(cmd)
}

// start begins commands. Their answers come when they come.
func (a *animal) start(cmd tea.Cmd) {
	if cmd == nil {
		return
	}
	go func() {
		switch msg := cmd().(type) {
		case nil:
		case tea.BatchMsg:
			for _, c := range msg {
				a.start(c)
			}
		default:
			select {
			case a.answers <- msg:
			default: // the test has ended
			}
		}
	}()
}

// act does something and returns what.
func (a *animal) act() string {
	for a.IntN(3) > 0 {
		select {
		case msg := <-a.answers:
			a.give(msg)
			continue
		case <-time.After(time.Millisecond):
		}
		break
	}
	switch n := a.IntN(100); {
	case n < 50:
		k := monkeyKeys[a.IntN(len(monkeyKeys))]
		a.give(press(k))
		return k
	case n < 75:
		k := string(rune('!' + a.IntN('~'-'!'+1)))
		if k != "q" && k != "Q" || a.over != nil {
			a.give(press(k))
		}
		return k
	case n < 78:
		text := []string{"-p tcp", "-p udp", "-s 10.0.0.0/28", "10.0", "src,dport", "\x1b[2J\xff計"}[a.IntN(6)]
		a.give(tea.PasteMsg{Content: text})
		return "paste:" + text
	case n < 84:
		a.give(tea.MouseClickMsg{Button: tea.MouseLeft, X: a.IntN(a.width + 1), Y: a.IntN(a.height + 1)})
		return "click"
	case n < 87:
		a.give(tea.MouseWheelMsg{Button: tea.MouseWheelUp + tea.MouseButton(a.IntN(2))})
		return "wheel"
	case n < 90:
		a.give(tea.WindowSizeMsg{Width: a.IntN(320), Height: a.IntN(110)})
		return "resize"
	case n < 95:
		for range a.IntN(20) {
			a.send(a.IntN(400), 50+a.IntN(1000), false)
		}
		a.advance(time.Duration(a.IntN(5000)) * time.Millisecond)
		return "traffic"
	case n < 96:
		a.advance(40 * time.Second)
		a.kernel.Expire()
		return "expiry"
	}
	a.give(statusMsg{status: a.table.Status()})
	return "status"
}

// checkScreen checks that the screen fits.
func (a *animal) checkScreen(t *testing.T, what string) {
	text, cursor := a.screen()
	lines := strings.Split(text, "\n")
	if len(lines) > max(a.height, 1) {
		t.Errorf("%s: %d lines of %d", what, len(lines), a.height)
	}
	for _, line := range lines {
		plain := ansi.Strip(line)
		if n := ansi.StringWidth(plain); n > max(a.width, 0) || strings.ContainsAny(plain, "\x1b\r\t\x00\u009b") {
			t.Errorf("%s, %d x %d: %d columns: %q", what, a.width, a.height, n, line)
		}
	}
	if cursor != nil && (cursor.X < 0 || cursor.X >= a.width || cursor.Y < 0 || cursor.Y >= a.height) {
		t.Errorf("%s, %d x %d: the cursor is at %v", what, a.width, a.height, *cursor)
	}
}
