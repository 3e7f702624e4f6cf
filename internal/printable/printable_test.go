package printable

import (
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func TestAppend(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"", ""},
		{`plain \x1b "text"`, `plain \x1b "text"`},
		{"é ü 漢字 😀 \u200b\u00a0", "é ü 漢字 😀 \u200b\u00a0"},
		{"a\nb\tc\r\x00\x1b[2K\x7f", `a\x0ab\x09c\x0d\x00\x1b[2K\x7f`},
		{"\u0080\u0085\u009b1m\u009f", `\xc2\x80\xc2\x85\xc2\x9b1m\xc2\x9f`},
		{"\u2027|\u2028|\u2029|\u202a|\u202e|\u202f", "\u2027" + `|\xe2\x80\xa8|\xe2\x80\xa9|\xe2\x80\xaa|\xe2\x80\xae|` + "\u202f"},
		{"\u2065|\u2066|\u2069|\u206a", "\u2065" + `|\xe2\x81\xa6|\xe2\x81\xa9|` + "\u206a"},
		{"\ufffd|\ufffe|\uffff|\xff|\xe2\x80", "\ufffd" + `|\xef\xbf\xbe|\xef\xbf\xbf|\xff|\xe2\x80`},
		{"\xed\xa0\x80", `\xed\xa0\x80`}, // a surrogate
	} {
		got := String(c.text)
		if got != c.want {
			t.Errorf("%q: %q, want %q", c.text, got, c.want)
		}
		if !Is(got) || String(got) != got || Is(c.text) != (got == c.text) {
			t.Errorf("%q: not printable, or changed again", got)
		}
		if lines := string(AppendLines(nil, c.text)); lines != strings.ReplaceAll(c.want, `\x0a`, "\n") {
			t.Errorf("%q: lines %q", c.text, lines)
		}
	}
}

func TestSprintf(t *testing.T) {
	bad := "x\n\x1b"
	for _, c := range []struct {
		got, want string
	}{
		{Sprintf("a\n%s|%d|%s\n", bad, 7, errors.New(bad)), "a\n" + `x\x0a\x1b|7|x\x0a\x1b` + "\n"},
		{Sprintf("%s %v %5s|%-5s|", []byte(bad), []string{bad}, "é", "é"), `x\x0a\x1b [x\x0a\x1b]     é|é    |`},
		{Sprintf("%*s|%d|%s|%v", 4, "x", uint64(9), time.Second, nil), "   x|9|1s|<nil>"},
		{Sprintf("%s|%s", Lines(bad), bad), "x\n" + `\x1b|x\x0a\x1b`},
		{Sprintf("100%%\n"), "100%\n"},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
}

// FuzzAppend: what is appended is printable, one line, and valid UTF-8.
func FuzzAppend(f *testing.F) {
	f.Add("a\nb\x1b\u202e\u2028\u009b\xff")
	f.Fuzz(func(t *testing.T, text string) {
		got := String(text)
		if !utf8.ValidString(got) || !Is(got) || string(Append(nil, []byte(text))) != got {
			t.Errorf("%q: %q", text, got)
		}
		for _, r := range got {
			if r < ' ' || r >= 0x7f && r < 0xa0 || r >= 0x2028 && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
				t.Errorf("%q: %U in %q", text, r, got)
			}
		}
	})
}
