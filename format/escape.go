package format

import (
	"strings"
	"unicode/utf8"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// AppendName appends a name that came from outside (of a network namespace, say)
// for a person's eyes: on one line, and without what a terminal would obey.
// Bytes that are no printable UTF-8 are written as \xNN.
func AppendName[T []byte | string](dst []byte, name T) []byte { return appendName(dst, name) }

// appendName appends a name that came from outside, with \xNN in place of
// every byte that is part of a control character or of no UTF-8 character.
func appendName[T []byte | string](b []byte, name T) []byte {
	for i := 0; i < len(name); {
		c := name[i]
		if c >= ' ' && c < 0x7f {
			b = append(b, c)
			i++
			continue
		}
		n, ok := printable(name[i:])
		for _, c := range []byte(name[i : i+n]) {
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

// printable returns the length of the character that begins s, and whether it
// can be written as it is: not a control character (C0, DEL, C1), one of the
// two that XML 1.0 has not (U+FFFE, U+FFFF), or no UTF-8.
func printable[T []byte | string](s T) (n int, ok bool) {
	var buf [utf8.UTFMax]byte
	r, n := utf8.DecodeRune(buf[:copy(buf[:], s)])
	switch {
	case r < ' ', r >= 0x7f && r < 0xa0, r == 0xfffe, r == 0xffff:
		return n, false
	case r == utf8.RuneError && n <= 1:
		return 1, false
	}
	return n, true
}

// appendXMLName is appendName for the text of an XML element.
func appendXMLName[T []byte | string](b []byte, name T) []byte {
	start := 0
	for i := range len(name) {
		var ref string
		switch name[i] {
		case '&':
			ref = "&amp;"
		case '<':
			ref = "&lt;"
		case '>':
			ref = "&gt;"
		case '"':
			ref = "&quot;"
		case '\t':
			ref = "&#9;"
		case '\n':
			ref = "&#10;"
		case '\r':
			ref = "&#13;"
		default:
			continue
		}
		b = appendName(b, name[start:i])
		b = append(b, ref...)
		start = i + 1
	}
	return appendName(b, name[start:])
}

// labelNames returns the names of label bits as a style writes them.
func labelNames(style Style, names []string) []string {
	out := make([]string, len(names))
	for i, n := range names {
		switch {
		case n == "":
		case style == StyleXML:
			out[i] = "<label>" + string(appendXMLName(nil, n)) + "</label>"
		case style == StyleSave:
			// What a label map cannot hold cannot be loaded either.
			if strings.Trim(n, labelLetters) == "" {
				out[i] = n
			}
		case style == StyleJSON || style == StyleJSONL:
			out[i] = string(appendJSONString(nil, n))
		case style == StyleCSV:
			out[i] = n // the whole value is escaped
		default:
			out[i] = string(appendName(nil, n))
		}
	}
	return out
}

// labelLetters are the bytes that names in a label map are made of.
const labelLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 -"

// appendLabels appends the names of the labels in set, sep between two.
func (p *Printer) appendLabels(b []byte, set ctnetlink.Labels, sep string) []byte {
	start := len(b)
	for n := range set.All() {
		if n >= len(p.labels) || p.labels[n] == "" {
			continue
		}
		if len(b) > start {
			b = append(b, sep...)
		}
		b = append(b, p.labels[n]...)
	}
	return b
}
