package format

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// Grid lays out rows in columns that fit a width, for a screen: those of entries or
// expectations with the columns, texts and widths of StyleTable. It holds what is on
// the screen, draws no headings by itself, and does not colour anything. A column is
// never narrower than it was for the rows before.
//
// Its texts are clean: what comes from outside is escaped.
type Grid struct {
	p       *Printer
	t       *table
	ascii   bool
	cells   []string // of all columns, row after row
	indexes []int    // of the columns that are shown, in t.columns
	columns []GridColumn
	width   int
}

// GridColumn is a column of a Grid.
type GridColumn struct {
	// Field is what it shows of entries or expectations, nil if that is no field.
	Field *Field
	Title string
	Right bool // its cells are aligned to the right: numbers

	// Rank is the order in which columns are chosen until the width is used up. Those
	// of rank 0 are always shown.
	Rank int
	// Least and Roomy, if not 0, are the widths that cells with addresses can be cut
	// to: to Least to make room for columns up to rank 4, to Roomy for others.
	Least, Roomy int
	// Optional: it is left out while its cells are empty.
	Optional bool

	// X and Width tell where a column that is shown is.
	X, Width int
}

// NewGrid returns a grid for entries, or with o.Expect for expectations, in the
// columns of o, or the usual ones. Of o.HostNames it takes the names that are known
// when it is drawn. With ascii it has no other characters.
func NewGrid(o Options, ascii bool) *Grid {
	o.Style, o.Width, o.Color = StyleTable, 0, false
	p := NewPrinter(o)
	g := &Grid{p: p, t: p.table, ascii: ascii}
	for i := range g.t.columns {
		c := &g.t.columns[i]
		if o.Columns != nil {
			c.usualColumn = chosenColumn(c.field, &o)
			c.rank = min(i, 1) // the last are left out for lack of width
		}
	}
	return g
}

// NewGridOf returns a grid for cells in columns of any kind.
func NewGridOf(columns []GridColumn, ascii bool) *Grid {
	g := &Grid{t: &table{}, ascii: ascii}
	for _, c := range columns {
		g.t.columns = append(g.t.columns, tableColumn{
			usualColumn: usualColumn{rank: c.Rank, least: c.Least, roomy: c.Roomy},
			field:       c.Field, title: c.Title, right: c.Right, usual: c.Optional, width: textWidth(c.Title),
		})
	}
	g.t.omitted = make([]bool, len(columns))
	return g
}

// chosenColumn returns how a column that was asked for by name can be cut.
func chosenColumn(d *Field, o *Options) usualColumn {
	list := tableFlow
	if o.Expect {
		list = tableExpect
	}
	for _, u := range list {
		if u.name == d.Name {
			return u
		}
	}
	if d.Kind == KindAddr {
		return usualColumn{name: d.Name, least: leastAddr, roomy: leastEnd}
	}
	return usualColumn{name: d.Name}
}

// Show makes the column of a field one that is shown also if its cells are empty, with a
// rank of its own, and adds it if there is none.
func (g *Grid) Show(d *Field, rank int) {
	i := slices.IndexFunc(g.t.columns, func(c tableColumn) bool { return c.field == d })
	if i < 0 {
		c := tableColumn{usualColumn: chosenColumn(d, &g.p.o), field: d, title: d.title(), right: d.Kind.Numeric()}
		c.width = len(c.title)
		i = len(g.t.columns)
		g.t.columns, g.t.omitted = append(g.t.columns, c), append(g.t.omitted, false)
		g.Reset()
	}
	g.t.columns[i].rank, g.t.columns[i].usual = rank, false
}

// Hide removes the column of a field.
func (g *Grid) Hide(d *Field) {
	g.t.columns = slices.DeleteFunc(g.t.columns, func(c tableColumn) bool { return c.field == d })
	g.t.omitted = g.t.omitted[:len(g.t.columns)]
	g.Reset()
}

// UsualColumns returns the fields that tables of entries show unless others are chosen.
func UsualColumns() (list []*Field) {
	for _, u := range tableFlow {
		list = append(list, FieldByName(u.name))
	}
	return list
}

// Reset removes the rows. The widths of the columns stay.
func (g *Grid) Reset() { g.cells = g.cells[:0] }

// Len returns the number of rows.
func (g *Grid) Len() int {
	if len(g.t.columns) == 0 {
		return 0
	}
	return len(g.cells) / len(g.t.columns)
}

// Add adds the row of an entry.
func (g *Grid) Add(f *ctnetlink.Flow, c *Context) {
	if c == nil {
		c = &noContext
	}
	for i := range g.t.columns {
		g.cells = append(g.cells, string(g.p.tableCell(nil, g.t.columns[i].field, f, c)))
	}
}

// AddExpect adds the row of an expectation.
func (g *Grid) AddExpect(x *ctnetlink.Expect, c *Context) {
	if c == nil {
		c = &noContext
	}
	for i := range g.t.columns {
		g.cells = append(g.cells, string(g.p.expectCell(nil, g.t.columns[i].field, x, c)))
	}
}

// AddCells adds a row of texts, one for each column, which are clean.
func (g *Grid) AddCells(cells ...string) {
	for i := range g.t.columns {
		cell := ""
		if i < len(cells) {
			cell = cells[i]
		}
		g.cells = append(g.cells, cell)
	}
}

// Fit chooses the columns that fit a width, places them, and returns them.
func (g *Grid) Fit(width int) []GridColumn {
	t := g.t
	n := len(t.columns)
	for i, cell := range g.cells {
		c := &t.columns[i%n]
		if t.names != nil && c.field != nil && c.field.hasHosts() {
			cell = hostCell(t.names, cell)
		}
		if g.ascii {
			cell = asciiOnly(cell)
		}
		g.cells[i] = cell
		c.used = c.used || !(cell == "" || c.field != nil && dull(c.field.Name, cell))
		c.width = max(c.width, textWidth(cell))
	}
	clear(t.omitted)
	ranks := g.narrowRanks(width)
	t.width, g.width = width, width
	g.indexes = t.fit()
	for i, u := range ranks {
		t.columns[i].usualColumn = u
	}
	g.columns = g.columns[:0]
	x := 0
	for _, i := range g.indexes {
		c := &t.columns[i]
		g.columns = append(g.columns, GridColumn{Field: c.field, Title: c.title, Right: c.right,
			Rank: c.rank, Least: c.least, Roomy: c.roomy, Optional: c.usual, X: x, Width: c.fit})
		x += c.fit + gap
	}
	return g.columns
}

// Widths up to narrowGrid have no room for the protocol beside both ends and a rate.
const (
	narrowGrid = 56
	leastSide  = 13 // of a source or destination there
)

var narrowRank = map[string]int{"byte_rate": 1, "proto": 2, "condition": 3}

// narrowRanks changes the columns for a narrow width, and returns what they were
// before.
func (g *Grid) narrowRanks(width int) map[int]usualColumn {
	if width > narrowGrid {
		return nil
	}
	before := map[int]usualColumn{}
	for i := range g.t.columns {
		switch c := &g.t.columns[i]; {
		case c.least == leastEnd:
			before[i] = c.usualColumn
			c.least = leastSide
		case c.usual && narrowRank[c.name] > 0:
			before[i] = c.usualColumn
			c.rank = narrowRank[c.name]
		}
	}
	return before
}

// Columns returns the columns that Fit chose.
func (g *Grid) Columns() []GridColumn { return g.columns }

// Omitted returns the fields and titles of the columns that Fit found no room for.
func (g *Grid) Omitted() (list []GridColumn) {
	for i, omitted := range g.t.omitted {
		if omitted {
			list = append(list, GridColumn{Field: g.t.columns[i].field, Title: g.t.columns[i].title})
		}
	}
	return list
}

// Cell returns the text of a cell in the column with an index in Columns, cut to its
// width.
func (g *Grid) Cell(row, column int) string { return g.cell(row, column, g.columns[column].Width) }

// cell is Cell, cut to another width.
func (g *Grid) cell(row, column, width int) string {
	text := g.cells[row*len(g.t.columns)+g.indexes[column]]
	if textWidth(text) <= width {
		return text
	}
	if g.columns[column].Least > 0 {
		text = shorten(text, width)
	}
	return g.cut(text, width)
}

// cut cuts a text at its end.
func (g *Grid) cut(text string, width int) string {
	if textWidth(text) > width {
		text = text[:firstColumns(text, width-1)] + ellipsis
	}
	if g.ascii {
		text = strings.ReplaceAll(text, ellipsis, "~")
	}
	return text
}

// AppendRow appends the line of a row, without blanks at its end. dress returns the
// cell of a column, which has its place already, with what colours it; nil: as it is.
func (g *Grid) AppendRow(dst []byte, row int, dress func(c *GridColumn, cell string) string) []byte {
	return g.appendLine(dst, func(i, width int) string { return g.cell(row, i, width) }, dress)
}

// AppendTitles appends the line of the headings in the same way.
func (g *Grid) AppendTitles(dst []byte, dress func(c *GridColumn, title string) string) []byte {
	return g.appendLine(dst, func(i, width int) string { return g.cut(g.columns[i].Title, width) }, dress)
}

// appendLine appends cells. What is beyond the width, because columns that are always
// shown need more, is left out.
func (g *Grid) appendLine(dst []byte, cell func(i, width int) string, dress func(*GridColumn, string) string) []byte {
	blanks := 0
	for i := range g.columns {
		c := &g.columns[i]
		room := c.Width
		if g.width > 0 {
			room = min(room, g.width-c.X)
		}
		if room <= 0 {
			break
		}
		text := cell(i, room)
		rest := room - textWidth(text)
		if text == "" {
			blanks += room + gap
			continue
		}
		if c.Right {
			blanks, rest = blanks+rest, 0
		}
		if dress != nil {
			text = dress(c, text)
		}
		dst = append(appendBlanks(dst, blanks), text...)
		blanks = rest + gap
	}
	return dst
}

// asciiOnly returns a text with a question mark for each other character.
func asciiOnly(text string) string {
	for i := range len(text) {
		if text[i] >= utf8.RuneSelf {
			return strings.Map(func(r rune) rune {
				if r >= utf8.RuneSelf {
					return '?'
				}
				return r
			}, text)
		}
	}
	return text
}

// CellColor returns the parameters of the control function SGR for a cell of a field's
// column, "" for none. Only states have colours.
func CellColor(d *Field, cell string) string {
	if d == nil || d.Name != "condition" && d.Name != "state" {
		return ""
	}
	return stateColor(cell)
}
