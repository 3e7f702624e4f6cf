package format

import (
	"strings"
	"unicode/utf8"
)

// gap stands between two columns.
const gap = "  "

// grid is text in columns: without lines, which say nothing, and with no
// blanks behind the last column.
//
// It is drawn here, and not by a library, because a library's packages set
// themselves up at every start of the program, in conntrack -C too, which scripts
// call thousands of times and which is not to take 1.5 times as long as an empty
// Go program. github.com/olekukonko/tablewriter takes 0.17 ms for it (v0.0.5),
// 0.2 ms (v1.0.9) or 0.66 ms (v1.1.5) of 1.6, and an entry 15 microseconds, where
// this takes one.
//
// Nor can that be put off. Packages are initialised in the order of their import
// paths, each as soon as its own imports are (Go specification, "Program
// initialization"), so that one of ours might come first, run the command, and
// exit. But ours need net and net/netip, and those wait for vendor/... and unique:
// all names behind github.com. The library needs nothing that comes so late, and
// is always before us.
type grid struct {
	titles []string // nil: none. A title may have several lines
	rows   [][]string
	right  []bool // columns that are aligned to the right: numbers
	widths []int  // at least; nil: no more than needed
	color  bool   // titles are bold, and cells as dress says
	dress  func(row, column int, cell string) string
}

// append draws the grid.
func (g *grid) append(dst []byte) []byte {
	titles := g.titleRows()
	g.measure(titles)
	for _, row := range titles {
		dst = g.appendRow(dst, row, func(_ int, cell string) string {
			if g.color {
				cell = paint(bold, cell)
			}
			return cell
		})
	}
	for n, row := range g.rows {
		dst = g.appendRow(dst, row, func(i int, cell string) string {
			if g.color && g.dress != nil {
				cell = g.dress(n, i, cell)
			}
			return cell
		})
	}
	return dst
}

// titleRows returns the titles line by line: those of fewer lines stand below.
func (g *grid) titleRows() [][]string {
	lines := 0
	for _, title := range g.titles {
		lines = max(lines, 1+strings.Count(title, "\n"))
	}
	rows := make([][]string, lines)
	for n := range rows {
		rows[n] = make([]string, len(g.titles))
	}
	for i, title := range g.titles {
		n := lines - 1 - strings.Count(title, "\n")
		for line := range strings.SplitSeq(title, "\n") {
			rows[n][i] = line
			n++
		}
	}
	return rows
}

// measure makes the columns as wide as their widest cell.
func (g *grid) measure(titles [][]string) {
	if g.widths == nil {
		g.widths = make([]int, len(g.right))
	}
	for _, rows := range [][][]string{titles, g.rows} {
		for _, row := range rows {
			for i, cell := range row {
				g.widths[i] = max(g.widths[i], utf8.RuneCountInString(cell))
			}
		}
	}
}

// appendRow appends a line. Blanks are written when a cell follows them.
func (g *grid) appendRow(dst []byte, row []string, dress func(column int, cell string) string) []byte {
	blanks := 0
	for i, cell := range row {
		if i > 0 {
			blanks += len(gap)
		}
		pad := g.widths[i] - utf8.RuneCountInString(cell)
		if g.right[i] {
			blanks, pad = blanks+pad, 0
		}
		if cell != "" {
			dst = append(appendBlanks(dst, blanks), dress(i, cell)...)
			blanks = 0
		}
		blanks += pad
	}
	return append(dst, '\n')
}

func appendBlanks(dst []byte, n int) []byte {
	for range n {
		dst = append(dst, ' ')
	}
	return dst
}
