package top

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/gonntrack/gonntrack/cmd/internal/live"
	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/format"
	"github.com/gonntrack/gonntrack/internal/printable"
)

// states is the panel of states: of each protocol a histogram.
type states struct {
	rows   []stateRow
	total  int
	known  bool // rows are an answer
	failed error
	scroll scroll
	clicks clicks
}

// stateRow is a line of the panel: of a protocol, or of one of its states.
type stateRow struct {
	proto   ctnetlink.Protocol
	state   string // "": the protocol
	entries int
	of      int // the entries of the protocol, or of all protocols
}

// same reports whether two rows are about the same.
func (r *stateRow) same(other *stateRow) bool {
	return r.proto == other.proto && r.state == other.state
}

// text returns what a row is about.
func (r *stateRow) text() string {
	if r.state != "" {
		return printable.String(r.state)
	}
	return protocolText(r.proto)
}

// protocolText returns the name of a protocol, of one without a name its number.
func protocolText(p ctnetlink.Protocol) string {
	if name := p.Name(); name != "" {
		return name
	}
	return strconv.Itoa(int(p))
}

// statesMsg is the answer to a question for states.
type statesMsg struct {
	counts []live.StateCount
	err    error
}

func newStates() *states { return &states{} }

func (p *states) name() string { return "states" }

func (p *states) ask(ctx context.Context, m *Model, _, _ int) tea.Cmd {
	d, f := m.data, m.filter
	return func() tea.Msg {
		counts, err := d.States(ctx, f)
		return statesMsg{counts, err}
	}
}

func (p *states) answer(m *Model, msg tea.Msg) (tea.Cmd, bool) {
	answer, ok := msg.(statesMsg)
	if !ok {
		return nil, false
	}
	if p.failed = answer.err; p.failed != nil {
		return nil, true
	}
	var chosen *stateRow
	if p.scroll.cursor < len(p.rows) {
		chosen = &p.rows[p.scroll.cursor]
	}
	p.set(answer.counts, strings.ToLower(m.search))
	p.scroll.fit(len(p.rows), p.scroll.lines)
	if chosen != nil {
		if at := slices.IndexFunc(p.rows, func(r stateRow) bool { return r.same(chosen) }); at >= 0 {
			p.scroll.jump(at)
		}
	}
	return nil, true
}

// set makes rows of the counts, of those whose protocol and state have the text search
// in lower case.
func (p *states) set(counts []live.StateCount, search string) {
	p.rows, p.total, p.known = nil, 0, true
	for _, c := range counts {
		p.total += c.Entries
	}
	for len(counts) > 0 {
		proto, sum, n := counts[0].Proto, 0, 0
		for n < len(counts) && counts[n].Proto == proto {
			sum += counts[n].Entries
			n++
		}
		rows := []stateRow{{proto: proto, entries: sum, of: p.total}}
		for _, c := range counts[:n] {
			if strings.Contains(strings.ToLower(protocolText(proto)+" "+c.State), search) {
				rows = append(rows, stateRow{proto: proto, state: c.State, entries: c.Entries, of: sum})
			}
		}
		if len(rows) > 1 {
			p.rows = append(p.rows, rows...)
		}
		counts = counts[n:]
	}
}

// options returns the options of -L that select the entries of a row.
func (r *stateRow) options() string {
	text := "-p " + protocolText(r.proto)
	switch r.state {
	case "":
		return text
	case "unreplied":
		text += " -u UNREPLIED"
	case "replied":
		text += " -u SEEN_REPLY,!ASSURED"
	case "assured":
		text += " -u ASSURED"
	default:
		return text + " --state " + r.state
	}
	if r.proto.StateNames() != nil {
		text += ",OFFLOAD" // the others have a state
	}
	return text
}

func (p *states) key(m *Model, k tea.KeyPressMsg) (tea.Cmd, bool) {
	switch key := k.String(); key {
	case "enter":
		if p.scroll.cursor < len(p.rows) {
			m.drillFilter(p.rows[p.scroll.cursor].options())
		}
		return nil, true
	default:
		return nil, p.scroll.key(key)
	}
}

func (p *states) click(m *Model, _, y int) tea.Cmd {
	if at := p.scroll.top + y; at < len(p.rows) {
		p.scroll.move(at - p.scroll.cursor)
		if p.clicks.double(at, m.now()) {
			m.drillFilter(p.rows[at].options())
		}
	}
	return nil
}

func (p *states) wheel(_ *Model, turns int) tea.Cmd {
	p.scroll.roll(turns * wheelLines)
	return nil
}

func (p *states) keys() []hint { return []hint{{"Enter", "entries"}} }

func (p *states) draw(m *Model, width, lines int) []string {
	switch {
	case p.failed != nil:
		return m.style.insteadOf(red, printable.String(p.failed.Error()), width, lines)
	case !p.known:
		return nil
	case len(p.rows) == 0:
		return m.style.insteadOf(faint, m.nothing("entries"), width, lines)
	}
	p.scroll.fit(len(p.rows), lines)
	name, number := 0, 0
	for i := range p.rows {
		r := &p.rows[i]
		n := ansi.StringWidth(r.text())
		if r.state != "" {
			n += len(stateIndent)
		}
		name = max(name, n)
		number = max(number, len(strconv.Itoa(r.entries)))
	}
	var text []string
	for i := p.scroll.top; i < min(p.scroll.top+p.scroll.lines, len(p.rows)); i++ {
		line := p.rows[i].line(&m.style, name, number, width-gutter)
		text = append(text, m.style.listRow(line, i == p.scroll.cursor, width))
	}
	return text
}

// stateIndent is what states are indented by, below their protocol.
const stateIndent = "  "

// line returns a row: its name and number in columns of these widths, the percentage,
// and of a state a bar as far as there is room.
func (r *stateRow) line(s *styles, name, number, width int) string {
	left := r.text()
	if r.state != "" {
		left = stateIndent + left
	}
	right := fmt.Sprintf("%*d %6s", number, r.entries, percentText(uint64(r.entries), uint64(r.of)))
	blanks := strings.Repeat(" ", max(name-ansi.StringWidth(left), 0)+2)
	if r.state == "" {
		return s.on(bold, left) + blanks + s.on(bold, right)
	}
	color := paint(format.CellColor(format.FieldByName("condition"), r.state))
	line := s.on(color, left) + blanks + right
	if room := width - name - 2 - number - 7 - 2; room >= 3 {
		line += "  " + s.on(color, s.hbar(float64(r.entries), float64(r.of), room))
	}
	return line
}
