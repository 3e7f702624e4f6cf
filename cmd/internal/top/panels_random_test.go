package top

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/gonntrack/gonntrack/internal/testwait"
)

// TestPanelsRandomly: whatever keys, clicks, sizes and tables come in which order, each
// view draws lines that fit, and its cursor is in its list.
func TestPanelsRandomly(t *testing.T) {
	s := newScene(t, 80, 24, "--by src,dport", busy(60))
	keys := []string{
		"up", "down", "pgup", "pgdown", "home", "end", "G", "k", "j", "left", "right", "<", ">", "r", "R", "b", "B",
		"g", "w", "p", "enter", "esc", "backspace", "tab", "1", "2", "3", "4", "5", "f", "F", "/", "-", "!", ",", "s",
		"x", "?", "c",
	}
	for seed := range uint64(testwait.Size(3, 1)) {
		r := rand.New(rand.NewPCG(seed, 12))
		var log []string
		var late []tea.Cmd
		for range 400 {
			what := ""
			switch r.IntN(12) {
			case 0:
				s.width, s.height = 40+r.IntN(120), 10+r.IntN(40)
				what = fmt.Sprintf("%d×%d", s.width, s.height)
				s.style.utf8, s.style.color = r.IntN(2) == 0, r.IntN(2) == 0
			case 1:
				x, y := r.IntN(s.width), r.IntN(s.height)
				what = fmt.Sprintf("click %d,%d", x, y)
				late = append(late, s.Model.click(x, y))
			case 2:
				what = "wheel"
				late = append(late, s.panel().wheel(s.Model, r.IntN(5)-2))
			case 3:
				what = "entries"
				s.send(r.IntN(4000), 100, false)
				s.advance(time.Duration(r.IntN(5)) * time.Second)
			case 4:
				what = "look"
				s.fresh()
			default:
				if what = keys[r.IntN(len(keys))]; s.over != nil && r.IntN(3) == 0 {
					what = "esc"
				}
				_, cmd := s.Update(press(what))
				late = append(late, cmd)
			}
			for len(late) > 0 && r.IntN(3) > 0 { // answers come late
				next := s.once(late[0])
				if late = late[1:]; s.over == nil { // an entry in words asks again and again
					late = append(late, next...)
				}
			}
			log = append(log[max(len(log)-20, 0):], what)
			text, _ := s.screen()
			lines := strings.Split(text, "\n")
			if len(lines) != s.height {
				t.Fatalf("seed %d: %d lines of %d after %q", seed, len(lines), s.height, log)
			}
			for _, line := range lines {
				if n := ansi.StringWidth(line); n > s.width {
					t.Fatalf("seed %d: %d columns of %d after %q: %q", seed, n, s.width, log, line)
				}
			}
			for _, p := range s.panels {
				var c *scroll
				switch p := p.(type) {
				case *groups:
					c = &p.scroll
				case *states:
					c = &p.scroll
				case *events:
					c = &p.scroll
				case *expects:
					c = &p.scroll
				default:
					continue
				}
				if c.cursor < 0 || c.cursor > 0 && c.cursor >= c.total || c.top < 0 || c.top > c.cursor {
					t.Fatalf("seed %d: %s has %+v after %q", seed, p.name(), *c, log)
				}
			}
		}
	}
}

// once executes a command, gives its messages to the model, and returns the commands
// that they lead to.
func (s *scene) once(cmd tea.Cmd) (next []tea.Cmd) {
	if cmd == nil {
		return nil
	}
	switch msg := cmd().(type) {
	case nil:
	case tea.BatchMsg:
		for _, c := range msg {
			next = append(next, s.once(c)...)
		}
	default:
		_, c := s.Update(msg)
		next = append(next, c)
	}
	return next
}
