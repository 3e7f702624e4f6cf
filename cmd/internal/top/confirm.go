package top

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	tea "charm.land/bubbletea/v2"

	"github.com/gonntrack/gonntrack/cmd/internal/live"
	"github.com/gonntrack/gonntrack/internal/printable"
)

// confirmation is an overlay: the question whether entries are to be changed, with
// their number and the command line that would do the same.
type confirmation struct {
	choice *live.Choice
	change change
	// what are the entries that are meant: those that match, say.
	what string
	// command is one command line for all of them, nil: each has one of its own.
	command []string
	// words returns the options that name the table of an entry.
	words func(source int) []string

	n       int           // how many are left
	lines   []string      // the command lines of the first ones
	took    time.Duration // how long it took to find out
	closed  bool
	cancel  context.CancelFunc // of the change that is under way, nil: none is
	started time.Time
}

// confirmLines is how many command lines are shown at most.
const confirmLines = 5

// every returns the time between two looks. One of many entries takes long, and looks
// take at most one part of askShare of the time.
func (c *confirmation) every() time.Duration { return max(confirmEvery, askShare*c.took) }

// look finds out how many entries are left, and the command lines of the first ones.
// It waits for the table: only commands call it.
func (c *confirmation) look() (n int, lines []string) {
	begun := time.Now()
	n = c.choice.Len()
	c.took = time.Since(begun)
	if c.command != nil {
		return n, []string{shellLine(c.command)}
	}
	for row := range c.choice.All() {
		if lines = append(lines, c.line(row)); len(lines) == confirmLines {
			break
		}
	}
	return n, lines
}

// line returns the command line that changes one entry.
func (c *confirmation) line(row *live.Row) string {
	words := append([]string{"conntrack"}, c.change.letter())
	words = appendEntry(append(words, c.words(row.Ref.Source())...), row.Flow)
	return shellLine(append(words, c.change.options()...))
}

// watch returns the command that looks again after a while, as long as the question
// stands: entries that end leave it.
func (c *confirmation) watch() tea.Cmd {
	return tea.Tick(c.every(), func(time.Time) tea.Msg {
		n, lines := c.look()
		return effect(func(m *Model) tea.Cmd {
			switch {
			case c.closed || c.cancel != nil:
				return nil
			case n == 0:
				c.close(m)
				m.say("Nothing was " + c.done() + ": all of them have ended.")
				return nil
			}
			c.n, c.lines = n, lines
			return c.watch()
		})
	})
}

const confirmEvery = 300 * time.Millisecond

// done is the past participle of what is done.
func (c *confirmation) done() string {
	if c.change.mark != "" {
		return "changed"
	}
	return "deleted"
}

func (c *confirmation) verb() string {
	if c.change.mark != "" {
		return "change"
	}
	return "delete"
}

// singular makes of what is said of several entries what is said of one.
var singular = strings.NewReplacer("match", "matches", "are", "is", "were", "was")

// title is the question.
func (c *confirmation) title() string {
	entries := "this entry"
	switch {
	case c.n > 1 && c.what != "":
		entries = fmt.Sprintf("the %d entries %s", c.n, c.what)
	case c.n > 1:
		entries = fmt.Sprintf("%d entries", c.n)
	case c.what != "":
		entries = "the only entry " + singular.Replace(c.what)
	}
	if c.change.mark != "" {
		return "Set the mark of " + entries + " to " + c.change.mark + "?"
	}
	return "Delete " + entries + "?"
}

// close takes the question away.
func (c *confirmation) close(m *Model) {
	c.closed = true
	if c.cancel != nil {
		c.cancel()
	}
	if m.over == overlay(c) {
		m.closeOverlay()
	}
}

func (c *confirmation) key(m *Model, k tea.KeyPressMsg) tea.Cmd {
	if c.cancel != nil {
		if k.String() == "esc" {
			c.cancel()
		}
		return nil
	}
	switch k.String() {
	case "y":
		return c.run(m)
	case "c":
		return m.copyText(strings.Join(c.lines, "\n"), c.n > len(c.lines) && c.command == nil, c)
	case "w":
		m.openOverlay(newCommandsLine(m, c))
		return nil
	}
	c.close(m)
	m.say("Nothing was " + c.done() + ".")
	return nil
}

// run changes the entries.
func (c *confirmation) run(m *Model) tea.Cmd {
	ctx, cancel := context.WithCancel(context.Background())
	c.cancel, c.started = cancel, m.now()
	a := m.actor
	change := func() tea.Msg {
		o := a.run(ctx, c.choice, c.change)
		return effect(func(m *Model) tea.Cmd {
			c.close(m)
			m.tell(&o)
			m.refresh()
			return nil
		})
	}
	return tea.Batch(change, c.progress())
}

// progress returns the command that has the progress drawn.
func (c *confirmation) progress() tea.Cmd {
	return tea.Tick(confirmEvery, func(time.Time) tea.Msg {
		return effect(func(*Model) tea.Cmd {
			if c.closed {
				return nil
			}
			return c.progress()
		})
	})
}

// tell says what became of a change.
func (m *Model) tell(o *outcome) {
	m.outcome = o
	text := o.String()
	text = strings.ToUpper(text[:1]) + text[1:]
	if o.err == nil {
		m.say(text)
		return
	}
	why := o.err.Error()
	if o.err == context.Canceled { //nolint:errorlint // it is ours
		why = "stopped"
	}
	m.fail(fmt.Errorf("%s; %s", text, why))
}

func (*confirmation) answer(*Model, tea.Msg) tea.Cmd { return nil }

func (c *confirmation) keys() []hint {
	if c.cancel != nil {
		return []hint{{"Esc", "stop"}}
	}
	return []hint{{"y", c.verb()}, {"n Esc", "do nothing"}, {"c", "copy command"}, {"w", "write commands"}}
}

func (c *confirmation) draw(m *Model, width, lines int) ([]string, bool, *tea.Position) {
	if c.cancel != nil {
		text := fmt.Sprintf("%s %d of %d …", map[bool]string{true: "Changing", false: "Deleting"}[c.change.mark != ""],
			min(int(m.actor.seen.Load()), c.n), c.n)
		return []string{m.style.on(bold, text)}, false, nil
	}
	var text []string
	if lines >= 8 { // what is least important is left out first
		text = append(text, "")
	}
	for _, line := range wrap(c.title(), width) {
		text = append(text, m.style.on(bold, line))
	}
	if lines >= 6 && c.command != nil {
		text = append(text, wrap("Entries that come later are not meant.", width)...)
	}
	if lines >= 5 {
		text = append(text, "y does it, as this would:")
	}
	room := lines - len(text) - 1
	shown := 0
	for _, line := range c.lines {
		rows := wrapCommand(printable.String(line), width)
		if room -= len(rows); room < 0 && shown > 0 {
			break
		}
		text = append(text, rows...)
		shown++
	}
	if more := c.n - shown; more > 0 && c.command == nil {
		text = text[:min(len(text), max(lines-1, 1))]
		rest := fmt.Sprintf("  … and %d more: w writes all of them to a file for `conntrack -R'", more)
		if len(rest) > width {
			rest = fmt.Sprintf("  … and %d more (w writes all)", more)
		}
		text = append(text, rest)
	}
	return text, false, nil
}

// wrapCommand breaks a command line at blanks into lines of a width, with two blanks
// in front.
func wrapCommand(line string, width int) []string {
	var lines []string
	room := max(width-2, 8)
	for line != "" {
		n := len(line)
		if n > room {
			if n = strings.LastIndexByte(line[:room+1], ' '); n <= 0 {
				for n = room; !utf8.RuneStart(line[n]); n-- {
				}
			}
		}
		lines = append(lines, "  "+line[:n])
		line = strings.TrimPrefix(line[n:], " ")
	}
	return lines
}
