package console

import (
	"io"
	"os"
	"runtime"
	"strconv"

	"golang.org/x/term"
)

// unwrapper is a writer that writes to another one.
type unwrapper interface{ Unwrap() io.Writer }

// underlying returns the stream that f, a stream or an Output, leads to.
func underlying(f any) any {
	for {
		switch w := f.(type) {
		case *Output:
			f = w.w
		case unwrapper:
			f = w.Unwrap()
		default:
			return f
		}
	}
}

// IsTerminal reports whether f, one of the streams of a run, is a terminal.
func IsTerminal(f any) bool {
	file, ok := underlying(f).(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// OpenTerminal opens the controlling terminal for writing, wherever the streams
// lead.
func OpenTerminal() (*os.File, error) {
	name := "/dev/tty"
	if runtime.GOOS == "windows" {
		name = "CONOUT$"
	}
	return os.OpenFile(name, os.O_WRONLY, 0)
}

// LineWidth returns how many columns a line on f may have, 0 for any number:
// COLUMNS where it is set, else the terminal's width.
func LineWidth(f any) int {
	if n, err := strconv.Atoi(os.Getenv("COLUMNS")); err == nil && n > 0 {
		return n
	}
	if file, ok := underlying(f).(*os.File); ok {
		if width, _, err := term.GetSize(int(file.Fd())); err == nil {
			return width
		}
	}
	return 0
}

// UseColor reports whether text on f may be coloured: on a terminal that can
// show it, unless NO_COLOR is set (https://no-color.org).
func UseColor(f any) bool {
	return IsTerminal(f) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}
