package top

import (
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/gonntrack/gonntrack/cmd/internal/live"
	"github.com/gonntrack/gonntrack/cmd/internal/target"
	"github.com/gonntrack/gonntrack/filter"
	"github.com/gonntrack/gonntrack/format"
)

// Model is the state of the screen. Only Update and what it calls change it; the
// goroutines of commands neither read nor change it.
type Model struct {
	data    data
	options *options
	// actor changes the tables; nil with --read-only.
	actor *actor
	// tables are the sources of data, to ask them for single entries (Conn.Beside).
	tables []*target.Table
	style  styles
	// now is the clock of what is shown.
	now func() time.Time

	width, height int
	// status and history are what data told at statusTime; the zero time: nothing yet.
	status     live.Status
	history    []live.Point
	statusTime time.Time

	panels  []panel
	current int        // index of the panel that is shown
	asked   []question // of each panel
	over    overlay    // nil: none
	// frozen reports that the rows stay as they were at frozenTime.
	frozen     bool
	frozenTime time.Time
	// message is shown in place of the foot until a key is pressed.
	message string
	failed  bool // the message is an error
	// outcome is that of the last change, nil: there was none.
	outcome *outcome
	noMouse bool // the mouse is left to the terminal, which selects text

	// filterText is the filter that was typed, in the grammar of -L, and filter what
	// it says; nil: all entries. After a change call refresh.
	filterText string
	filter     *filter.Filter
	search     string
	// group is the group whose entries the panel of entries shows; nil: all.
	group *live.GroupID
	// from is where the entries of a row were opened that the panel of entries shows;
	// nil: nowhere.
	from *origin

	interval    time.Duration // between dumps, as it was asked for
	statusAsked bool          // the command for the status is under way
	quitting    bool
	crash       *crash // a panic, nil: none
	ended       error  // why the program ended, nil: because the user said so
	headLines   int    // of what was drawn last, for the mouse
	tabs        []tab  // likewise
}

// newModel returns the model of a screen that shows data.
func newModel(d data, o *options, a *actor, s styles) *Model {
	m := &Model{data: d, options: o, actor: a, style: s, now: time.Now, interval: o.interval}
	m.panels = newPanels(m)
	m.asked = make([]question, len(m.panels))
	if o.request != nil && o.request.View().By != nil {
		m.current = groupsPanel
	}
	return m
}

// newPanels returns the views of the screen in the order of their keys, from 1 on.
func newPanels(m *Model) []panel {
	return []panel{
		newEntries(m), newGroups(m.options), newStates(), newEvents(), newExpects(),
	}
}

// Indexes of the panels.
const (
	entriesPanel = iota
	groupsPanel
	statesPanel
	eventsPanel
	expectPanel
)

// panel returns the panel that is shown.
func (m *Model) panel() panel { return m.panels[m.current] }

// show changes to another panel. From the entries of a row it goes back to the view of
// that row as back does.
func (m *Model) show(index int) {
	if index == m.current || m.from != nil && index == m.from.panel && m.back() {
		return
	}
	m.asked[m.current].outdate()
	m.current = index
	m.refresh()
}

// refresh has the panel that is shown asked again at once: what it shows has changed,
// its order for example. A question that is under way is outdated: its context ends,
// and its answer is dropped.
func (m *Model) refresh() { m.asked[m.current].outdate() }

// panelSize returns the columns and lines of the panel that is shown.
func (m *Model) panelSize() (width, lines int) {
	return m.width, max(m.height-len(m.head())-footLines, 0)
}

// openOverlay puts an overlay over the panel.
func (m *Model) openOverlay(o overlay) { m.over = o }

// closeOverlay takes the overlay away.
func (m *Model) closeOverlay() { m.over = nil }

// say shows a message in place of the foot.
func (m *Model) say(text string) { m.message, m.failed = text, false }

// fail shows an error in place of the foot.
func (m *Model) fail(err error) { m.message, m.failed = err.Error(), true }

// quit ends the program.
func (m *Model) quit() tea.Cmd {
	m.quitting = true
	for i := range m.asked {
		m.asked[i].outdate()
	}
	return tea.Quit
}

// context returns what is known about an entry of a source beside its attributes.
func (m *Model) context(source int) *format.Context {
	c := &format.Context{Now: m.now()}
	if source >= 0 && source < len(m.tables) {
		c.Now = m.tables[source].Now()
		if len(m.tables) > 1 {
			c.NetNS = m.tables[source].Name
		}
	}
	return c
}
