package cmd

import (
	"os"
	"strconv"

	"golang.org/x/term"
)

// isTerminal tells whether f, one of the program's streams, is a terminal.
func isTerminal(f any) bool {
	file, ok := f.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// lineWidth returns how many columns a line on f may have, 0 for any number:
// COLUMNS where it is set, else the terminal's width.
func lineWidth(f any) int {
	if n, err := strconv.Atoi(os.Getenv("COLUMNS")); err == nil && n > 0 {
		return n
	}
	if file, ok := f.(*os.File); ok {
		if width, _, err := term.GetSize(int(file.Fd())); err == nil {
			return width
		}
	}
	return 0
}

// useColor tells whether text on f may be coloured: on a terminal that can,
// unless NO_COLOR asks for none (https://no-color.org).
func useColor(f any) bool {
	return isTerminal(f) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}
