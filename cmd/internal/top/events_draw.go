package top

import (
	"fmt"
	"strconv"

	"github.com/charmbracelet/x/ansi"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/format"
	"github.com/gonntrack/gonntrack/internal/printable"
)

// eventsGrid has the columns of the entries of events.
type eventsGrid struct {
	*format.Grid
	width int
}

// eventsFrame is how many lines there are beside events: the titles, and what is said
// below them.
const eventsFrame = 2

// Widths from which there is more to see.
const (
	eventTimeWidth   = 60
	eventMillisWidth = 100
	eventCauseWidth  = 70
	mostCause        = 20 // of the name of a process
)

// eventName returns what is written for an event, and its colour.
func eventName(t ctnetlink.EventType, width int) (string, paint) {
	names := [2]string{"NEW", "NEW"}
	color := green
	switch t {
	case ctnetlink.EventUpdate:
		names, color = [2]string{"UPDATE", "UPD"}, cyan
	case ctnetlink.EventDestroy:
		names, color = [2]string{"DESTROY", "DES"}, red
	}
	if width < eventTimeWidth {
		return fmt.Sprintf("%-3s", names[1]), color
	}
	return fmt.Sprintf("%-7s", names[0]), color
}

// timeLayout returns how the time of events is written, "" if it is not.
func timeLayout(width int) string {
	switch {
	case width < eventTimeWidth:
		return ""
	case width < eventMillisWidth:
		return "15:04:05"
	}
	return "15:04:05.000"
}

// cause returns the process that caused an event, "" if none did.
func (l *eventLine) cause() string {
	switch {
	case l.PortID == 0:
		return ""
	case l.program != "":
		return ansi.Truncate(printable.String(l.program), mostCause, "")
	}
	return "port id " + strconv.FormatUint(uint64(l.PortID), 10)
}

func (p *events) draw(m *Model, width, lines int) []string {
	width -= gutter
	rows := max(lines-eventsFrame, 1)
	p.scroll.fit(len(p.lines), rows)
	s := &m.style
	shown := p.lines[p.scroll.top:min(p.scroll.top+rows, len(p.lines))]
	if p.grid == nil || p.grid.width != width {
		p.grid = &eventsGrid{format.NewGrid(format.Options{LabelNames: m.labelNames()}, !s.utf8), width}
	}
	p.grid.Reset()
	cause := 0
	for i := range shown {
		if l := &shown[i]; l.Flow != nil {
			p.grid.Add(l.Flow, m.context(l.Source))
			cause = max(cause, ansi.StringWidth(l.cause()))
		}
	}
	layout := timeLayout(width)
	head := "EVENT  "
	if layout == "" {
		head = "   "
	} else {
		head = fmt.Sprintf("%-*s  ", len(layout), "TIME") + head
	}
	head += "  "
	room := width - len(head)
	if cause > 0 && width >= eventCauseWidth {
		room -= cause + gap
	} else {
		cause = 0
	}
	p.grid.Fit(room)

	text := make([]string, 1, lines)
	text[0] = head + string(p.grid.AppendTitles(nil, nil))
	if cause > 0 {
		text[0] = pad(text[0], width-cause) + "BY"
	}
	text[0] = s.listTitles(text[0], -1, false)
	row := 0
	for i := range shown {
		l := &shown[i]
		line := ""
		if l.Flow == nil {
			line = s.on(faint, passedText(l, width))
		} else {
			name, color := eventName(l.Type, width)
			if layout != "" {
				line = l.Time.Local().Format(layout) + "  "
			}
			line += s.on(color, name) + "  "
			line += string(p.grid.AppendRow(nil, row, func(c *format.GridColumn, cell string) string {
				return s.on(paint(format.CellColor(c.Field, cell)), cell)
			}))
			if by := l.cause(); by != "" && cause > 0 {
				line = pad(line, width-cause) + by
			}
			row++
		}
		text = append(text, s.listRow(line, p.scroll.top+i == p.scroll.cursor, width+gutter))
	}
	if lines > eventsFrame {
		text = append(fill(text, lines-1), "  "+p.foot(m, width))
	}
	return text[:min(len(text), lines)]
}

// passedText says how many events were passed over.
func passedText(l *eventLine, width int) string {
	n := strconv.FormatUint(l.passed, 10)
	text := n + " events were passed over"
	if l.some {
		text = "of " + n + " events only the latest that match are shown"
	}
	if len(text) > width {
		text = n + " passed over"
	}
	return text
}

// foot says below the events what is not to be seen.
func (p *events) foot(m *Model, width int) string {
	s := &m.style
	below := p.scroll.total - p.scroll.top - p.scroll.lines
	switch {
	case p.paused:
		text := "paused: " + strconv.FormatUint(p.more, 10) + " more"
		if p.filter != nil || p.search != "" {
			text = "paused: up to " + strconv.FormatUint(p.more, 10) + " more"
		}
		return s.on(yellow, text)
	case m.status.EventsOff != "":
		return s.on(yellow, ansi.Truncate("There are no events: "+printable.String(m.status.EventsOff), width, "…"))
	case below > 0:
		return s.on(faint, strconv.Itoa(below)+" newer below")
	case len(p.lines) == 0 && (p.filter != nil || p.search != ""):
		return s.on(faint, "No events match so far.")
	}
	return s.on(faint, strconv.FormatUint(p.last, 10)+" events so far")
}
