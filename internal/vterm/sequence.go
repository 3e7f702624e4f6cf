package vterm

import (
	"bytes"
	"strconv"
	"strings"
)

// escape takes a control function, and returns its length, 0 if it is not complete.
func (t *Terminal) escape(b []byte) int {
	if len(b) < 2 {
		return 0
	}
	switch b[1] {
	case '[':
		for i := 2; i < len(b); i++ {
			if b[i] >= 0x40 && b[i] <= 0x7e {
				t.sequence(string(b[2:i]), b[i])
				return i + 1
			}
		}
		return 0
	case ']', 'P', '_', '^', 'X': // a string, up to BEL or ST
		bell, end := bytes.IndexByte(b, 7), bytes.Index(b, []byte("\x1b\\"))
		switch {
		case bell >= 0 && (end < 0 || bell < end):
			return bell + 1
		case end >= 0:
			return end + 2
		}
		return 0
	case '(', ')', '#', ' ':
		if len(b) < 3 {
			return 0
		}
		return 3
	case 'M':
		t.up()
	case 'D':
		t.down()
	case '7':
		t.savedX, t.savedY = t.x, t.y
	case '8':
		t.move(t.savedX, t.savedY)
	}
	return 2
}

// sequence takes a control sequence.
func (t *Terminal) sequence(parameters string, final byte) {
	if parameters != "" && strings.ContainsRune("?>=<", rune(parameters[0])) {
		if parameters[0] == '?' && (final == 'h' || final == 'l') {
			for word := range strings.SplitSeq(parameters[1:], ";") {
				if n, err := strconv.Atoi(word); err == nil {
					t.mode(n, final == 'h')
				}
			}
		}
		return
	}
	words := strings.Split(parameters, ";")
	arg := func(i, or int) int {
		if i < len(words) {
			if n, err := strconv.Atoi(words[i]); err == nil && n > 0 {
				return min(n, 1<<15)
			}
		}
		return or
	}
	n := arg(0, 1)
	switch final {
	case 'A':
		t.move(t.x, t.y-n)
	case 'B':
		t.move(t.x, t.y+n)
	case 'C':
		t.move(t.x+n, t.y)
	case 'D':
		t.move(t.x-n, t.y)
	case 'E':
		t.move(0, t.y+n)
	case 'F':
		t.move(0, t.y-n)
	case 'G', '`':
		t.move(n-1, t.y)
	case 'd':
		t.move(t.x, n-1)
	case 'H', 'f':
		t.move(arg(1, 1)-1, n-1)
	case 'I':
		t.move((t.x/8+n)*8, t.y)
	case 'Z':
		t.move(((t.x+7)/8-n)*8, t.y)
	case 'J':
		t.eraseScreen(arg(0, 0))
	case 'K':
		t.eraseLine(arg(0, 0))
	case 'X':
		t.erase(t.y, t.x, t.x+n)
	case '@':
		row := t.cells[t.y]
		copy(row[min(t.x+n, t.width):], row[t.x:])
		t.erase(t.y, t.x, t.x+n)
	case 'P':
		row := t.cells[t.y]
		copy(row[t.x:], row[min(t.x+n, t.width):])
		t.erase(t.y, t.width-n, t.width)
	case 'L', 'M':
		if t.y >= t.top && t.y < t.bottom {
			if final == 'L' {
				t.insertLines(t.y, n)
			} else {
				t.deleteLines(t.y, n)
			}
		}
	case 'S':
		t.deleteLines(t.top, n)
	case 'T':
		t.insertLines(t.top, n)
	case 'b':
		for range min(n, t.width) {
			t.put(t.last)
		}
	case 'r':
		if top, bottom := n-1, min(arg(1, t.height), t.height); top < bottom {
			t.top, t.bottom = top, bottom
			t.move(0, 0)
		}
	case 's':
		t.savedX, t.savedY = t.x, t.y
	case 'u':
		t.move(t.savedX, t.savedY)
	}
}

func (t *Terminal) eraseLine(how int) {
	from, to := t.x, t.width
	switch how {
	case 1:
		from, to = 0, t.x+1
	case 2:
		from = 0
	}
	t.erase(t.y, from, to)
}

func (t *Terminal) eraseScreen(how int) {
	from, to := t.y+1, t.height
	switch how {
	case 1:
		from, to = 0, t.y
	case 2, 3:
		from = 0
	}
	if how < 2 {
		t.eraseLine(how)
	}
	for y := from; y < to; y++ {
		t.erase(y, 0, t.width)
	}
}

// mode sets or resets a private mode.
func (t *Terminal) mode(n int, on bool) {
	before := t.modes[n]
	t.modes[n] = on
	switch n {
	case 7:
		t.noWrap = !on
	case 47, 1047, 1049:
		if on == before {
			return
		}
		t.cells, t.other = t.other, t.cells
		if on {
			t.savedX, t.savedY = t.x, t.y
			for y := range t.height {
				t.erase(y, 0, t.width)
			}
		} else {
			t.move(t.savedX, t.savedY)
		}
	}
}
