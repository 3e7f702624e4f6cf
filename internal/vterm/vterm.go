// Package vterm is a terminal in memory, for tests and measurements of programs that
// draw on one: what is written to it can be read as lines of text. It knows the
// control functions of xterm that such programs use (ECMA-48, and xterm's ctlseqs), and
// passes over the others. Every character takes one column; colours are not kept.
package vterm

import (
	"strings"
	"unicode/utf8"
)

// Terminal is a terminal. Make one with New.
type Terminal struct {
	width, height int
	cells         [][]rune
	other         [][]rune // the lines of the screen that is not shown
	x, y          int
	savedX        int
	savedY        int
	top, bottom   int  // the lines that scroll, from top to before bottom
	wrap          bool // the next character is on the next line
	noWrap        bool
	last          rune
	pending       []byte // the beginning of a sequence, or of a character
	modes         map[int]bool
}

// New returns an empty terminal.
func New(width, height int) *Terminal {
	t := &Terminal{modes: map[int]bool{25: true}}
	t.Resize(width, height)
	return t
}

// Resize changes the size, which is at least 1 by 1. What has no room is lost.
func (t *Terminal) Resize(width, height int) {
	t.width, t.height = max(width, 1), max(height, 1)
	for _, screen := range []*[][]rune{&t.cells, &t.other} {
		old := *screen
		*screen = make([][]rune, t.height)
		for y := range *screen {
			(*screen)[y] = t.blank()
			if y < len(old) {
				copy((*screen)[y], old[y])
			}
		}
	}
	t.top, t.bottom = 0, t.height
	t.move(t.x, t.y)
}

func (t *Terminal) blank() []rune {
	row := make([]rune, t.width)
	for i := range row {
		row[i] = ' '
	}
	return row
}

// Line returns a line without the blanks at its end.
func (t *Terminal) Line(y int) string {
	if y < 0 || y >= t.height {
		return ""
	}
	return strings.TrimRight(string(t.cells[y]), " ")
}

// String returns all lines.
func (t *Terminal) String() string {
	lines := make([]string, t.height)
	for y := range lines {
		lines[y] = t.Line(y)
	}
	return strings.Join(lines, "\n")
}

// Contains reports whether a text is on a line.
func (t *Terminal) Contains(text string) bool { return strings.Contains(t.String(), text) }

// Cursor returns the place of the cursor, from 0 on, and whether it is shown.
func (t *Terminal) Cursor() (x, y int, shown bool) { return t.x, t.y, t.modes[25] }

// Mode reports whether a private mode of DEC or xterm is set: 1049 for the alternate
// screen, 1000 to 1006 for the mouse.
func (t *Terminal) Mode(n int) bool { return t.modes[n] }

// Write takes what a program writes.
func (t *Terminal) Write(b []byte) (int, error) {
	t.pending = append(t.pending, b...)
	for {
		n := t.take(t.pending)
		if n == 0 {
			break
		}
		t.pending = t.pending[n:]
	}
	return len(b), nil
}

// take takes a character or a control function, and returns its length, 0 if it is not
// complete.
func (t *Terminal) take(b []byte) int {
	switch {
	case len(b) == 0:
		return 0
	case b[0] == 0x1b:
		return t.escape(b)
	case b[0] < ' ':
		t.control(b[0])
		return 1
	case !utf8.FullRune(b):
		return 0
	}
	r, n := utf8.DecodeRune(b)
	t.put(r)
	return n
}

func (t *Terminal) control(c byte) {
	switch c {
	case '\r':
		t.move(0, t.y)
	case '\n', '\v', '\f':
		t.wrap = false
		t.down()
	case '\b':
		t.move(t.x-1, t.y)
	case '\t':
		t.move((t.x/8+1)*8, t.y)
	}
}

// put writes a character at the cursor.
func (t *Terminal) put(r rune) {
	if r == 0x7f {
		return
	}
	if t.wrap && !t.noWrap {
		t.x, t.wrap = 0, false
		t.down()
	}
	t.cells[t.y][t.x] = r
	t.last = r
	if t.x == t.width-1 {
		t.wrap = true
	} else {
		t.x++
	}
}

// move moves the cursor to a place on the screen.
func (t *Terminal) move(x, y int) {
	t.x, t.y, t.wrap = min(max(x, 0), t.width-1), min(max(y, 0), t.height-1), false
}

// down moves the cursor a line down, up a line up; the lines scroll at the end.
func (t *Terminal) down() {
	if t.y == t.bottom-1 {
		t.deleteLines(t.top, 1)
	} else if t.y < t.height-1 {
		t.y++
	}
}

func (t *Terminal) up() {
	if t.y == t.top {
		t.insertLines(t.top, 1)
	} else if t.y > 0 {
		t.y--
	}
}

// insertLines inserts empty lines, deleteLines deletes lines, in the lines that scroll.
func (t *Terminal) insertLines(at, n int) {
	for range min(n, t.bottom-at) {
		copy(t.cells[at+1:t.bottom], t.cells[at:t.bottom-1])
		t.cells[at] = t.blank()
	}
}

func (t *Terminal) deleteLines(at, n int) {
	for range min(n, t.bottom-at) {
		copy(t.cells[at:t.bottom-1], t.cells[at+1:t.bottom])
		t.cells[t.bottom-1] = t.blank()
	}
}

// erase writes blanks into a part of a line.
func (t *Terminal) erase(y, from, to int) {
	for x := max(from, 0); x < min(to, t.width); x++ {
		t.cells[y][x] = ' '
	}
}
