package top

import (
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/gonntrack/gonntrack/cmd/internal/live"
	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/format"
	"github.com/gonntrack/gonntrack/internal/printable"
)

// open opens the entry that an event is about, or if it has ended what the event says
// of it.
func (p *events) open(m *Model, l *eventLine) tea.Cmd {
	if l.Flow == nil {
		return nil
	}
	d, event := m.data, *l
	return func() tea.Msg {
		ref, ok := d.Find(event.Source, event.Flow)
		return effect(func(m *Model) tea.Cmd {
			if ok {
				return m.explain(&live.Row{Ref: ref, Flow: event.Flow})
			}
			m.openOverlay(newEndedEntry(m, &event))
			return nil
		})
	}
}

// endedEntry is an overlay: an entry in words that has ended, as an event showed it.
type endedEntry struct{ detail }

func newEndedEntry(m *Model, l *eventLine) *endedEntry {
	how := "The entry has ended. As this event showed it:"
	switch by := l.cause(); {
	case l.Type != ctnetlink.EventDestroy:
	case by != "":
		how = "The entry was deleted by " + printable.String(by) + ". As it was at the end:"
	default:
		how = "The entry has ended: no process deleted it. As it was at the end:"
	}
	c := m.context(l.Source)
	x := &format.Explanation{Now: l.Time, LabelNames: m.labelNames(), NetNS: c.NetNS, Width: m.width}
	text := strings.TrimSuffix(string(format.AppendExplanation(nil, l.Flow, x)), "\n")
	return &endedEntry{detail{ended: true, text: append([]string{how, ""}, strings.Split(text, "\n")...)}}
}

func (e *endedEntry) key(m *Model, k tea.KeyPressMsg) tea.Cmd {
	switch k.String() {
	case "y", "d", "delete": // there is nothing to delete
		e.close(m)
		return nil
	}
	return e.detail.key(m, k)
}

func (e *endedEntry) keys() []hint { return []hint{{"↑ ↓", "scroll"}, {"any other key", "close"}} }
