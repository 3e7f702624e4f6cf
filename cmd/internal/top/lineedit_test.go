package top

import (
	"strings"
	"testing"
	"unicode/utf8"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
)

// press returns the message of a key by its name, as tea.KeyPressMsg.String has it.
func press(name string) tea.KeyPressMsg {
	k := tea.KeyPressMsg{}
	for {
		switch {
		case strings.HasPrefix(name, "ctrl+"):
			k.Mod |= tea.ModCtrl
			name = name[5:]
			continue
		case strings.HasPrefix(name, "alt+"):
			k.Mod |= tea.ModAlt
			name = name[4:]
			continue
		case strings.HasPrefix(name, "shift+"):
			k.Mod |= tea.ModShift
			name = name[6:]
			continue
		}
		break
	}
	named := map[string]rune{
		"left": tea.KeyLeft, "right": tea.KeyRight, "up": tea.KeyUp, "down": tea.KeyDown, "home": tea.KeyHome,
		"end": tea.KeyEnd, "pgup": tea.KeyPgUp, "pgdown": tea.KeyPgDown, "backspace": tea.KeyBackspace,
		"delete": tea.KeyDelete, "enter": tea.KeyEnter, "esc": tea.KeyEscape, "tab": tea.KeyTab, "f4": tea.KeyF4,
	}
	if code, ok := named[name]; ok {
		k.Code = code
		return k
	}
	if name == "space" {
		name = " "
	}
	k.Code, _ = utf8.DecodeRuneInString(name)
	if k.Mod == 0 {
		k.Text = name
	}
	return k
}

func TestLineEdit(t *testing.T) {
	for _, c := range []struct {
		text, keys, want string // want has a | at the cursor
	}{
		{"", "- p space t c p", "-p tcp|"},
		{"-p tcp", "left left X", "-p tX|cp"},
		{"-p tcp", "home delete backspace +", "+|p tcp"},
		{"-p tcp --dport 443", "ctrl+w", "-p tcp --dport |"},
		{"-p tcp --dport 443 ", "ctrl+w ctrl+w", "-p tcp |"},
		{"-p tcp --dport 443", "alt+b alt+b X", "-p tcp X|--dport 443"},
		{"-p tcp --dport 443", "ctrl+a ctrl+right alt+d", "-p| --dport 443"},
		{"abc", "left ctrl+u", "|c"},
		{"abc", "home right ctrl+k", "a|"},
		{"abc", "left ctrl+x alt+z up f4 tab ctrl+e", "abc|"},
		{"日本", "left ctrl+b ctrl+d", "|本"},
		{"", "backspace delete ctrl+w ctrl+u ctrl+k left right alt+b alt+f", "|"},
	} {
		l := newLineEdit(c.text)
		for name := range strings.FieldsSeq(c.keys) {
			before := l.value()
			if changed := l.key(press(name)); changed != (l.value() != before) {
				t.Errorf("%q, %s: changed is %t", before, name, changed)
			}
		}
		if got := string(l.text[:l.at]) + "|" + string(l.text[l.at:]); got != c.want {
			t.Errorf("%q with %s: %q, want %q", c.text, c.keys, got, c.want)
		}
	}
}

// TestLineEditPaste: a paste becomes one line, of what a terminal shows as it is, and
// of a bounded length.
func TestLineEditPaste(t *testing.T) {
	l := newLineEdit("a")
	l.insert("b\r\nc\td\x1b[31m\u202e\xff\x00é\n")
	if got := l.value(); got != "ab c d[31mé" {
		t.Errorf("%q", got)
	}
	l.insert(strings.Repeat("x", 2*mostTyped))
	if n := len(l.text); n != mostTyped || l.insert("y") {
		t.Errorf("%d characters", n)
	}
}

// TestLineEditDraw: the cursor is on the screen, at its character, whatever the width.
func TestLineEditDraw(t *testing.T) {
	l := newLineEdit("0123456789日本語abc")
	for _, c := range []struct {
		key    string
		width  int
		text   string
		cursor int
	}{
		{"", 30, "0123456789日本語abc", 19},
		{"", 8, "本語abc", 7}, // and the cursor behind it
		{"left", 8, "本語abc", 6},
		{"left", 8, "本語abc", 5},
		{"home", 8, "01234567", 0},
		{"right", 8, "01234567", 1},
		{"end", 1, "", 0},
		{"", 0, "", 0},
		{"ctrl+u", 8, "", 0},
	} {
		if c.key != "" {
			l.key(press(c.key))
		}
		text, cursor := l.draw(c.width)
		if c.width > 1 && (text != c.text || cursor != c.cursor) || ansi.StringWidth(text) > c.width || cursor > c.width {
			t.Errorf("%s, %d columns: %q, cursor at %d, want %q, %d", c.key, c.width, text, cursor, c.text, c.cursor)
		}
	}
}
