package format

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"github.com/mattn/go-runewidth"
	"github.com/olekukonko/ll"
	"github.com/olekukonko/tablewriter/pkg/twwidth"
	"github.com/olekukonko/tablewriter/renderer"
	"github.com/olekukonko/tablewriter/tw"
)

// gap is how many blanks separate two columns.
const gap = 2

// drawing is text in columns under headings, without lines between them and
// without blanks at the end of a line.
//
// tablewriter's streaming renderer draws it, without the Table around it: the widths
// of the columns are known here, and the Table takes several times as long.
type drawing struct {
	titles []string // nil: no headings; a title may have several lines
	rows   [][]string
	right  []bool // columns that are aligned to the right: numbers
	widths []int  // the least; nil: as wide as the cells
	color  bool   // headings are bold, and dress colours the cells
	dress  func(row, column int, cell string) string
}

// append draws the rows under their headings.
func (d *drawing) append(dst []byte) []byte {
	titles := d.titleRows()
	d.measure(titles)
	out := lineWriter{dst}
	r := newRenderer(&out)
	line := tw.Formatting{Row: tw.RowContext{
		Position: tw.Row,
		Widths:   tw.NewMapper[int, int](),
		Current:  map[int]tw.CellContext{},
	}}
	for i, width := range d.widths {
		line.Row.Widths.Set(i, gap+width)
	}
	for _, row := range titles {
		if d.color {
			for i := range row {
				row[i] = paint(bold, row[i])
			}
		}
		d.align(row, line.Row.Current)
		r.Header([][]string{row}, line)
	}
	var coloured []string
	for n, row := range d.rows {
		if d.color && d.dress != nil {
			coloured = append(coloured[:0], row...)
			for i, cell := range coloured {
				coloured[i] = d.dress(n, i, cell)
			}
			row = coloured
		}
		d.align(row, line.Row.Current)
		r.Row(row, line)
	}
	return out.b
}

// align sets the cells that are aligned to the right. The renderer takes the
// others from the row.
func (d *drawing) align(row []string, cells map[int]tw.CellContext) {
	for i, right := range d.right {
		if right {
			cells[i] = tw.CellContext{Data: row[i], Align: tw.AlignRight}
		}
	}
}

// newRenderer returns a renderer that draws no lines.
func newRenderer(out *lineWriter) *renderer.Ocean {
	// The library remembers the width of every text that it ever measured.
	// This empties its memory, which otherwise grows with the table.
	twwidth.SetCondition(runewidth.NewCondition())
	r := renderer.NewOcean()
	r.Logger(ll.New("").Suspend()) // otherwise it formats messages that nobody reads
	r.Rendition(tw.Rendition{
		Borders:  tw.BorderNone,
		Settings: tw.Settings{Separators: tw.SeparatorsNone, Lines: tw.LinesNone},
	})
	_ = r.Start(out)
	return r
}

// lineWriter takes lines from the renderer, which writes one at a time.
type lineWriter struct{ b []byte }

func (w *lineWriter) Write(line []byte) (int, error) {
	// Every cell has a blank on both sides.
	w.b = append(w.b, bytes.TrimRight(line[min(1, len(line)):], " \n")...)
	w.b = append(w.b, '\n')
	return len(line), nil
}

// titleRows returns the headings line by line. A title with fewer lines than
// another is at the bottom.
func (d *drawing) titleRows() [][]string {
	lines := 0
	for _, title := range d.titles {
		lines = max(lines, 1+strings.Count(title, "\n"))
	}
	rows := make([][]string, lines)
	for n := range rows {
		rows[n] = make([]string, len(d.titles))
	}
	for i, title := range d.titles {
		n := lines - 1 - strings.Count(title, "\n")
		for line := range strings.SplitSeq(title, "\n") {
			rows[n][i] = line
			n++
		}
	}
	return rows
}

// measure makes the columns as wide as their widest cell.
func (d *drawing) measure(titles [][]string) {
	if d.widths == nil {
		d.widths = make([]int, len(d.right))
	}
	for _, rows := range [][][]string{titles, d.rows} {
		for _, row := range rows {
			for i, cell := range row {
				d.widths[i] = max(d.widths[i], textWidth(cell))
			}
		}
	}
}

// textWidth returns how many columns of a terminal a text takes.
func textWidth[T []byte | string](text T) int {
	for i := range len(text) {
		if text[i] >= utf8.RuneSelf {
			return twwidth.Width(string(text))
		}
	}
	return len(text)
}
