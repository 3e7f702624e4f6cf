package top

import (
	"strings"

	"github.com/charmbracelet/x/ansi"

	"github.com/gonntrack/gonntrack/format"
	"github.com/gonntrack/gonntrack/internal/printable"
)

// gutter is how many columns there are before the first cell: of the cursor, where no
// colour shows it, and of marks.
const gutter = 2

// draw returns the titles and the rows.
func (p *entries) draw(m *Model, width, lines int) []string {
	switch {
	case p.failed != nil:
		text := wrap(printable.String(p.failed.Error()), width)
		for i, line := range text {
			text[i] = m.style.on(red, line)
		}
		return text[:min(len(text), max(lines, 0))]
	case p.page == nil || lines < 1:
		return nil
	}
	p.width = width - gutter
	grid := p.columnsFor(m)
	grid.Reset()
	top := p.top
	if p.cursor > top+lines-2 { // an overlay has taken lines
		top = max(p.cursor-lines+2, 0)
	}
	var rows []int // indexes in page.Rows
	for place := top; place < top+lines-1; place++ {
		if row := p.row(place); row != nil {
			rows = append(rows, place-p.page.Offset)
			grid.Add(row.Flow, p.context(m, place-p.page.Offset))
		}
	}
	grid.Fit(p.width)
	if p.page.Matched == 0 {
		return []string{m.style.on(faint, m.nothing("entries"))}
	}
	text := []string{p.titles(m)}
	for i, at := range rows {
		for len(text)-1 < p.page.Offset+at-top { // not known yet
			text = append(text, "")
		}
		text = append(text, p.line(m, i, at))
	}
	return text
}

// context returns what is known about a row of the page beside its entry.
func (p *entries) context(m *Model, at int) *format.Context {
	row := &p.page.Rows[at]
	c := m.context(row.Ref.Source())
	c.Rates = &row.Rates
	if e, ok := p.processes.known[row.Ref]; ok && p.choice.wantsProcesses() {
		c.Process = e.of(row.Flow)
	}
	return c
}

// line returns the line of a row, which is number i of the grid.
func (p *entries) line(m *Model, i, at int) string {
	s, row := &m.style, &p.page.Rows[at]
	cursor := p.page.Offset+at == p.cursor
	head := []byte("  ")
	if cursor && !s.color {
		head[0] = '>'
	}
	if row.Marked {
		head[1] = '*'
	}
	line := string(p.grid.AppendRow(head, i, func(c *format.GridColumn, cell string) string {
		return s.on(paint(format.CellColor(c.Field, cell)), cell)
	}))
	if row.Marked {
		line = s.row(marked, line)
	}
	if cursor {
		if n := ansi.StringWidth(line); n < p.width+gutter {
			line += strings.Repeat(" ", p.width+gutter-n)
		}
		line = s.row(reverse, line)
	}
	return line
}

// marked is the paint of rows that are marked.
const marked = yellow

// titles returns the line of titles, with an arrow before the one that entries are
// sorted by.
func (p *entries) titles(m *Model) string {
	line := []byte(strings.Repeat(" ", gutter) + string(p.grid.AppendTitles(nil, nil)))
	order := p.sorted(m)
	current := sortColumn(order)
	arrow, at := byte('v'), -1
	if len(order) > 0 && !order[0].Descending {
		arrow = '^'
	}
	for _, c := range p.grid.Columns() {
		if c.Field != current {
			continue
		}
		if at = gutter + c.X - 1; c.Right {
			at += c.Width - len(c.Title)
		}
	}
	if at < 0 || at >= len(line) {
		return m.style.row(bold, string(line))
	}
	line[at] = arrow
	text := string(line)
	if m.style.utf8 {
		sign := "▼"
		if arrow == '^' {
			sign = "▲"
		}
		text = text[:at] + sign + text[at+1:]
	}
	return m.style.row(bold, text)
}

// columns returns the columns that are shown.
func (p *entries) columns() []format.GridColumn {
	if p.grid == nil {
		return nil
	}
	return p.grid.Columns()
}
