package top

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/gonntrack/gonntrack/cmd/internal/live"
	"github.com/gonntrack/gonntrack/format"
	"github.com/gonntrack/gonntrack/internal/printable"
)

// groupsGrid has the columns of groups. They are chosen anew when any of what it
// depends on changes.
type groupsGrid struct {
	*format.Grid
	names, titles []string // of all columns
	keys, sort    string
	counted       bool
	width         int
}

// The widths that addresses of groups can be cut to.
const (
	leastGroupAddr = 13 // of "123456 groups" too
	roomyGroupAddr = 21
)

// newGrid returns a grid for the columns of the panel.
func (p *groups) newGrid(m *Model, width int) *groupsGrid {
	g := &groupsGrid{keys: keysText(p.by), sort: p.sort, counted: p.counted(m), width: width}
	var columns []format.GridColumn
	add := func(name string, c format.GridColumn) {
		if name == p.sort {
			c.Rank, c.Optional = 0, false
		}
		g.names, columns = append(g.names, name), append(columns, c)
	}
	for i := range p.by {
		k := &p.by[i]
		c := format.GridColumn{
			Field: k.Field, Title: strings.ToUpper(strings.ReplaceAll(k.Name, "_", " ")), Right: k.Kind().Numeric(),
		}
		if k.Field.Kind == format.KindAddr {
			c.Least, c.Roomy = leastGroupAddr, roomyGroupAddr
		}
		add(k.Name, c)
	}
	add("entries", format.GridColumn{Title: "ENTRIES", Right: true})
	if g.counted {
		add("packets", format.GridColumn{Title: "PACKETS", Right: true, Rank: 8})
		add("bytes", format.GridColumn{Title: "BYTES", Right: true, Rank: 5})
		add("packet_rate", format.GridColumn{Title: "PACKETS/S", Right: true, Rank: 7, Optional: true})
		add("byte_rate", format.GridColumn{Title: "BYTES/S", Right: true, Rank: 1, Optional: true})
	}
	add("share", format.GridColumn{Title: "SHARE", Right: true, Rank: 6})
	for _, c := range columns {
		g.titles = append(g.titles, c.Title)
	}
	g.Grid = format.NewGridOf(columns, !m.style.utf8)
	return g
}

// column returns the name of a column that is shown.
func (g *groupsGrid) column(c *format.GridColumn) string {
	return g.names[slices.Index(g.titles, c.Title)]
}

// counted reports whether packets and bytes are shown: those that are known, even if
// the kernel does not count any more.
func (p *groups) counted(m *Model) bool {
	return !m.status.AccountingOff || p.got != nil && p.got.Total.Counted
}

func (p *groups) draw(m *Model, width, lines int) []string {
	switch {
	case p.failed != nil:
		return m.style.insteadOf(red, printable.String(p.failed.Error()), width, lines)
	case p.got == nil:
		return nil
	case p.got.Matched == 0:
		return m.style.insteadOf(faint, m.nothing("entries"), width, lines)
	}
	width -= gutter
	p.scroll.fit(p.got.Matched, lines-groupsFrame)
	if g := p.grid; g == nil || g.width != width || g.sort != p.sort || g.keys != keysText(p.by) ||
		g.counted != p.counted(m) {
		p.grid = p.newGrid(m, width)
	}
	p.grid.Reset()
	var shown []*live.Group
	first := max(p.scroll.top, p.got.Offset)
	for i := first; i < p.scroll.top+p.scroll.lines; i++ {
		g := p.group(i)
		if g == nil {
			break
		}
		shown = append(shown, g)
		p.grid.AddCells(p.cells(m, g)...)
	}
	p.grid.AddCells(p.sums()...)
	columns := p.grid.Fit(width)

	text := make([]string, max(lines, 1))
	text[0] = p.titleLine(&m.style)
	for i, g := range shown {
		line := m.style.listRow(p.line(&m.style, i, g, columns, width), first+i == p.scroll.cursor, width+gutter)
		if at := 1 + first + i - p.scroll.top; at < len(text) {
			text[at] = line
		}
	}
	if lines > groupsFrame {
		text[lines-1] = "  " + m.style.on(bold, string(p.grid.AppendRow(nil, len(shown), nil)))
	}
	return text
}

// cells returns the cells of a group, with the names that entries are shown with.
func (p *groups) cells(m *Model, g *live.Group) []string {
	var o format.Options
	if e, ok := m.panels[entriesPanel].(*entries); ok {
		e.lookups.dress(&o)
	}
	names, kinds := groupNames(p.by)
	return append(format.GroupCells(&o, names, kinds, &g.Group), p.grid.sums(g, &p.got.Total)...)
}

// sums returns the cells of all groups together.
func (p *groups) sums() []string {
	cells := make([]string, len(p.by))
	cells[0] = fmt.Sprintf("%d groups", p.got.Matched)
	if p.got.Matched == 1 {
		cells[0] = "1 group"
	}
	return append(cells, p.grid.sums(&p.got.Total, &p.got.Total)...)
}

// sums returns the cells of the sums of one of all groups.
func (g *groupsGrid) sums(one, total *live.Group) []string {
	cells := []string{strconv.FormatUint(one.Entries, 10)}
	if g.counted {
		packets, bytes, packetRate, byteRate := "-", "-", "", ""
		if one.Counted {
			packets, bytes = countText(float64(one.Packets)), bytesText(float64(one.Bytes))
		}
		if one.Rates.Known {
			packetRate = string(format.AppendRate(nil, one.Rates.Packets(), false))
			byteRate = string(format.AppendRate(nil, one.Rates.Bytes(), true))
		}
		cells = append(cells, packets, bytes, packetRate, byteRate)
	}
	return append(cells, percentText(one.Entries, total.Entries))
}

// titleLine returns the line of titles, with an arrow before the one that groups are
// sorted by.
func (p *groups) titleLine(s *styles) string {
	at := -1
	for _, c := range p.grid.Columns() {
		if p.grid.column(&c) != p.sort {
			continue
		}
		if at = gutter + c.X - 1; c.Right {
			at += c.Width - len(c.Title)
		}
	}
	return s.listTitles(string(p.grid.AppendTitles(nil, nil)), at, p.descending)
}

// The widths of the bar behind the share of a group.
const (
	leastBar = 5
	mostBar  = 25
)

// line returns the line of a group, with a bar for its share where there is room.
func (p *groups) line(s *styles, row int, g *live.Group, columns []format.GridColumn, width int) string {
	line := string(p.grid.AppendRow(nil, row, func(c *format.GridColumn, cell string) string {
		return s.on(paint(format.CellColor(c.Field, cell)), cell)
	}))
	last := columns[len(columns)-1]
	if room := width - last.X - last.Width - 1; p.grid.column(&last) == "share" && room >= leastBar {
		line += " " + s.on(blue, s.hbar(float64(g.Entries), float64(p.got.Total.Entries), min(room, mostBar)))
	}
	return line
}
