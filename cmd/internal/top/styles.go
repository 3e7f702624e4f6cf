package top

import (
	"os"
	"strings"

	"github.com/gonntrack/gonntrack/cmd/internal/console"
)

// styles say what the terminal can show.
type styles struct {
	color bool
	utf8  bool // the terminal shows more than ASCII
}

// paint is a way to show text: parameters of the control function SGR (ECMA-48).
type paint string

// The paints. Those that are attributes are used without colours too.
const (
	bold    paint = "1"
	faint   paint = "2"
	reverse paint = "7" // of the row of the cursor
	red     paint = "31"
	green   paint = "32"
	yellow  paint = "33"
	blue    paint = "34"
	cyan    paint = "36"
	alarm   paint = "1;31" // something is lost
)

// plain returns what is left of a paint without colours.
func (p paint) plain() paint {
	switch p {
	case bold, faint, reverse:
		return p
	case alarm:
		return bold
	}
	return ""
}

// shown returns a paint as the terminal can show it.
func (s *styles) shown(p paint) paint {
	if s.color {
		return p
	}
	return p.plain()
}

// on returns a text that is painted.
func (s *styles) on(p paint, text string) string {
	if p = s.shown(p); text == "" || p == "" {
		return text
	}
	return "\x1b[" + string(p) + "m" + text + "\x1b[m"
}

// row returns a line that is painted as a whole, also where it has colours of its
// own: those of the cursor, of a marked row.
func (s *styles) row(p paint, line string) string {
	if p = s.shown(p); p == "" {
		return line
	}
	begin := "\x1b[" + string(p) + "m"
	line = strings.ReplaceAll(line, "\x1b[m", "\x1b[m"+begin)
	line = strings.ReplaceAll(line, "\x1b[0m", "\x1b[m"+begin)
	return begin + line + "\x1b[m"
}

// glyph returns a text, or where only ASCII is shown what takes its place.
func (s *styles) glyph(text, ascii string) string {
	if s.utf8 {
		return text
	}
	return ascii
}

// terminalStyles are the styles of the terminal that f, one of the streams of a run,
// leads to.
func terminalStyles(f any) styles {
	return styles{color: console.UseColor(f), utf8: localeUTF8(os.Getenv)}
}

// localeUTF8 reports whether the locale's character set is UTF-8 (locale(7)).
func localeUTF8(getenv func(string) string) bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if v := getenv(name); v != "" {
			v = strings.ToLower(v)
			return strings.Contains(v, "utf-8") || strings.Contains(v, "utf8")
		}
	}
	return false
}
