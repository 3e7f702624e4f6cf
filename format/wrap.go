package format

import (
	"strings"
	"unicode/utf8"
)

// appendWrapped appends a heading and a text, broken into lines of at most width
// columns that begin at the column indent. A longer word is not broken.
func appendWrapped(dst []byte, heading string, indent, width int, text string) []byte {
	dst = append(dst, heading...)
	column := len(heading)
	for word := range strings.FieldsSeq(text) {
		n := utf8.RuneCountInString(word)
		switch {
		case column < indent:
			dst = appendBlanks(dst, indent-column)
			column = indent
		case column+1+n > width:
			dst = appendBlanks(append(dst, '\n'), indent)
			column = indent
		default:
			dst = append(dst, ' ')
			column++
		}
		dst = append(dst, word...)
		column += n
	}
	return append(dst, '\n')
}

func appendBlanks(dst []byte, n int) []byte {
	for range n {
		dst = append(dst, ' ')
	}
	return dst
}
