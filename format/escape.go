package format

import (
	"strings"
	"unicode/utf8"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/internal/printable"
)

// appendXMLName is printable.Append for text in XML.
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
		b = printable.Append(b, name[start:i])
		b = append(b, ref...)
		start = i + 1
	}
	return printable.Append(b, name[start:])
}

// appendJSONString appends s as a JSON string (RFC 8259, section 7) with its
// quotes. Characters that are not printable are written as \uNNNN, so the string is
// one line and safe for a terminal. Each invalid byte becomes U+FFFD.
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
			n, ok := printable.First(s[i:])
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
// if it contains a comma or a quote, otherwise as printable.Append does. A name that
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
		return printable.Append(dst, name)
	}
	start := 0
	for i := range len(name) {
		if name[i] == '"' {
			dst = append(printable.Append(dst, name[start:i]), '"', '"')
			start = i + 1
		}
	}
	return append(printable.Append(dst, name[start:]), '"')
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
			// Other names cannot be in a label map, nor be loaded, and no table has
			// more labels.
			if i < ctnetlink.MaxLabels && strings.Trim(n, labelLetters) == "" {
				out[i] = n
			}
		case style == StyleJSON || style == StyleJSONL:
			out[i] = string(appendJSONString(nil, n))
		case style == StyleCSV:
			out[i] = n // csvQuote escapes the whole list
		default:
			out[i] = string(printable.Append(nil, n))
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
