package cmd

import (
	"os"
	"runtime"
	"strconv"

	"golang.org/x/term"
)

// isTerminal tells whether f, one of the program's streams, is a terminal.
func isTerminal(f any) bool {
	file, ok := beneath(f).(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// beneath returns where what is written to f ends up.
func beneath(f any) any {
	for {
		switch w := f.(type) {
		case heldWriter:
			f = *w.to
		case *above:
			f = w.w
		default:
			return f
		}
	}
}

// openTerminal opens the terminal that the program was started on, to write on
// it whatever its streams lead to.
func openTerminal() (*os.File, error) {
	name := "/dev/tty"
	if runtime.GOOS == "windows" {
		name = "CONOUT$"
	}
	return os.OpenFile(name, os.O_WRONLY, 0)
}

// lineWidth returns how many columns a line on f may have, 0 for any number:
// COLUMNS where it is set, else the terminal's width.
func lineWidth(f any) int {
	if n, err := strconv.Atoi(os.Getenv("COLUMNS")); err == nil && n > 0 {
		return n
	}
	if file, ok := beneath(f).(*os.File); ok {
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
