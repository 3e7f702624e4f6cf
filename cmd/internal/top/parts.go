package top

import (
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// part is a piece of a line of the head or the foot. It is shown whole or not at all,
// so that no number is ever cut.
type part struct {
	// texts are ways to say it, the longest first.
	texts []string
	paint paint
	// rank says what is left out for lack of width: the highest first. A part of
	// rank 0 is always shown, one of rank ornament or more is left out before another
	// is shortened.
	rank int
}

const ornament = 8

// gap is the number of columns between two parts.
const gap = 2

// join returns the line of parts that fits a width, and where each part begins, -1:
// it is left out. Of what does not fit, the less important is shortened first, then
// the less important is left out.
func (s *styles) join(parts []part, width int) (line string, at []int) {
	choice := make([]int, len(parts))
	size := func(i int) int {
		if choice[i] >= len(parts[i].texts) || parts[i].texts[choice[i]] == "" {
			return 0
		}
		return ansi.StringWidth(parts[i].texts[choice[i]])
	}
	over := func() int {
		sum := -gap
		for i := range parts {
			if n := size(i); n > 0 {
				sum += gap + n
			}
		}
		return sum - width
	}
	lowest := 0
	for _, p := range parts {
		lowest = max(lowest, p.rank)
	}
	for i := range parts {
		if parts[i].rank >= ornament && over() > 0 {
			choice[i] = len(parts[i].texts)
		}
	}
	for rank := lowest; rank >= 0 && over() > 0; rank-- {
		for i := range parts {
			for parts[i].rank == rank && choice[i] < len(parts[i].texts)-1 && over() > 0 {
				choice[i]++
			}
		}
	}
	for rank := lowest; rank > 0 && over() > 0; rank-- {
		for i := range parts {
			if parts[i].rank == rank && over() > 0 {
				choice[i] = len(parts[i].texts)
			}
		}
	}
	for rank := range lowest + 1 { // what was shortened for a part that is left out
		for i := range parts {
			for parts[i].rank == rank && choice[i] > 0 {
				choice[i]--
				if over() > 0 {
					choice[i]++
					break
				}
			}
		}
	}
	var b strings.Builder
	at = make([]int, len(parts))
	column := 0
	for i := range parts {
		at[i] = -1
		n := size(i)
		if n == 0 {
			continue
		}
		if column > 0 {
			b.WriteString(strings.Repeat(" ", gap))
			column += gap
		}
		at[i] = column
		b.WriteString(s.on(parts[i].paint, parts[i].texts[choice[i]]))
		column += n
	}
	return b.String(), at
}

// padded returns a line with another at its right end, if there is room for both.
func padded(line, right string, width int) string {
	n := ansi.StringWidth(line)
	r := ansi.StringWidth(right)
	if r == 0 || n+gap+r > width {
		return line
	}
	return line + strings.Repeat(" ", width-n-r) + right
}

// wrap breaks a text into lines of at most width columns, between words.
func wrap(text string, width int) []string {
	lines := strings.Split(ansi.Wrap(text, max(width, 1), ""), "\n")
	for i, line := range lines {
		lines[i] = strings.TrimRight(line, " ") // a blank may be one column too many
	}
	return lines
}
