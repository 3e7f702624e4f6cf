package top

import (
	"fmt"
	"reflect"
	"runtime/debug"
	"strings"

	tea "charm.land/bubbletea/v2"
)

// crash is a panic. The terminal is restored before it is shown.
type crash struct {
	value any
	stack []byte
}

func (c *crash) Error() string {
	stack := strings.ReplaceAll(strings.TrimSpace(string(c.stack)), "\t", "    ")
	return fmt.Sprintf("internal error: %v\n\n%s", c.value, stack)
}

// crashMsg says that a command has panicked.
type crashMsg struct{ crash *crash }

// newCrash returns the panic that recover returned.
func newCrash(value any) *crash { return &crash{value, debug.Stack()} }

// guarded is a Model whose panics end the program in order.
type guarded struct {
	*Model
	end  func() // ends the program; it does not wait
	last tea.View
}

// Init returns the first commands.
func (g *guarded) Init() tea.Cmd { return guard(g.Model.Init()) }

// Update takes a message.
func (g *guarded) Update(msg tea.Msg) (model tea.Model, cmd tea.Cmd) {
	model = g
	defer func() {
		if v := recover(); v != nil {
			g.crashed(newCrash(v))
			cmd = tea.Quit
		}
	}()
	switch msg := msg.(type) {
	case crashMsg:
		g.crashed(msg.crash)
		return g, tea.Quit
	case endMsg:
		g.ended = msg.err
		return g, g.quit()
	}
	if g.crash != nil {
		return g, tea.Quit
	}
	_, cmd = g.Model.Update(msg)
	return g, guard(cmd)
}

// View draws the screen.
func (g *guarded) View() (v tea.View) {
	defer func() {
		if value := recover(); value != nil {
			g.crashed(newCrash(value))
			v = g.last
			g.end()
		}
	}()
	if g.crash == nil {
		g.last = g.Model.View()
	}
	return g.last
}

// crashed keeps the first panic.
func (g *guarded) crashed(c *crash) {
	if g.crash == nil {
		g.crash = c
	}
	g.quitting = true
}

// guard returns a command whose panic becomes a message, also if it is a batch or a
// sequence of commands.
func guard(cmd tea.Cmd) tea.Cmd {
	if cmd == nil {
		return nil
	}
	return func() (msg tea.Msg) {
		defer func() {
			if v := recover(); v != nil {
				msg = crashMsg{newCrash(v)}
			}
		}()
		msg = cmd()
		if cmds, ok := sequence(msg); ok {
			for i, c := range cmds {
				cmds[i] = guard(c)
			}
		}
		return msg
	}
}

// sequence returns the commands of a message that is a batch or a sequence of them.
// The type of a sequence has no name outside its package.
func sequence(msg tea.Msg) ([]tea.Cmd, bool) {
	v := reflect.ValueOf(msg)
	if v.Kind() != reflect.Slice || v.Type().Elem() != reflect.TypeFor[tea.Cmd]() {
		return nil, false
	}
	cmds, ok := v.Convert(reflect.TypeFor[[]tea.Cmd]()).Interface().([]tea.Cmd)
	return cmds, ok
}
