package top

import (
	_ "charm.land/bubbles/v2/textinput"
	_ "charm.land/lipgloss/v2"
)

// styles are the colours of the screen; without colour they are all empty.
type styles struct {
	color bool
	utf8  bool // the terminal shows more than ASCII
}
