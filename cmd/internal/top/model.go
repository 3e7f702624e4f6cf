package top

import (
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/gonntrack/gonntrack/cmd/internal/live"
	"github.com/gonntrack/gonntrack/filter"
)

// Model is the state of the screen.
type Model struct {
	data    data
	options *options
	// actor changes the tables; nil with --read-only.
	actor *actor
	style styles

	width, height int
	status        live.Status
	history       []live.Point
	statusTime    time.Time

	panels  []panel
	current int     // index of the panel that is shown
	over    overlay // nil: none
	frozen  bool
	// message is shown in place of the foot until a key is pressed.
	message string
	failed  bool // the message is an error

	// filterText is the filter that was typed, in the grammar of -L, and filter what
	// it says; nil: all entries.
	filterText string
	filter     *filter.Filter
	search     string
	// group is the group whose entries the panel of entries shows; nil: all.
	group *live.GroupID
}

// Init returns the first commands.
func (m *Model) Init() tea.Cmd { return nil }

// Update takes a message.
func (m *Model) Update(msg tea.Msg) (tea.Model, tea.Cmd) { return m, nil }

// View draws the screen.
func (m *Model) View() tea.View { return tea.NewView("") }

// openOverlay puts an overlay over the panel.
func (m *Model) openOverlay(o overlay) { m.over = o }

// closeOverlay takes the overlay away.
func (m *Model) closeOverlay() { m.over = nil }

// say shows a message in place of the foot.
func (m *Model) say(text string) { m.message, m.failed = text, false }

// fail shows an error in place of the foot.
func (m *Model) fail(err error) { m.message, m.failed = err.Error(), true }
