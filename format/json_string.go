package format

import "unicode/utf8"

// appendJSONString appends s as a JSON string (RFC 8259, section 7), quotes
// included. Control characters, those of the C1 set and DEL too, are written
// as \u00NN, so that a terminal takes none for a command and the string is one
// line; a byte that is no UTF-8 becomes U+FFFD.
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

// appendJSONRune appends what begins s, which cannot be printed: an escape of
// its number, or U+FFFD where it is no character.
func appendJSONRune[T []byte | string](dst []byte, s T) []byte {
	var buf [utf8.UTFMax]byte
	r, n := utf8.DecodeRune(buf[:copy(buf[:], s)])
	if r == utf8.RuneError && n <= 1 {
		return utf8.AppendRune(dst, utf8.RuneError)
	}
	return append(dst, '\\', 'u', hexDigits[r>>12&15], hexDigits[r>>8&15], hexDigits[r>>4&15], hexDigits[r&15])
}
