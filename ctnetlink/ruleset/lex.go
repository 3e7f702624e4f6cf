package ruleset

import (
	"fmt"
	"net/netip"
	"strings"
	"unicode/utf8"
)

// token is one word, quoted string, sign or end of a statement.
type token struct {
	text   string
	line   int
	quoted bool // text was in quotes
}

// The end of a statement: a semicolon or the end of a line.
const endOfStatement = ";"

// isEnd reports whether the token ends a statement.
func (t token) isEnd() bool { return !t.quoted && (t.text == endOfStatement || t.text == "") }

// is reports whether the token is the unquoted text.
func (t token) is(text string) bool { return !t.quoted && t.text == text }

// Error is an error in a file of rules.
type Error struct {
	File string
	Line int
	Text string
}

// Error returns the error in the form "FILE:LINE: text".
func (e *Error) Error() string { return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Text) }

const signs = "{}(),=!<>&|^"

// lex splits a file into tokens. The end of a line is a token ";" unless the
// line ends in a backslash or an opening or separating sign.
func lex(file, src string) ([]token, error) {
	if !utf8.ValidString(src) {
		return nil, &Error{file, 1, "the file is not text"}
	}
	var tokens []token
	line := 1
	for i := 0; i < len(src); {
		c := src[i]
		switch {
		case c == '\n':
			tokens = append(tokens, token{endOfStatement, line, false})
			line++
			i++
		case c == '\\' && i+1 < len(src) && src[i+1] == '\n':
			line++
			i += 2
		case c == ' ', c == '\t', c == '\r':
			i++
		case c == '#':
			for i < len(src) && src[i] != '\n' {
				i++
			}
		case c == ';':
			tokens = append(tokens, token{endOfStatement, line, false})
			i++
		case c == '"':
			end := strings.IndexAny(src[i+1:], "\"\n")
			if end < 0 || src[i+1+end] == '\n' {
				return nil, &Error{file, line, "a quote is not closed"}
			}
			tokens = append(tokens, token{src[i+1 : i+1+end], line, true})
			i += end + 2
		case strings.IndexByte(signs, c) >= 0:
			n := 1
			if i+1 < len(src) && (src[i+1] == '=' && strings.IndexByte("=!<>", c) >= 0) {
				n = 2
			}
			tokens = append(tokens, token{src[i : i+n], line, false})
			i += n
		default:
			start := i
			for i < len(src) && strings.IndexByte(" \t\r\n#;\"\\"+signs, src[i]) < 0 {
				i++
			}
			if i == start {
				return nil, &Error{file, line, fmt.Sprintf("unexpected %q", c)}
			}
			for _, w := range splitColon(src[start:i]) {
				tokens = append(tokens, token{w, line, false})
			}
		}
	}
	return append(tokens, token{endOfStatement, line, false}, token{"", line, false}), nil
}

// splitColon splits "established:" and "new:accept" at the colon, but neither an
// address nor an address with a port.
func splitColon(w string) []string {
	i := strings.IndexByte(w, ':')
	if i < 0 || len(w) == 1 || w[0] == '[' || w[0] == ':' || w[0] == '$' && i == len(w)-1 {
		return []string{w}
	}
	host, _, _ := strings.Cut(strings.SplitN(w, "-", 2)[0], "/")
	if _, err := netip.ParseAddr(host); err == nil { // IPv6
		return []string{w}
	}
	before := w[:i]
	if _, err := netip.ParseAddr(strings.SplitN(before, "-", 2)[0]); err == nil && i < len(w)-1 { // ADDR:PORT
		return []string{w}
	}
	out := []string{before, ":"}
	if i < len(w)-1 {
		out = append(out, splitColon(w[i+1:])...)
	}
	return out
}
