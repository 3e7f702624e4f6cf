package top

import (
	"math"
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// eighths are the ends of a bar, from 1/8 of a column to 7/8.
var eighths = []rune("▏▎▍▌▋▊▉")

// hbar draws a bar for a part of a whole, n columns long if they are equal. A part that
// is not 0 has a bar.
func (s *styles) hbar(part, whole float64, n int) string {
	share := part / whole
	if !(share > 0) || n <= 0 {
		return ""
	}
	share = min(share, 1)
	if !s.utf8 {
		return strings.Repeat("#", max(int(math.Round(share*float64(n))), 1))
	}
	length := max(int(math.Round(share*float64(n)*8)), 1)
	bar := strings.Repeat("█", length/8)
	if rest := length % 8; rest > 0 {
		bar += string(eighths[rest-1])
	}
	return bar
}

// pad returns a line with blanks behind it, so that it has a width.
func pad(line string, width int) string {
	return line + strings.Repeat(" ", max(width-ansi.StringWidth(line), 0))
}

// nothing says why there is nothing to show.
func (m *Model) nothing(what string) string {
	switch {
	case m.status.Reading:
		return "The table is being read."
	case m.search != "":
		return "No " + what + " have the text that was searched for."
	case m.filter != nil || m.group != nil:
		return "No " + what + " match."
	}
	return "There are no " + what + "."
}
