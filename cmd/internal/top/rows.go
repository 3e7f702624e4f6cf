package top

import "time"

// listRow returns the line of a row of a list, behind the columns in which a cursor is
// seen without colours.
func (s *styles) listRow(line string, cursor bool, width int) string {
	if !cursor {
		return "  " + line
	}
	head := "  "
	if !s.color {
		head = "> "
	}
	return s.row(reverse, pad(head+line, width))
}

// listTitles returns the line of titles. at is the column before the one that rows are
// sorted by, which gets an arrow; less than 0: none.
func (s *styles) listTitles(line string, at int, descending bool) string {
	text := []rune("  " + line)
	if at >= 0 && at < len(text) {
		if text[at] = '▲'; descending {
			text[at] = '▼'
		}
	}
	return s.row(bold, string(text))
}

// insteadOf returns a text that takes the place of rows.
func (s *styles) insteadOf(p paint, text string, width, lines int) []string {
	list := wrap(text, width)
	for i, line := range list {
		list[i] = s.on(p, line)
	}
	return list[:min(len(list), max(lines, 0))]
}

// clicks tells double clicks.
type clicks struct {
	row int
	at  time.Time
}

// double reports whether a click on a row is the second of a double click.
func (c *clicks) double(row int, now time.Time) bool {
	if again := row == c.row && now.Sub(c.at) < doubleClick; again {
		*c = clicks{}
		return true
	}
	*c = clicks{row, now}
	return false
}
