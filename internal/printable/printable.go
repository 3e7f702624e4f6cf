// Package printable makes text that came from outside safe to show on a terminal:
// names that processes, files and network namespaces have, words of a command
// line, lines of files. It is the only place that decides which characters are
// shown as they are.
package printable

import (
	"fmt"
	"unicode/utf8"
)

// First returns the length in bytes of the first character of s, and whether it can
// be shown as it is. These cannot: control characters (C0, DEL, C1), the line and
// paragraph separators U+2028 and U+2029, the controls of bidirectional text that
// change the order of what is shown (U+202A to U+202E, U+2066 to U+2069), U+FFFE and
// U+FFFF, which XML 1.0 excludes, and bytes that are not valid UTF-8.
func First[T []byte | string](s T) (n int, ok bool) {
	var buf [utf8.UTFMax]byte
	r, n := utf8.DecodeRune(buf[:copy(buf[:], s)])
	switch {
	case r < ' ', r >= 0x7f && r < 0xa0,
		r >= 0x2028 && r <= 0x202e, r >= 0x2066 && r <= 0x2069,
		r == 0xfffe, r == 0xffff:
		return n, false
	case r == utf8.RuneError && n <= 1:
		return 1, false
	}
	return n, true
}

const hexDigits = "0123456789abcdef"

// Append appends text on one line, with \xNN for each byte of a character that
// cannot be shown as it is. Appending the result again changes nothing.
func Append[T []byte | string](b []byte, text T) []byte {
	for i := 0; i < len(text); {
		c := text[i]
		if c >= ' ' && c < 0x7f {
			b = append(b, c)
			i++
			continue
		}
		n, ok := First(text[i:])
		for _, c := range []byte(text[i : i+n]) {
			if ok {
				b = append(b, c)
			} else {
				b = append(b, '\\', 'x', hexDigits[c>>4], hexDigits[c&15])
			}
		}
		i += n
	}
	return b
}

// Is reports whether all of text can be shown as it is.
func Is[T []byte | string](text T) bool {
	for i := 0; i < len(text); {
		n, ok := First(text[i:])
		if !ok {
			return false
		}
		i += n
	}
	return true
}

// String returns text as Append appends it.
func String(text string) string {
	if Is(text) {
		return text
	}
	return string(Append(nil, text))
}

// Lines is text whose newlines are meant, as in a message of several lines. What
// came from outside was made printable when it was put in.
type Lines string

// Sprintf is fmt.Sprintf with what each argument becomes made printable, except
// for the newlines of Lines. The format is our own, and is used as it is.
func Sprintf(form string, args ...any) string {
	clean := make([]any, len(args))
	for i, a := range args {
		clean[i] = argument{a}
		if n, ok := a.(int); ok {
			clean[i] = n // it can be a width, %*d
		}
	}
	return fmt.Sprintf(form, clean...)
}

// argument is an argument of Sprintf.
type argument struct{ v any }

// Format implements fmt.Formatter.
func (a argument) Format(s fmt.State, verb rune) {
	text := fmt.Appendf(nil, fmt.FormatString(s, verb), a.v)
	if _, ok := a.v.(Lines); ok {
		text = AppendLines(nil, text)
	} else {
		text = Append(nil, text)
	}
	_, _ = s.Write(text) // fmt's buffer takes everything
}

// AppendLines appends text as Append does, but keeps its newlines.
func AppendLines[T []byte | string](b []byte, text T) []byte {
	start := 0
	for i := range len(text) {
		if text[i] == '\n' {
			b = append(Append(b, text[start:i]), '\n')
			start = i + 1
		}
	}
	return Append(b, text[start:])
}
