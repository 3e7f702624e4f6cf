package format

import (
	"slices"
	"strings"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/internal/printable"
)

// A table of entries is drawn in blocks of rows: a short list is one block, and
// of a long one no more than two blocks are in memory, one that is drawn while
// the next is read. Each block chooses its columns and their widths by all rows
// so far. Where it shows other columns than the block before, it begins with a
// new line of headings.

// blockRows is the number of rows of a block.
const blockRows = 1000

// table draws the entries or expectations that are added to it.
type table struct {
	columns []tableColumn
	width   int // of a line, 0: unlimited
	color   bool
	names   HostNames // nil: none

	filling *tableBlock // takes the rows that are added
	emptied *tableBlock
	drawn   chan []byte // receives the block that is being drawn; nil: there is none

	// What draw keeps from block to block.
	shown   []int // indexes of the columns of the last block; nil: there was none
	omitted []bool
}

// tableColumn is a column that can be shown.
type tableColumn struct {
	usualColumn
	field *Field
	title string
	right bool // aligned to the right: numbers
	// usual is a column that nobody asked for by name: it is left out if its
	// cells say nothing, or if it does not fit.
	usual bool
	used  bool // a cell says something
	width int  // of the widest cell so far
	fit   int  // the width it has in the current block
}

// tableBlock holds the text of rows.
type tableBlock struct {
	text []byte
	ends []int // of each cell in text
}

// newTable returns a table with the columns that the options name, or with the
// usual ones.
func newTable(o *Options) *table {
	t := &table{width: o.Width, color: o.Color, names: o.HostNames, filling: &tableBlock{}, emptied: &tableBlock{}}
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
			if d := FieldByName(u.name); o.Rates || !d.IsRate() {
				t.columns = append(t.columns, tableColumn{usualColumn: u, field: d, usual: true})
			}
		}
	}
	for i := range t.columns {
		c := &t.columns[i]
		c.title, c.right = c.field.title(), c.field.Kind.Numeric()
		c.width = len(c.title)
	}
	t.omitted = make([]bool, len(t.columns))
	return t
}

// add adds a row. cell appends the text of a field. It may append an earlier
// block to dst.
func (t *table) add(dst []byte, cell func(dst []byte, d *Field) []byte) []byte {
	b := t.filling
	for i := range t.columns {
		b.text = cell(b.text, t.columns[i].field)
		b.ends = append(b.ends, len(b.text))
	}
	if len(b.ends) < blockRows*len(t.columns) {
		return dst
	}
	dst = t.wait(dst)
	t.filling, t.emptied = t.emptied, b
	t.drawn = make(chan []byte, 1)
	go func(drawn chan<- []byte) { drawn <- t.draw(nil, b) }(t.drawn)
	return dst
}

// wait appends the block that is being drawn, if there is one.
func (t *table) wait(dst []byte) []byte {
	if t.drawn != nil {
		dst = append(dst, <-t.drawn...)
		t.drawn = nil
	}
	return dst
}

// end draws the last rows, and names the columns that were left out.
func (t *table) end(dst []byte) []byte {
	return t.appendOmitted(t.draw(t.wait(dst), t.filling))
}

// appendOmitted appends a line with the names of the columns that were left out.
func (t *table) appendOmitted(dst []byte) []byte {
	var titles []string
	for i, omitted := range t.omitted {
		if omitted {
			titles = append(titles, t.columns[i].title)
		}
	}
	if titles == nil {
		return dst
	}
	return appendWrapped(dst, "not shown for lack of width:", gap, t.width, strings.Join(titles, ", "))
}

// draw appends the rows of a block, and empties it.
func (t *table) draw(dst []byte, b *tableBlock) []byte {
	if len(b.ends) == 0 {
		return dst
	}
	if t.names != nil {
		t.names.Wait()
	}
	text, ends := string(b.text), b.ends
	rows := make([][]string, len(ends)/len(t.columns))
	cells, start := make([]string, len(ends)), 0
	for n, end := range ends {
		c := &t.columns[n%len(t.columns)]
		cells[n] = text[start:end]
		if t.names != nil && c.field.hasHosts() {
			cells[n] = hostCell(t.names, cells[n])
		}
		c.used = c.used || !dull(c.field.Name, cells[n])
		c.width = max(c.width, textWidth(cells[n]))
		start = end
	}
	b.text, b.ends = b.text[:0], b.ends[:0]

	shown := t.fit()
	d := drawing{color: t.color}
	for _, i := range shown {
		c := &t.columns[i]
		d.right = append(d.right, c.right)
		d.widths = append(d.widths, c.fit)
		if !slices.Equal(shown, t.shown) {
			d.titles = append(d.titles, c.title)
		}
	}
	t.shown = shown
	for n := range rows {
		row := cells[n*len(t.columns):][:len(t.columns)]
		for k, i := range shown { // in place: k <= i
			row[k] = shorten(row[i], t.columns[i].fit)
		}
		rows[n] = row[:len(shown)]
	}
	d.rows = rows
	d.dress = func(_, n int, cell string) string { return colorCell(t.columns[shown[n]].field.Name, cell) }
	return d.append(dst)
}

// title returns the heading of the field's column.
func (d *Field) title() string {
	switch d.Name {
	case "condition":
		return "STATE"
	case "timeout":
		return "EXPIRES"
	case "translation":
		return "NAT"
	}
	title := strings.ToUpper(strings.ReplaceAll(d.Name, "_", " "))
	if unit, ok := strings.CutSuffix(title, " RATE"); ok && d.IsRate() {
		return unit + "S/S"
	}
	return title
}

// dull reports whether a cell carries no information. A usual column of such cells
// is left out.
func dull(name, cell string) bool {
	return cell == "" || name == "mark" && cell == "0"
}

// tableFlow adds an entry to the table.
func (p *Printer) tableFlow(dst []byte, f *ctnetlink.Flow, c *Context) []byte {
	return p.table.add(dst, func(cell []byte, d *Field) []byte { return p.tableCell(cell, d, f, c) })
}

// tableCell appends the text of an entry's field.
func (p *Printer) tableCell(cell []byte, d *Field, f *ctnetlink.Flow, c *Context) []byte {
	p.wantNames(d, f)
	if cell, ok := p.serviceCell(cell, d, f); ok {
		return cell
	}
	switch {
	case d.Kind == KindRate:
		return appendRateCell(cell, d, c)
	case d.Kind.Numeric():
		v, ok := d.Number(f, c)
		return appendNumberCell(cell, d, v, ok)
	case d.Name == "proto" && f.Orig().Proto.Name() == "":
		return appendUint(cell, uint64(f.Orig().Proto))
	}
	return cleanCell(p.AppendField(cell, d, f, c), len(cell), d)
}

// tableExpect adds an expectation to the table.
func (p *Printer) tableExpect(dst []byte, x *ctnetlink.Expect, c *Context) []byte {
	return p.table.add(dst, func(cell []byte, d *Field) []byte { return p.expectCell(cell, d, x, c) })
}

// expectCell appends the text of an expectation's field.
func (p *Printer) expectCell(cell []byte, d *Field, x *ctnetlink.Expect, c *Context) []byte {
	if d.Kind == KindSeconds {
		v, ok := d.numberOfExpect(x, c)
		return appendNumberCell(cell, d, v, ok)
	}
	return cleanCell(p.AppendExpectField(cell, d, x, c), len(cell), d)
}

// appendNumberCell appends a number as people read it.
func appendNumberCell(cell []byte, d *Field, v uint64, ok bool) []byte {
	if !ok {
		return cell
	}
	switch d.Kind {
	case KindBytes:
		return appendBytes(cell, v)
	case KindSeconds:
		return appendDuration(cell, v)
	case KindTime:
		return localTime(v).AppendFormat(cell, time.DateTime)
	}
	if strings.HasSuffix(d.Name, "packets") {
		return appendCount(cell, v)
	}
	return appendUint(cell, v)
}

// cleanCell escapes a name from outside, the text from start on, for a terminal.
func cleanCell(text []byte, start int, d *Field) []byte {
	if d.Kind != KindName {
		return text
	}
	return printable.Append(text[:start], string(text[start:]))
}
