package format

import (
	"cmp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// A table of entries is drawn a block of rows at a time: as many as a person
// looks at are one block, and of a million no more than one is in memory. The
// first block chooses the columns and their widths. In later ones columns only
// grow, and a column that says something for the first time is added, under a
// new line of titles.

// blockRows is how many rows are drawn together.
const blockRows = 1000

// table collects rows and draws them.
type table struct {
	columns []tableColumn
	width   int // of a line, 0: any
	color   bool
	rows    [][]string
	shown   []int // the columns of the last block; nil before the first
	scratch []byte
}

// tableColumn is a column that may be shown.
type tableColumn struct {
	field *Field
	rank  int  // see usualColumn
	usual bool // it is left out where it says nothing
	width int
	used  bool // a cell said something
}

// newTable returns the table of the usual columns, or of those that the
// options name.
func newTable(o *Options) *table {
	t := &table{width: o.Width, color: o.Color}
	usual, has := tableFlow, (*Field).OfFlows
	if o.Expect {
		usual, has = tableExpect, (*Field).OfExpects
	}
	for _, d := range o.Columns {
		if has(d) {
			t.columns = append(t.columns, tableColumn{field: d})
		}
	}
	if o.Columns == nil {
		for _, u := range usual {
			t.columns = append(t.columns, tableColumn{field: ColumnByName(u.name), rank: u.rank, usual: true})
		}
	}
	for i := range t.columns {
		t.columns[i].width = len(t.columns[i].field.title())
	}
	return t
}

// add takes a row in, cell by cell, and draws a block when it is full.
func (t *table) add(dst []byte, cell func(dst []byte, d *Field) []byte) []byte {
	row := make([]string, len(t.columns))
	for i := range t.columns {
		c := &t.columns[i]
		t.scratch = cell(t.scratch[:0], c.field)
		c.used = c.used || !dull(c.field.Name, t.scratch)
		row[i] = string(t.scratch)
	}
	t.rows = append(t.rows, row)
	if len(t.rows) < blockRows {
		return dst
	}
	return t.draw(dst)
}

// draw draws the rows that were collected.
func (t *table) draw(dst []byte) []byte {
	if len(t.rows) == 0 {
		return dst
	}
	for _, row := range t.rows {
		for i, cell := range row {
			t.columns[i].width = max(t.columns[i].width, utf8.RuneCountInString(cell))
		}
	}
	shown := t.choose()
	g := drawing{color: t.color}
	if !slices.Equal(shown, t.shown) {
		for _, i := range shown {
			g.titles = append(g.titles, t.columns[i].field.title())
		}
	}
	t.shown = shown
	for _, i := range shown {
		g.right = append(g.right, t.columns[i].field.Kind.Numeric())
		g.widths = append(g.widths, t.columns[i].width)
	}
	for _, row := range t.rows {
		cells := make([]string, len(shown))
		for n, i := range shown {
			cells[n] = row[i]
		}
		g.rows = append(g.rows, cells)
	}
	g.dress = func(_, n int, cell string) string { return colorCell(t.columns[shown[n]].field.Name, cell) }
	t.rows = t.rows[:0]
	return g.append(dst)
}

// choose returns the columns that are shown: of the usual ones those that say
// something, and of these, in the order of their ranks, what still fits the
// width. What was shown before stays.
func (t *table) choose() []int {
	var ranked []int
	for i := range t.columns {
		if c := &t.columns[i]; !c.usual || c.used {
			ranked = append(ranked, i)
		}
	}
	rank := func(i int) int {
		if slices.Contains(t.shown, i) {
			return 0
		}
		return t.columns[i].rank
	}
	slices.SortStableFunc(ranked, func(i, j int) int { return cmp.Compare(rank(i), rank(j)) })
	var shown []int
	total := -gap
	for _, i := range ranked {
		if n := total + gap + t.columns[i].width; rank(i) == 0 || t.width == 0 || n <= t.width {
			shown, total = append(shown, i), n
		}
	}
	slices.Sort(shown)
	return shown
}

// tableFlow adds an entry to the table.
func (p *Printer) tableFlow(dst []byte, f *ctnetlink.Flow, c *Context) []byte {
	return p.table.add(dst, func(cell []byte, d *Field) []byte {
		if d.Kind.Numeric() {
			v, ok := d.Number(f, c)
			return appendNumberCell(cell, d, v, ok)
		}
		if d.Name == "proto" && f.Orig().Proto.Name() == "" {
			return appendUint(cell, uint64(f.Orig().Proto))
		}
		return cleanCell(p.AppendField(cell, d, f, c), d)
	})
}

// tableExpect adds an expectation to the table.
func (p *Printer) tableExpect(dst []byte, x *ctnetlink.Expect, c *Context) []byte {
	return p.table.add(dst, func(cell []byte, d *Field) []byte {
		if d.Kind == KindSeconds && d.xnumber != nil {
			v, ok := d.xnumber(x, c)
			return appendNumberCell(cell, d, v, ok)
		}
		return cleanCell(p.AppendExpectField(cell, d, x, c), d)
	})
}

// appendNumberCell appends a number as people read it.
func appendNumberCell(cell []byte, d *Field, v uint64, ok bool) []byte {
	if !ok {
		return cell
	}
	switch d.Kind {
	case KindBytes:
		return appendHumanBytes(cell, v)
	case KindSeconds:
		return appendHumanSeconds(cell, v)
	case KindTime:
		return localTime(v).AppendFormat(cell, time.DateTime)
	}
	if strings.HasSuffix(d.Name, "packets") {
		return appendHumanCount(cell, v)
	}
	return appendUint(cell, v)
}

// cleanCell makes a name from outside fit for a terminal.
func cleanCell(cell []byte, d *Field) []byte {
	if d.Kind != KindName {
		return cell
	}
	return appendName(nil, cell)
}
