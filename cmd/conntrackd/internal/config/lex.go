package config

import "bytes"

// kind is what a word of a file is.
type kind uint8

// The kinds of words. An address is what looks like one: 10.0.0.1, 10.0.0.0/8, fe80::1,
// but also a word of up to four hexadecimal digits, as in conntrack-tools.
const (
	end kind = iota
	keyword
	word
	number
	signed
	path
	address
	boolean
	other // a single character
)

// token is a word of a file.
type token struct {
	kind kind
	text string
	line int
}

// is reports whether t is the keyword or the character.
func (t token) is(s string) bool { return (t.kind == keyword || t.kind == other) && t.text == s }

// lexer splits a file into words. The longest pattern that matches decides, and of equally
// long ones the more special.
type lexer struct {
	rest []byte
	line int
}

// next returns the next word.
func (l *lexer) next() token {
	l.skip()
	t := token{line: l.line}
	b := l.rest
	if len(b) == 0 {
		return t
	}
	n := 1
	switch c := b[0]; {
	case letter(c):
		n = span(b, func(c byte) bool { return letter(c) || digit(c) || c == '.' || c == '_' || c == '-' })
		t.kind = word
	case digit(c):
		n = span(b, digit)
		t.kind = number
	case (c == '+' || c == '-') && len(b) > 1 && digit(b[1]):
		n = 1 + span(b[1:], digit)
		t.kind = signed
	case c == '/':
		n = len(pathOf(b))
		t.kind = path
	default:
		t.kind = other
	}
	// A word of hexadecimal digits is an address, a number is not.
	if m := max(ipv4Length(b), ipv6Length(b)); m > n || m == n && t.kind == word {
		n, t.kind = m, address
	}
	t.text = string(b[:n])
	l.rest = b[n:]
	switch t.kind {
	case word:
		t.kind = wordKind(t.text)
	case path:
		t.text = string(bytes.TrimRight(b[:n], "\r"))
	}
	return t
}

// raw returns the text up to the next blank or brace.
func (l *lexer) raw() token {
	l.skip()
	n := span(l.rest, func(c byte) bool { return !blank(c) && c != '\n' && c != '{' && c != '}' && c != '#' })
	t := token{kind: other, text: string(l.rest[:n]), line: l.line}
	l.rest = l.rest[n:]
	return t
}

// skip skips blanks, line feeds and comments.
func (l *lexer) skip() {
	for len(l.rest) > 0 {
		switch c := l.rest[0]; {
		case c == '\n':
			l.line++
			l.rest = l.rest[1:]
		case blank(c):
			l.rest = l.rest[1:]
		case c == '#':
			n := bytes.IndexByte(l.rest, '\n')
			if n < 0 {
				n = len(l.rest)
			}
			l.rest = l.rest[n:]
		default:
			return
		}
	}
}

func letter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }
func digit(c byte) bool  { return '0' <= c && c <= '9' }
func hex(c byte) bool    { return digit(c) || 'a' <= c|0x20 && c|0x20 <= 'f' }
func blank(c byte) bool  { return c == ' ' || c == '\t' || c == '\r' }

// span returns how many bytes at the beginning of b are of the class.
func span(b []byte, class func(byte) bool) int {
	n := 0
	for n < len(b) && class(b[n]) {
		n++
	}
	return n
}

// pathOf returns the path at the beginning of b: up to a quote, a blank or the end of the
// line. A tab or a brace belongs to it.
func pathOf(b []byte) []byte {
	return b[:span(b, func(c byte) bool { return c != '"' && c != ' ' && c != '\n' })]
}

// prefixLength returns the length of /N at b[n:], or 0.
func prefixLength(b []byte, n int) int {
	if n >= len(b) || b[n] != '/' {
		return 0
	}
	if d := span(b[n+1:], digit); d > 0 {
		return 1 + d
	}
	return 0
}

// ipv4Length returns the length of N.N.N.N or N.N.N.N/N at the beginning of b, or 0.
func ipv4Length(b []byte) int {
	n := 0
	for i := range 4 {
		if i > 0 {
			if n >= len(b) || b[n] != '.' {
				return 0
			}
			n++
		}
		d := span(b[n:], digit)
		if d == 0 {
			return 0
		}
		n += d
	}
	return n + prefixLength(b, n)
}

// maxGroups is the number of groups of 16 bits of an address.
const maxGroups = 8

// ipv6Length returns the length of what is taken for an IPv6 address at the beginning of
// b, or 0: up to eight groups of one to four digits with colons between, or up to seven
// groups at each side of `::', whose colons may be left out.
func ipv6Length(b []byte) int {
	n := group(b)
	if n > 0 {
		for i := 1; i < maxGroups && n < len(b) && b[n] == ':'; i++ {
			g := group(b[n+1:])
			if g == 0 {
				break
			}
			n += 1 + g
		}
		n += prefixLength(b, n)
	}
	return max(n, compressedLength(b))
}

// compressedLength returns the length of an IPv6 address with `::' at the beginning of b,
// or 0. With up to seven groups before, the first pair of colons need not be the one that
// is meant (`1:::2'), so each number of groups is tried.
func compressedLength(b []byte) int {
	best := 0
	for _, n := range splits(b) {
		if !bytes.HasPrefix(b[n:], []byte("::")) {
			continue
		}
		n += 2
		for range maxGroups - 1 {
			g := group(b[n:])
			if g == 0 {
				break
			}
			n += g
			if n < len(b) && b[n] == ':' {
				n++
			}
		}
		best = max(best, n+prefixLength(b, n))
	}
	return best
}

// splits returns the lengths that up to seven groups at the beginning of b can have, each
// group followed by a colon or not.
func splits(b []byte) []int {
	ends := []int{0}
	n := 0
	for range maxGroups - 1 {
		g := group(b[n:])
		if g == 0 {
			break
		}
		n += g
		ends = append(ends, n)
		if n < len(b) && b[n] == ':' {
			n++
			ends = append(ends, n)
		}
	}
	return ends
}

// group returns how many of the first four bytes of b are hexadecimal digits.
func group(b []byte) int { return span(b[:min(4, len(b))], hex) }
