package top

import (
	"fmt"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/gonntrack/gonntrack/cmd/internal/live"
	"github.com/gonntrack/gonntrack/cmd/internal/target"
	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/format"
	"github.com/gonntrack/gonntrack/internal/printable"
)

// detail is an overlay: an entry in words. It is kept up to date until the entry ends,
// and then tells how.
type detail struct {
	subject
	row    *live.Row // for the keys that do something with the entry
	text   []string
	ended  bool
	closed bool
	offset int // of the first line
	last   int // the largest offset
}

// detailEvery is the time between two questions for the entry.
const detailEvery = time.Second

// subject is the entry that is described, for the goroutines of commands.
type subject struct {
	identity live.Identity
	table    *target.Table
	netns    string
	labels   func() []string
	look     func() (*live.Row, live.Ending)
	stop     func()
	known    *ctnetlink.Flow // as the table showed it last, nil: not yet
}

// explain opens an entry in words.
func (m *Model) explain(row *live.Row) tea.Cmd {
	d := &detail{row: &live.Row{Ref: row.Ref, Flow: row.Flow.Clone(), Rates: row.Rates, Marked: row.Marked}}
	source := row.Ref.Source()
	d.identity.Identify(row)
	d.table, d.labels = m.tables[source], m.labelNames
	if len(m.tables) > 1 {
		d.netns = d.table.Name
	}
	m.openOverlay(d)
	width, data := m.width, m.data
	return func() tea.Msg {
		d.look, d.stop = data.Watch(row.Ref)
		return d.update(width)
	}
}

// update looks at the entry and returns what the screen is to show of it. It waits for
// the table: only one command at a time calls it.
func (d *detail) update(width int) effect {
	row, ending := d.look()
	text := d.describe(row, &ending, width)
	return func(m *Model) tea.Cmd {
		if d.closed {
			return d.release
		}
		d.text = strings.Split(strings.TrimSuffix(text, "\n"), "\n")
		if d.ended = ending.Ended; d.ended {
			return d.release
		}
		width := m.width
		return tea.Tick(detailEvery, func(time.Time) tea.Msg { return d.update(width) })
	}
}

// release ends the watch.
func (d *detail) release() tea.Msg {
	d.stop()
	return nil
}

// describe returns the entry in words.
func (s *subject) describe(row *live.Row, ending *live.Ending, width int) string {
	if !ending.Ended {
		conn := s.table.Conn.Beside()
		f, err := conn.Get(&s.identity.Entry)
		_ = conn.Close() // nothing waits in it
		if err == nil && s.identity.Is(f) {
			withoutOurUse(f)
			s.known = f
		}
	}
	x := &format.Explanation{Now: s.table.Now(), LabelNames: s.labels(), NetNS: s.netns, Width: width}
	if s.table.InKernel() {
		x.Sysctl = s.table.Sysctl
	}
	var b []byte
	f := s.known
	switch {
	case f != nil:
	case row != nil:
		f = row.Flow // what is kept of it
	case ending.Flow != nil:
		f = ending.Flow
	default:
		return "The entry has ended.\n"
	}
	if ending.Ended {
		x.Now = ending.Time
		b = append(b, strings.Join(wrap("Ended: "+howEnded(row, ending), min(max(width, 20), 78)), "\n")...)
		b = append(b, "\n\nAs it was last seen:\n\n"...)
	}
	b = format.AppendExplanation(b, f, x)
	if row != nil && !ending.Ended {
		b = append(b, ratesNow(&row.Rates)...)
	}
	return string(b)
}

// ratesNow returns the paragraph of the rates.
func ratesNow(r *live.Rates) string {
	if !r.Known {
		return ""
	}
	return fmt.Sprintf("Now         %s packets/s and %sB/s from the opener\n            %s packets/s and %sB/s back\n",
		rateText(r.OrigPackets), bytesText(r.OrigBytes), rateText(r.ReplyPackets), bytesText(r.ReplyBytes))
}

// early is how much of a timeout may be left of an entry that timed out: timeouts are
// in whole seconds, and events may be late.
const early = 2 * time.Second

// howEnded returns how an entry ended, in words. row is how it was at the end, nil: not
// known.
func howEnded(row *live.Row, e *live.Ending) string {
	when := "at " + e.Time.Format(time.TimeOnly) + " "
	switch {
	case e.PortID != 0 && e.Program != "":
		return when + "it was deleted by " + printable.String(e.Program) +
			fmt.Sprintf(" (netlink port %d): alone, or with others when the table was flushed.", e.PortID)
	case e.PortID != 0:
		return when + fmt.Sprintf("it was deleted by a process whose name is not known (netlink port %d): "+
			"alone, or with others when the table was flushed.", e.PortID)
	case e.Replaced:
		return when + "another entry had taken its place; no event told how it ended."
	case e.Left:
		return when + "it no longer matched the filters that were given with the command. It is in the table still."
	case e.Flow == nil:
		return "a dump found at " + e.Time.Format(time.TimeOnly) + " that it was gone; no event told how it ended."
	}
	state := lastState(row, e.Flow)
	closed := ""
	if state.Proto() == ctnetlink.ProtoTCP && state.Number() > tcpEstablished {
		closed = "TCP closed it (its state was " + state.String() + "), and then "
	}
	if row != nil {
		left, ok := row.Flow.Timeout()
		switch {
		case ok && left > early:
			return when + "the kernel removed it " + durationText(left) + " before its timeout: the table was full, " +
				"an interface or address went away, or a new connection with the same addresses and ports began."
		case !ok && closed == "":
			return when + "the kernel removed it."
		}
	}
	if closed != "" {
		return when + closed + "it timed out."
	}
	return when + "it timed out: no packet had come for the time that the kernel waits."
}

// tcpEstablished is the state of an open connection (enum tcp_conntrack).
const tcpEstablished = 3

// lastState returns the state of the protocol at the end.
func lastState(row *live.Row, f *ctnetlink.Flow) ctnetlink.State {
	if state, ok := f.State(); ok {
		return state
	}
	if row != nil {
		state, _ := row.Flow.State()
		return state
	}
	return 0
}

func (d *detail) key(m *Model, k tea.KeyPressMsg) tea.Cmd {
	page := max(m.height/2, 1)
	switch k.String() {
	case "up", "k":
		d.offset--
	case "down", "j":
		d.offset++
	case "pgup":
		d.offset -= page
	case "pgdown", "space":
		d.offset += page
	case "home":
		d.offset = 0
	case "end":
		d.offset = d.last
	case "y":
		return m.copyText(shellLine(deleteWords(m, d.row)), false, d)
	case "d", "delete":
		if m.mayChange() {
			d.close(m)
			return m.chooseRow(d.row.Ref, change{})
		}
	default:
		d.close(m)
	}
	d.offset = max(min(d.offset, d.last), 0)
	return nil
}

// deleteWords returns the command line that deletes an entry.
func deleteWords(m *Model, row *live.Row) []string {
	words := append([]string{"conntrack", "-D"}, m.sourceWords()(row.Ref.Source())...)
	return appendEntry(words, row.Flow)
}

func (d *detail) close(m *Model) {
	d.closed = true
	m.closeOverlay()
}

func (d *detail) wheel(_ *Model, turns int) tea.Cmd {
	d.offset = max(min(d.offset+3*turns, d.last), 0)
	return nil
}

func (*detail) answer(*Model, tea.Msg) tea.Cmd { return nil }

func (d *detail) keys() []hint {
	return []hint{{"↑ ↓", "scroll"}, {"d", "delete"}, {"y", "copy command"}, {"any other key", "close"}}
}

func (d *detail) draw(m *Model, width, lines int) ([]string, bool, *tea.Position) {
	if d.text == nil {
		return []string{"…"}, true, nil
	}
	var text []string
	for i, line := range d.text {
		for _, line := range wrap(line, width) {
			if i == 0 {
				p := bold
				if d.ended {
					p = alarm
				}
				line = m.style.on(p, line)
			}
			text = append(text, line)
		}
	}
	d.last = max(len(text)-lines, 0)
	d.offset = min(d.offset, d.last)
	return text[d.offset:], true, nil
}
