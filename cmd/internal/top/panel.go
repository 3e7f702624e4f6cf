package top

import (
	"context"

	tea "charm.land/bubbletea/v2"
)

// panel is a view of the screen: the entries, the groups …. It has the lines
// between the head and the foot.
type panel interface {
	// name is what the head and the help call it.
	name() string
	// ask returns the command that asks for what the panel shows, in lines of width
	// columns. It is one command, not a batch, and reads nothing of the panel or the
	// model that Update may change meanwhile. ctx ends when the answer is not wanted
	// any more, see Model.refresh. The command's message goes to answer, unless ctx
	// has ended. ask is called again after an answer, when the time has come or
	// something has changed; never while a question of the panel is under way.
	ask(ctx context.Context, m *Model, width, lines int) tea.Cmd
	// answer takes the message of ask's command, or one that another command of the
	// panel returned. ok is false if it is none of its own.
	answer(m *Model, msg tea.Msg) (cmd tea.Cmd, ok bool)
	// key takes a key. ok is false if it has no meaning here.
	key(m *Model, k tea.KeyPressMsg) (cmd tea.Cmd, ok bool)
	// click takes a click of the left button, and wheel turns of the wheel, at a
	// place in the panel.
	click(m *Model, x, y int) tea.Cmd
	wheel(m *Model, turns int) tea.Cmd
	// draw returns at most lines lines of at most width columns, with styles.
	draw(m *Model, width, lines int) []string
	// keys are the keys for the foot, the most important first.
	keys() []hint
}

// A panel that is asked more or less often than others has a method
//
//	every() time.Duration
//
// and one whose title says more than its name
//
//	title(m *Model) string

// hint is a key in the foot and in the help.
type hint struct{ key, text string }

// overlay is what lies over the panel and takes all keys: a question, the help, an
// entry in words. A line such as the filter that is typed is one too. One that takes
// text that is pasted has a method
//
//	paste(m *Model, text string) tea.Cmd
type overlay interface {
	// key takes a key. An overlay closes itself by m.closeOverlay.
	key(m *Model, k tea.KeyPressMsg) tea.Cmd
	// answer takes a message that is for no panel.
	answer(m *Model, msg tea.Msg) tea.Cmd
	// draw returns its lines, and whether they take the place of the whole panel or
	// of its last lines only. cursor is nil, or the place of the cursor in the lines.
	draw(m *Model, width, lines int) (text []string, whole bool, cursor *tea.Position)
	keys() []hint
}
