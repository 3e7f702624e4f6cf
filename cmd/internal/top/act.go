package top

import (
	"errors"

	tea "charm.land/bubbletea/v2"

	"github.com/gonntrack/gonntrack/cmd/internal/live"
)

// effect is a message that changes the model by itself: Update calls it. Commands
// return it whose answer counts whatever is shown when it comes.
type effect func(m *Model) tea.Cmd

// shown is what a panel of entries shows.
type shown struct {
	// row is the entry under the cursor, nil if there is none.
	row *live.Row
	// query asks for all entries that are shown, in their order.
	query live.Query
}

// actHints are the keys that act takes, the most important first.
var actHints = []hint{
	{"Enter", "explain"}, {"Space t", "mark"}, {"d", "delete"}, {"D", "delete all that match"}, {"m", "set mark"},
	{"y", "copy command"}, {"w", "write"}, {"T", "mark all that match"}, {"U", "unmark all"},
}

// readHints are those that change nothing.
var readHints = []hint{
	{"Enter", "explain"}, {"Space t", "mark"}, {"y", "copy command"}, {"w", "write"}, {"T", "mark all that match"},
	{"U", "unmark all"},
}

// actHints returns the keys of act for the foot and the help.
func (m *Model) actHints() []hint {
	if m.actor == nil {
		return readHints
	}
	return actHints
}

// act takes a key that does something with the entries of a panel: it explains,
// marks, deletes, copies or writes them. ok is false if it is none. The panel moves its
// cursor on after a mark.
func (m *Model) act(k tea.KeyPressMsg, s shown) (cmd tea.Cmd, ok bool) {
	switch key := k.String(); key {
	case "enter":
		if s.row == nil {
			return nil, true
		}
		return m.explain(s.row), true
	case "space", " ", "t":
		return m.toggleMark(s.row), true
	case "T":
		return m.markMatching(s, true), true
	case "U":
		return m.markMatching(s, false), true
	case "d", "delete":
		if !m.mayChange() {
			return nil, true
		}
		return m.choose(s, change{}, false), true
	case "D":
		if !m.mayChange() {
			return nil, true
		}
		return m.choose(s, change{}, true), true
	case "m":
		if m.mayChange() {
			m.openOverlay(newMarkLine(s))
		}
		return nil, true
	case "y":
		return m.copyCommand(s), true
	case "w":
		m.openOverlay(newWriteLine(s.query))
		return nil, true
	}
	return nil, false
}

// errReadOnly is why nothing can be changed.
var errReadOnly = errors.New("--read-only was given: nothing is deleted or changed")

// mayChange reports whether tables may be changed, and says why not.
func (m *Model) mayChange() bool {
	if m.actor == nil {
		m.fail(errReadOnly)
		return false
	}
	return true
}
