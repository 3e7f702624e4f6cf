package top

import (
	"github.com/gonntrack/gonntrack/cmd/internal/live"
	"github.com/gonntrack/gonntrack/internal/printable"
)

// origin is the view from which the entries of one of its rows were opened, and what
// was selected there.
type origin struct {
	panel    int
	selected selected
	set      string // the filter that was set for the entries; "": none was
}

// drillGroup shows the entries of a group.
func (m *Model) drillGroup(id live.GroupID) {
	m.from, m.group = &origin{panel: m.current}, &id
	m.show(entriesPanel)
}

// drillFilter shows the entries that match the filter that was typed and options. Where
// both cannot be typed together, as with -p twice, options take its place.
func (m *Model) drillFilter(options string) {
	from := &origin{panel: m.current, selected: m.selected()}
	if err := m.addFilter(options); err != nil {
		if err := m.setFilter(options); err != nil {
			m.fail(err)
			return
		}
		m.say("This takes the place of the filter " + printable.String(from.selected.text) + " until you come back.")
	}
	from.set = m.filterText
	m.from, m.group = from, nil
	m.show(entriesPanel)
}

// back returns from the entries of a row to the view that the row is in, and reports
// whether there was one. The filter that was set for these entries goes, unless it was
// changed since.
func (m *Model) back() bool {
	if m.current != entriesPanel || m.from == nil {
		return false
	}
	from := m.from
	m.from, m.group = nil, nil
	if from.set != "" && from.set == m.filterText {
		m.filterText, m.filter = from.selected.text, from.selected.filter
	}
	m.show(from.panel)
	return true
}
