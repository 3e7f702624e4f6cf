package top

import (
	"context"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/gonntrack/gonntrack/cmd/internal/live"
	"github.com/gonntrack/gonntrack/filter"
	"github.com/gonntrack/gonntrack/format"
)

// events is the panel of events, the newest at the bottom.
type events struct {
	lines []eventLine
	// last is the serial of the last event that is among lines, or was passed over.
	last   uint64
	known  bool           // there was an answer
	filter *filter.Filter // of the lines
	search string         // likewise

	// paused reports that no events are added; more is how many came meanwhile.
	paused bool
	more   uint64

	scroll scroll
	clicks clicks
	grid   *eventsGrid
}

// eventLine is a line of the panel: an event, or how many were passed over.
type eventLine struct {
	live.Event
	program string // that caused it
	passed  uint64 // there is no event
	some    bool   // of those that were passed over some may not match
}

const (
	// eventsAtOnce is how many events one answer has, the latest. Others are passed
	// over.
	eventsAtOnce = 200
	// eventsKept is how many lines can be scrolled back to.
	eventsKept = 5000
	// searchedEvents is how many events are searched at once.
	searchedEvents = 2000
)

// eventsMsg is the answer to a question for events.
type eventsMsg struct {
	after  uint64
	filter *filter.Filter
	search string
	lines  []eventLine
	full   bool // there are as many events as were asked for
	last   uint64
}

func newEvents() *events { return &events{} }

func (p *events) name() string { return "events" }

func (p *events) every() time.Duration { return tickEvery }

func (p *events) ask(_ context.Context, m *Model, _, _ int) tea.Cmd {
	if p.filter != m.filter || p.search != m.search {
		*p = events{filter: m.filter, search: m.search, paused: p.paused, scroll: scroll{lines: p.scroll.lines}}
	}
	asked := eventsMsg{after: p.last, filter: p.filter, search: p.search}
	n := eventsAtOnce
	if p.search != "" {
		n = searchedEvents
	}
	if p.paused && p.known {
		n = 0
	}
	d, tables := m.data, m.tables
	return func() tea.Msg {
		found, last := d.EventsSince(asked.after, n, asked.filter)
		asked.last, asked.full = last, len(found) == n
		if asked.search != "" {
			found = searchEvents(found, asked.search)
			found = found[max(len(found)-eventsAtOnce, 0):]
		}
		for _, e := range found {
			line := eventLine{Event: e}
			if e.PortID != 0 && e.Source < len(tables) {
				line.program = tables[e.Source].ProcessName(e.PortID)
			}
			asked.lines = append(asked.lines, line)
		}
		return asked
	}
}

func (p *events) answer(_ *Model, msg tea.Msg) (tea.Cmd, bool) {
	answer, ok := msg.(eventsMsg)
	switch {
	case !ok:
		return nil, false
	case answer.after != p.last || answer.filter != p.filter || answer.search != p.search:
	case p.paused && p.known:
		p.more = answer.last - p.last
	default:
		p.add(answer)
	}
	return nil, true
}

// add adds what an answer has. Where the cursor is on the last line it stays there.
func (p *events) add(answer eventsMsg) {
	follows := p.scroll.cursor >= p.scroll.total-1
	if len(answer.lines) > 0 {
		skipped := answer.lines[0].Serial - 1 - answer.after
		if answer.after > 0 && skipped > 0 && (answer.full || answer.filter == nil && answer.search == "") {
			selected := answer.filter != nil || answer.search != ""
			p.lines = append(p.lines, eventLine{passed: skipped, some: selected})
		}
		p.lines = append(p.lines, answer.lines...)
	}
	p.known, p.last, p.more = true, answer.last, 0
	if over := len(p.lines) - eventsKept; over > 0 {
		p.lines = slices.Delete(p.lines, 0, over)
		p.scroll.cursor, p.scroll.top = max(p.scroll.cursor-over, 0), max(p.scroll.top-over, 0)
	}
	p.scroll.fit(len(p.lines), p.scroll.lines)
	if follows {
		p.scroll.move(p.scroll.total)
	}
}

// pause stops that events are added, or goes on.
func (p *events) pause(m *Model) {
	p.paused = !p.paused
	p.more = 0
	m.refresh()
}

func (p *events) key(m *Model, k tea.KeyPressMsg) (tea.Cmd, bool) {
	switch key := k.String(); key {
	case "p":
		p.pause(m)
	case "enter":
		if p.scroll.cursor < len(p.lines) {
			return p.open(m, &p.lines[p.scroll.cursor]), true
		}
	default:
		return nil, p.scroll.key(key)
	}
	return nil, true
}

func (p *events) click(m *Model, _, y int) tea.Cmd {
	if at := p.scroll.top + y - 1; y > 0 && y <= p.scroll.lines && at < p.scroll.total {
		p.scroll.move(at - p.scroll.cursor)
		if p.clicks.double(at, m.now()) {
			return p.open(m, &p.lines[at])
		}
	}
	return nil
}

func (p *events) wheel(_ *Model, turns int) tea.Cmd {
	p.scroll.roll(turns * wheelLines)
	return nil
}

func (p *events) keys() []hint {
	text := "pause"
	if p.paused {
		text = "go on"
	}
	return []hint{{"p", text}, {"Enter", "explain"}, {"End", "newest"}}
}

// searchEvents returns the events whose line has a text in it, without regard to case.
func searchEvents(found []live.Event, text string) []live.Event {
	line := format.NewPrinter(format.Options{})
	text = strings.ToLower(text)
	return slices.DeleteFunc(found, func(e live.Event) bool {
		return !strings.Contains(strings.ToLower(string(line.AppendFlow(nil, e.Flow, nil))), text)
	})
}
