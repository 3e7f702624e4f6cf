package top

import (
	"context"

	tea "charm.land/bubbletea/v2"
)

// emptyPanel is a panel without anything, for panels of tests.
type emptyPanel struct{ text string }

func (p *emptyPanel) name() string                                { return p.text }
func (*emptyPanel) ask(context.Context, *Model, int, int) tea.Cmd { return nil }
func (*emptyPanel) answer(*Model, tea.Msg) (tea.Cmd, bool)        { return nil, false }
func (*emptyPanel) key(*Model, tea.KeyPressMsg) (tea.Cmd, bool)   { return nil, false }
func (*emptyPanel) click(_ *Model, _, _ int) tea.Cmd              { return nil }
func (*emptyPanel) wheel(*Model, int) tea.Cmd                     { return nil }
func (*emptyPanel) draw(_ *Model, _, _ int) []string              { return nil }
func (*emptyPanel) keys() []hint                                  { return nil }
