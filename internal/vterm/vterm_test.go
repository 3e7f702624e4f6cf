package vterm

import (
	"strings"
	"testing"
)

func TestTerminal(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"abc\r\ndef", "abc|def|"},
		{"12345678901234567890ab", "1234567890|1234567890|ab"},
		{"1\r\n2\r\n3\r\n4", "2|3|4"},
		{"\x1b[2;3Hx\x1b[1;31my\x1b[m\x1b[Az", "    z|  xy|"},
		{"abcdef\x1b[3D\x1b[K\x1b[1;1H\x1b[2X", "  c||"},
		{"abcdef\x1b[2G\x1b[2P\x1b[@-", "a-def||"},
		{"a\r\nb\r\nc\x1b[1;1H\x1b[L", "|a|b"},
		{"a\r\nb\r\nc\x1b[1;1H\x1b[M", "b|c|"},
		{"a\r\nb\r\nc\x1b[2;3r\x1b[3;1H\nd", "a|c|d"},
		{"a\x1b[3b\x1b[6`z\x1b[3dx", "aaaa z||      x"},
		{"a\x1b[?1049hb\x1b[?25l", " b||"},
		{"a\x1b[?1049h\x1b[2;2Hb\x1b[?1049lc", "ac||"},
		{"\x1b]0;title\x07a\x1b]8;;x\x1b\\b\x1bPq\x1b\\c\x1b(B", "abc||"},
		{"\x1b[999;999Hx\x1b[H\x1bM", "||"},
		{"\x1b[2Jé…\x1b[1J", "||"},
		{"a\tb\x1b[Zc\x1b[I", "a       c||"},
	} {
		// Whole, and byte by byte.
		whole, parts := New(10, 3), New(10, 3)
		_, _ = whole.Write([]byte(c.text))
		for i := range len(c.text) {
			_, _ = parts.Write([]byte{c.text[i]})
		}
		if got := strings.ReplaceAll(whole.String(), "\n", "|"); got != c.want {
			t.Errorf("%q: %q, want %q", c.text, got, c.want)
		}
		if whole.String() != parts.String() {
			t.Errorf("%q: byte by byte %q", c.text, parts.String())
		}
	}
}

func FuzzTerminal(f *testing.F) {
	f.Add("\x1b[5;5r\x1b[9999b\x1b[L\x1b[3M\x1b[?1049h\x1b[T", 3, 3)
	f.Fuzz(func(t *testing.T, text string, width, height int) {
		term := New(width%50, height%50)
		_, _ = term.Write([]byte(text))
		term.Resize(height%50, width%50)
		_, _ = term.Write([]byte(text))
		if n := strings.Count(term.String(), "\n"); n >= 50 {
			t.Errorf("%d lines", n)
		}
	})
}
