package top

import (
	"strings"

	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/vt"
)

// terminalScreen is a terminal in memory, for programs that draw on one.
type terminalScreen struct {
	*vt.Emulator
	modes map[int]bool // the private modes that are set: 1049 is the alternate screen
}

func newTerminalScreen(width, height int) *terminalScreen {
	s := &terminalScreen{vt.NewEmulator(width, height), map[int]bool{}}
	s.SetCallbacks(vt.Callbacks{
		EnableMode:  func(mode ansi.Mode) { s.modes[mode.Mode()] = true },
		DisableMode: func(mode ansi.Mode) { delete(s.modes, mode.Mode()) },
	})
	return s
}

// Contains reports whether a text is on a line.
func (s *terminalScreen) Contains(text string) bool { return strings.Contains(s.String(), text) }

// Line returns a line without the blanks at its end.
func (s *terminalScreen) Line(y int) string {
	lines := strings.Split(s.String(), "\n")
	if y >= len(lines) {
		return ""
	}
	return strings.TrimRight(lines[y], " \r")
}
