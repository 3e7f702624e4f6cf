package format

import (
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/gonntrack/gonntrack/internal/printable"
	"github.com/gonntrack/gonntrack/stats"
)

// Summary writes the groups of a stats.Summary: a table for people in StyleTable,
// records in StyleJSON, StyleJSONL and StyleCSV, OpenMetrics text in StyleProm
// (https://prometheus.io/docs/specs/om/open_metrics_spec/), and in all other styles
// plain text: a line of names, and a line for each group in columns with whole
// numbers.
type Summary struct {
	o       Options
	keys    []Kind
	names   []string
	counted bool // there are packets and bytes
	all     *stats.Summary
	widths  []int
	cells   [][]byte
	records *Records
	values  []Value
	look    Value // when the table was looked at; without a name it is not shown
}

// NewSummary returns a Summary of s. kinds are the kinds of its keys.
func NewSummary(o Options, s *stats.Summary, keys []Kind) *Summary {
	w := &Summary{o: o, keys: keys, all: s, counted: s.Total().Counted}
	w.names = append(slices.Clone(s.Keys()), "entries")
	if w.counted {
		w.names = append(w.names, "packets", "bytes")
	}
	w.cells = make([][]byte, len(w.names))
	if IsRecordStyle(o.Style) {
		w.records = NewRecords(o.Style, true)
	}
	return w
}

// SetLook makes the summary one of several looks at the table, and t the time of
// this one: each record has it as its first value, and all looks have the same
// columns of CSV, which only the first look names.
func (w *Summary) SetLook(t time.Time, first bool) {
	if w.records == nil {
		return
	}
	w.look = Time("time", t)
	if !w.counted {
		w.counted = true
		w.names = append(w.names, "packets", "bytes")
		w.cells = make([][]byte, len(w.names))
	}
	w.records.named = !first
}

// Append appends the groups. Now and then it calls spill with dst, and continues
// with the slice that spill returns.
func (w *Summary) Append(dst []byte, groups iter.Seq[*stats.Group],
	spill func([]byte) ([]byte, error),
) ([]byte, error) {
	each := w.appendRecord
	switch {
	case w.records != nil:
	case w.o.Style == StyleTable:
		return w.appendTable(dst, groups, spill)
	case w.o.Style == StyleProm:
		return w.appendProm(dst, groups, spill)
	default:
		if w.widths == nil {
			w.Measure(groups)
		}
		dst = w.appendPlainNames(dst)
		each = w.appendPlain
	}
	for g := range groups {
		var err error
		if dst, err = spill(each(dst, g)); err != nil {
			return dst, err
		}
	}
	if w.records != nil {
		if w.all.Len() == 0 && !w.records.named {
			dst = w.records.appendNames(dst, w.record(&stats.Group{Values: make([]stats.Value, len(w.keys))}))
		}
		dst = w.records.AppendEnd(dst)
	}
	return dst, nil
}

// appendValue appends the text of a key's value.
func appendValue(dst []byte, v *stats.Value, kind Kind) []byte {
	switch v.Kind {
	case stats.Number:
		if kind == KindTime {
			return appendTime(dst, v.Number)
		}
		return appendUint(dst, v.Number)
	case stats.Addr:
		return appendAddr(dst, v.Addr, 0)
	case stats.Network:
		return appendUint(append(appendAddr(dst, v.Addr, 0), '/'), uint64(v.Bits))
	case stats.Text:
		return append(dst, v.Text...)
	}
	return dst
}

// absent is the text of a value that the entries of a group do not have.
const absent = "-"

// plain sets the cells to whole numbers and escaped texts.
func (w *Summary) plain(g *stats.Group) {
	for i := range g.Values {
		v := &g.Values[i]
		switch c := &w.cells[i]; v.Kind {
		case stats.Absent:
			*c = append((*c)[:0], absent...)
		case stats.Text:
			*c = printable.Append((*c)[:0], v.Text)
		default:
			*c = appendValue((*c)[:0], v, w.keys[i])
		}
	}
	for i, n := range w.sums(g) {
		c := &w.cells[len(w.keys)+i]
		if i > 0 && !g.Counted {
			*c = append((*c)[:0], absent...)
		} else {
			*c = appendUint((*c)[:0], n)
		}
	}
}

func (w *Summary) sums(g *stats.Group) []uint64 {
	if !w.counted {
		return []uint64{g.Entries}
	}
	return []uint64{g.Entries, g.Packets, g.Bytes}
}

// right reports whether a column has numbers.
func (w *Summary) right(i int) bool { return i >= len(w.keys) || w.keys[i].Numeric() }

// Measure sets the widths of the columns of plain text for groups. Append does it
// for the groups that it writes if Measure was not called. If these are all groups,
// stats.Summary.All yields them faster than their order does.
func (w *Summary) Measure(groups iter.Seq[*stats.Group]) {
	if w.records != nil || w.o.Style == StyleTable || w.o.Style == StyleProm {
		return
	}
	w.widths = make([]int, len(w.names))
	for i, name := range w.names {
		w.widths[i] = len(name)
	}
	for g := range groups {
		w.plain(g)
		for i, c := range w.cells {
			w.widths[i] = max(w.widths[i], len(c))
		}
	}
}

func (w *Summary) appendPlain(dst []byte, g *stats.Group) []byte {
	w.plain(g)
	return w.appendCells(dst)
}

func (w *Summary) appendPlainNames(dst []byte) []byte {
	for i, name := range w.names {
		w.cells[i] = append(w.cells[i][:0], name...)
	}
	return w.appendCells(dst)
}

// appendCells appends the cells as a line. It takes the length of a text in bytes
// for its width: names with other characters than ASCII are rare.
func (w *Summary) appendCells(dst []byte) []byte {
	for i, c := range w.cells {
		if i > 0 {
			dst = append(dst, "  "...)
		}
		if w.right(i) {
			dst = append(appendBlanks(dst, w.widths[i]-len(c)), c...)
		} else if dst = append(dst, c...); i+1 < len(w.cells) {
			dst = appendBlanks(dst, w.widths[i]-len(c))
		}
	}
	return append(dst, '\n')
}

func (w *Summary) appendRecord(dst []byte, g *stats.Group) []byte {
	return w.records.Append(dst, w.record(g))
}

// record returns a group as a record. Absent values are left out, except in CSV,
// where they are empty.
func (w *Summary) record(g *stats.Group) []Value {
	w.values = w.values[:0]
	if w.look.Name != "" {
		w.values = append(w.values, w.look)
	}
	none := func(name string) {
		if w.o.Style == StyleCSV {
			w.values = append(w.values, Text(name, ""))
		}
	}
	for i := range g.Values {
		switch v := &g.Values[i]; {
		case v.Kind == stats.Absent:
			none(w.names[i])
		case v.Kind == stats.Number && w.keys[i] != KindTime:
			w.values = append(w.values, Number(w.names[i], v.Number))
		default:
			w.cells[i] = appendValue(w.cells[i][:0], v, w.keys[i])
			w.values = append(w.values, Text(w.names[i], string(w.cells[i])))
		}
	}
	for i, n := range w.sums(g) {
		if name := w.names[len(w.keys)+i]; i > 0 && !g.Counted {
			none(name)
		} else {
			w.values = append(w.values, Number(name, n))
		}
	}
	return w.values
}

// appendTable appends a table of the groups with their share of all entries, and
// below them the sums of the groups that are not shown, and of all.
func (w *Summary) appendTable(dst []byte, groups iter.Seq[*stats.Group],
	spill func([]byte) ([]byte, error),
) ([]byte, error) {
	t := w.newTable()
	measure := func(row []string) {
		for i, cell := range row {
			t.columns[i].width = max(t.columns[i].width, textWidth(cell))
		}
	}
	w.findNames(groups)
	total := w.all.Total()
	shown := stats.Group{}
	n := 0
	for group := range groups {
		measure(w.row(group, &total))
		shown.Entries += group.Entries
		shown.Packets += group.Packets
		shown.Bytes += group.Bytes
		n++
	}
	var below [][]string
	if more := w.all.Len() - n; more > 0 {
		rest := w.rest(&shown)
		below = append(below, w.summed(fmt.Sprintf("(%d more)", more), &rest, &total))
	}
	if w.all.Len() > 1 {
		below = append(below, w.summed("total", &total, &total))
	}
	for _, row := range below {
		measure(row)
		if c := &t.columns[0]; c.least > 0 {
			c.least = max(c.least, textWidth(row[0])) // which is no address
		}
	}
	g := drawing{color: w.o.Color}
	columns := t.fit()
	for _, i := range columns {
		c := &t.columns[i]
		g.titles = append(g.titles, c.title)
		g.right = append(g.right, i >= len(w.keys) || w.right(i))
		g.widths = append(g.widths, c.fit)
	}
	fitted := func(row []string) []string {
		for k, i := range columns { // in place: k <= i
			row[k] = shorten(row[i], t.columns[i].fit)
		}
		return row[:len(columns)]
	}
	shownRows := 0
	g.dress = func(row, k int, cell string) string {
		switch i := columns[k]; {
		case shownRows+row >= n:
			return paint(bold, cell)
		case i < len(w.keys):
			return colorCell(w.names[i], cell)
		}
		return cell
	}
	for group := range groups {
		if g.rows = append(g.rows, fitted(w.row(group, &total))); len(g.rows) == blockRows {
			var err error
			if dst, err = spill(g.append(dst)); err != nil {
				return dst, err
			}
			shownRows += blockRows
			g.rows, g.titles = g.rows[:0], nil
		}
	}
	for _, row := range below {
		g.rows = append(g.rows, fitted(row))
	}
	return t.appendOmitted(g.append(dst)), nil
}

// newTable returns the columns of the table, to be fitted to its width: keys and
// the number of entries are always shown, then there are bytes, the share and
// packets, as far as there is room.
func (w *Summary) newTable() *table {
	t := &table{width: w.o.Width}
	add := func(title string, column usualColumn) {
		t.columns = append(t.columns, tableColumn{usualColumn: column, title: title, width: len(title)})
	}
	for i, name := range w.names {
		column := usualColumn{name: name}
		title := strings.ToUpper(strings.ReplaceAll(name, "_", " "))
		switch field, _, _ := strings.Cut(name, "/"); {
		case name == "bytes":
			column.rank = lastEssential + 1
		case name == "packets":
			column.rank = lastEssential + 3
		case i < len(w.keys) && (w.keys[i] == KindAddr || holdsAddresses(field)):
			column.least, column.roomy = leastAddr, roomyEnd
		}
		if i < len(w.keys) {
			column.rank = 0
		}
		add(title, column)
		if i == len(w.keys) {
			add("SHARE", usualColumn{rank: lastEssential + 2})
		}
	}
	t.omitted = make([]bool, len(t.columns))
	return t
}

// holdsAddresses reports whether the values of a field are addresses, alone, with
// ports or as networks, which can be cut in the middle.
func holdsAddresses(field string) bool {
	switch field {
	case "source", "destination", "translation", "master":
		return true
	}
	d := FieldByName(field)
	return d != nil && d.Kind == KindAddr
}

// row returns the cells of a group.
func (w *Summary) row(g, total *stats.Group) []string {
	row := make([]string, 0, len(w.names)+1)
	for i := range g.Values {
		if name := w.named(i, g); name != "" {
			row = append(row, name)
			continue
		}
		cell := AppendGroupValue(nil, &g.Values[i], w.names[i], w.keys[i])
		row = append(row, string(cell))
	}
	return append(row, w.sumCells(g, total)...)
}

// summed returns the cells of a line for several groups.
func (w *Summary) summed(what string, g, total *stats.Group) []string {
	row := make([]string, len(w.keys), len(w.names)+1)
	row[0] = what
	return append(row, w.sumCells(g, total)...)
}

func (w *Summary) sumCells(g, total *stats.Group) []string {
	cells := []string{string(appendUint(nil, g.Entries)), percent(g.Entries, total.Entries)}
	switch {
	case !w.counted:
		return cells
	case !g.Counted:
		return append(cells, absent, absent)
	}
	return append(cells, string(appendCount(nil, g.Packets)), string(appendBytes(nil, g.Bytes)))
}

// percent returns the share of a part in percent, with one decimal.
func percent(part, whole uint64) string {
	switch {
	case whole == 0:
		return absent
	case part > 0 && part < whole/1000:
		return "<0.1%"
	}
	return fmt.Sprintf("%.1f%%", float64(part)/float64(whole)*100)
}
