package top

import (
	"cmp"
	"context"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/gonntrack/gonntrack/cmd/internal/live"
	"github.com/gonntrack/gonntrack/format"
	"github.com/gonntrack/gonntrack/internal/printable"
)

// expects is the panel of expectations: connections that helpers wait for.
type expects struct {
	rows   []live.Expectation
	known  bool // rows are an answer
	failed error
	scroll scroll
	grid   *format.Grid
	width  int // of grid
}

// expectsMsg is the answer to a question for expectations.
type expectsMsg struct {
	rows []live.Expectation
	err  error
}

func newExpects() *expects { return &expects{} }

func (p *expects) name() string { return "expectations" }

func (p *expects) ask(ctx context.Context, m *Model, _, _ int) tea.Cmd {
	d, search := m.data, strings.ToLower(m.search)
	return func() tea.Msg {
		rows, err := d.Expectations(ctx)
		if search != "" {
			line := format.NewPrinter(format.Options{Expect: true})
			rows = slices.DeleteFunc(rows, func(x live.Expectation) bool {
				return !strings.Contains(strings.ToLower(string(line.AppendExpect(nil, x.Expect, nil))), search)
			})
		}
		slices.SortStableFunc(rows, compareExpects)
		return expectsMsg{rows, err}
	}
}

// compareExpects orders expectations so that they stay where they are: by their id.
func compareExpects(a, b live.Expectation) int {
	x, _ := a.Expect.ID()
	y, _ := b.Expect.ID()
	return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(x, y))
}

func (p *expects) answer(_ *Model, msg tea.Msg) (tea.Cmd, bool) {
	answer, ok := msg.(expectsMsg)
	if !ok {
		return nil, false
	}
	if p.failed = answer.err; p.failed != nil {
		return nil, true
	}
	var chosen *live.Expectation
	if p.scroll.cursor < len(p.rows) && p.scroll.cursor > 0 {
		chosen = &p.rows[p.scroll.cursor]
	}
	p.rows, p.known = answer.rows, true
	p.scroll.fit(len(p.rows), p.scroll.lines)
	if chosen != nil {
		if at := slices.IndexFunc(p.rows, func(x live.Expectation) bool { return compareExpects(x, *chosen) == 0 }); at >= 0 {
			p.scroll.jump(at)
		}
	}
	return nil, true
}

func (p *expects) key(m *Model, k tea.KeyPressMsg) (tea.Cmd, bool) {
	if key := k.String(); key == "d" || key == "delete" {
		var x *live.Expectation
		if p.scroll.cursor < len(p.rows) {
			x = &p.rows[p.scroll.cursor]
		}
		m.deleteExpect(x)
		return nil, true
	}
	return nil, p.scroll.key(k.String())
}

func (p *expects) click(_ *Model, _, y int) tea.Cmd {
	if at := p.scroll.top + y - 1; y > 0 && y <= p.scroll.lines && at < p.scroll.total {
		p.scroll.move(at - p.scroll.cursor)
	}
	return nil
}

func (p *expects) wheel(_ *Model, turns int) tea.Cmd {
	p.scroll.roll(turns * wheelLines)
	return nil
}

func (p *expects) keys() []hint { return []hint{{"d", "delete"}} }

func (p *expects) draw(m *Model, width, lines int) []string {
	switch {
	case p.failed != nil:
		return m.style.insteadOf(red, printable.String(p.failed.Error()), width, lines)
	case !p.known:
		return nil
	case len(p.rows) == 0 && m.search != "":
		return m.style.insteadOf(faint, "No expectations have the text that was searched for.", width, lines)
	case len(p.rows) == 0:
		return m.style.insteadOf(faint, "There are no expectations: no helper waits for a connection.", width, lines)
	}
	p.scroll.fit(len(p.rows), lines-1)
	if p.grid == nil || p.width != width {
		p.grid, p.width = format.NewGrid(format.Options{Expect: true}, !m.style.utf8), width
	}
	p.grid.Reset()
	shown := p.rows[p.scroll.top:min(p.scroll.top+p.scroll.lines, len(p.rows))]
	for i := range shown {
		p.grid.AddExpect(shown[i].Expect, m.context(shown[i].Source))
	}
	p.grid.Fit(width - gutter)
	text := []string{m.style.listTitles(string(p.grid.AppendTitles(nil, nil)), -1, false)}
	for i := range shown {
		line := string(p.grid.AppendRow(nil, i, nil))
		text = append(text, m.style.listRow(line, p.scroll.top+i == p.scroll.cursor, width))
	}
	return text[:min(len(text), lines)]
}
