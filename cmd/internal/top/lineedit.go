package top

import (
	"slices"
	"strings"
	"unicode"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/gonntrack/gonntrack/internal/printable"
)

// lineEdit is a line of text that is typed, with the keys of a shell. Unlike bubbles'
// textinput it knows where its cursor is when the line is longer than its place, or has
// wide characters, and never reads the clipboard of a machine.
type lineEdit struct {
	text []rune
	at   int // the place of the cursor, an index of text
	from int // the first character that is shown
}

// mostTyped is how long a line can be.
const mostTyped = 4096

func newLineEdit(text string) lineEdit {
	l := lineEdit{}
	l.insert(text)
	return l
}

func (l *lineEdit) value() string { return string(l.text) }

// key takes a key, and reports whether it changed the text.
func (l *lineEdit) key(k tea.KeyPressMsg) (changed bool) {
	before := len(l.text)
	switch k.String() {
	case "left", "ctrl+b":
		l.at = max(l.at-1, 0)
	case "right", "ctrl+f":
		l.at = min(l.at+1, len(l.text))
	case "home", "ctrl+a":
		l.at = 0
	case "end", "ctrl+e":
		l.at = len(l.text)
	case "ctrl+left", "alt+left", "alt+b":
		l.at = l.wordBefore()
	case "ctrl+right", "alt+right", "alt+f":
		l.at = l.wordAfter()
	case "backspace", "ctrl+h":
		l.cut(max(l.at-1, 0), l.at)
	case "delete", "ctrl+d":
		l.cut(l.at, min(l.at+1, len(l.text)))
	case "ctrl+w", "alt+backspace":
		l.cut(l.wordBefore(), l.at)
	case "alt+d":
		l.cut(l.at, l.wordAfter())
	case "ctrl+u":
		l.cut(0, l.at)
	case "ctrl+k":
		l.cut(l.at, len(l.text))
	default:
		if k.Mod&^tea.ModShift == 0 {
			return l.insert(k.Text)
		}
	}
	return len(l.text) != before
}

// insert adds text at the cursor, blanks in place of what ends a line, and nothing of
// what a terminal would not show as it is.
func (l *lineEdit) insert(text string) (changed bool) {
	add := make([]rune, 0, len(text))
	for _, r := range strings.TrimRight(text, "\r\n") {
		switch {
		case r == '\n' || r == '\t':
			add = append(add, ' ')
		case r != unicode.ReplacementChar && printable.Is(string(r)):
			add = append(add, r)
		}
	}
	add = add[:min(len(add), mostTyped-len(l.text))]
	l.text = slices.Insert(l.text, l.at, add...)
	l.at += len(add)
	return len(add) > 0
}

func (l *lineEdit) cut(from, to int) {
	l.text = slices.Delete(l.text, from, to)
	l.at = from
}

// wordBefore returns where the word before the cursor begins, wordAfter where the one
// after it ends.
func (l *lineEdit) wordBefore() int {
	i := l.at
	for i > 0 && l.text[i-1] == ' ' {
		i--
	}
	for i > 0 && l.text[i-1] != ' ' {
		i--
	}
	return i
}

func (l *lineEdit) wordAfter() int {
	i := l.at
	for i < len(l.text) && l.text[i] == ' ' {
		i++
	}
	for i < len(l.text) && l.text[i] != ' ' {
		i++
	}
	return i
}

// draw returns the part of the line that fits a width, and the column of the cursor.
func (l *lineEdit) draw(width int) (text string, cursor int) {
	columns := func(from, to int) int { return ansi.StringWidth(string(l.text[from:to])) }
	l.from = min(l.from, l.at)
	for l.from > 0 && columns(l.from-1, len(l.text)) < width {
		l.from-- // characters were taken away
	}
	for l.from < l.at && columns(l.from, l.at) >= width {
		l.from++
	}
	return ansi.Truncate(string(l.text[l.from:]), max(width, 0), ""), columns(l.from, l.at)
}
