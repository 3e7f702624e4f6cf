package format

import (
	"strings"
	"unicode/utf8"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// AppendName appends a name from outside, for example that of a network namespace,
// so that it is safe to show on a terminal: on one line, with \xNN for each byte
// that is part of a control character or is not valid UTF-8.
func AppendName[T []byte | string](b []byte, name T) []byte {
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

// printable returns the length of the first character of s, and whether it can be
// written as it is. Control characters (C0, DEL, C1), the two that XML 1.0 excludes
// (U+FFFE, U+FFFF) and invalid UTF-8 cannot.
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

// appendXMLName is AppendName for text in XML.
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
		b = AppendName(b, name[start:i])
		b = append(b, ref...)
		start = i + 1
	}
	return AppendName(b, name[start:])
}

// appendJSONString appends s as a JSON string (RFC 8259, section 7) with its
// quotes. Control characters, also DEL and those of the C1 set, are written as
// \u00NN, so the string is one line and safe for a terminal. Each invalid byte
// becomes U+FFFD.
func appendJSONString[T []byte | string](dst []byte, s T) []byte {
	dst = append(dst, '"')
	for i := 0; i < len(s); {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
			i++
		case c >= ' ' && c < 0x7f:
			dst = append(dst, c)
			i++
		default:
			n, ok := printable(s[i:])
			switch {
			case ok:
				dst = append(dst, s[i:i+n]...)
			default:
				dst = appendJSONRune(dst, s[i:i+n])
			}
			i += n
		}
	}
	return append(dst, '"')
}

// appendJSONRune appends the unprintable first character of s: its escape, or
// U+FFFD if it is not valid UTF-8.
func appendJSONRune[T []byte | string](dst []byte, s T) []byte {
	var buf [utf8.UTFMax]byte
	r, n := utf8.DecodeRune(buf[:copy(buf[:], s)])
	if r == utf8.RuneError && n <= 1 {
		return utf8.AppendRune(dst, utf8.RuneError)
	}
	return append(dst, '\\', 'u', hexDigits[r>>12&15], hexDigits[r>>8&15], hexDigits[r>>4&15], hexDigits[r&15])
}

// formulaSigns are the characters that a formula of a spreadsheet begins with.
const formulaSigns = "=+-@"

// appendCSVName appends a name from outside as a CSV value (RFC 4180): in quotes
// if it contains a comma or a quote, otherwise as AppendName does. A name that
// begins like a formula is preceded by a ', otherwise a spreadsheet would run it.
func appendCSVName[T []byte | string](dst []byte, name T) []byte {
	quote, formula := false, len(name) > 0 && strings.IndexByte(formulaSigns, name[0]) >= 0
	for i := range len(name) {
		quote = quote || name[i] == ',' || name[i] == '"'
	}
	if quote {
		dst = append(dst, '"')
	}
	if formula {
		dst = append(dst, '\'')
	}
	if !quote {
		return AppendName(dst, name)
	}
	start := 0
	for i := range len(name) {
		if name[i] == '"' {
			dst = append(AppendName(dst, name[start:i]), '"', '"')
			start = i + 1
		}
	}
	return append(AppendName(dst, name[start:]), '"')
}

// labelNames returns the names of label bits in the form of a style.
func labelNames(style Style, names []string) []string {
	out := make([]string, len(names))
	for i, n := range names {
		switch {
		case n == "":
		case style == StyleXML:
			out[i] = "<label>" + string(appendXMLName(nil, n)) + "</label>"
		case style == StyleSave:
			// Other names cannot be in a label map, nor be loaded.
			if strings.Trim(n, labelLetters) == "" {
				out[i] = n
			}
		case style == StyleJSON || style == StyleJSONL:
			out[i] = string(appendJSONString(nil, n))
		case style == StyleCSV:
			out[i] = n // csvQuote escapes the whole list
		default:
			out[i] = string(AppendName(nil, n))
		}
	}
	return out
}

// labelLetters are the characters that names in a label map can have.
const labelLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 -"

// appendLabels appends the names of the labels in a set, separated by sep. Labels
// without a name are left out.
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
