package top

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"github.com/gonntrack/gonntrack/internal/printable"
)

// Heights from which the head has more lines.
const (
	countersHeight  = 14
	sparklineHeight = 20
)

// tab is where the name of a view is in the head.
type tab struct{ line, from, to, panel int }

// head returns the lines above the panel.
func (m *Model) head() []string {
	lines := []string{m.entriesLine(), m.ratesLine()}
	if m.height >= countersHeight || m.troubled() {
		lines = append(lines, m.countersLine())
	}
	if m.height >= sparklineHeight {
		lines = append(lines, m.sparklines())
	}
	lines = append(lines, m.notes()...)
	if line := m.selection(); line != "" {
		lines = append(lines, line)
	}
	return append(lines, m.tabsLine(len(lines)))
}

// entriesLine says how many entries there are, and how full the table is.
func (m *Model) entriesLine() string {
	st := &m.status
	name := part{texts: []string{"conntrack top"}, paint: bold, rank: ornament}
	switch {
	case m.statusTime.IsZero(), st.Reading && st.Total == 0:
		line, _ := m.style.join([]part{name, {texts: []string{"reading the table"}, paint: yellow}}, m.width)
		return line
	case st.Reading:
		whole := max(st.Total, uint64(st.Entries))
		text := fmt.Sprintf("reading %d of about %d", st.Entries, whole)
		line, _ := m.style.join([]part{
			name, {texts: []string{text, "reading"}, paint: yellow}, m.bar(uint64(st.Entries), whole, ""),
		}, m.width)
		return line
	}
	n, of := strconv.FormatUint(st.Total, 10), ""
	short := countText(float64(st.Total))
	if st.Maximum > 0 {
		of = " of " + strconv.FormatUint(st.Maximum, 10)
		short += " of " + countText(float64(st.Maximum))
	}
	parts := []part{
		name,
		{texts: []string{"entries " + n + of, n + of, short}, paint: bold},
		m.bar(st.Total, st.Maximum, m.fullness()),
	}
	if uint64(st.Entries) != st.Total && m.options != nil && m.options.request != nil && m.options.request.Selects() {
		kept := countText(float64(st.Entries))
		parts = append(parts, part{texts: []string{strconv.Itoa(st.Entries) + " selected", kept + " selected"}, rank: 3})
	}
	if st.Marked > 0 {
		parts = append(parts, part{texts: []string{strconv.Itoa(st.Marked) + " marked"}, paint: cyan, rank: 1})
	}
	line, _ := m.style.join(parts, m.width)
	return line
}

// nearlyFull is the part of the maximum from which a table is nearly full.
const nearlyFull = 0.8

// fullness returns the paint of the bar.
func (m *Model) fullness() paint {
	switch part := float64(m.status.Total) / float64(max(m.status.Maximum, 1)); {
	case m.status.Maximum == 0:
		return ""
	case part >= 0.95:
		return red
	case part >= nearlyFull:
		return yellow
	}
	return green
}

// bar shows a part of a whole.
func (m *Model) bar(n, whole uint64, p paint) part {
	if whole == 0 {
		return part{}
	}
	percent := percentText(n, whole)
	texts := make([]string, 0, 4)
	for _, width := range []int{40, 20, 10} {
		if width > m.width/4 {
			continue
		}
		done := min(int(float64(width)*float64(n)/float64(whole)), width)
		texts = append(texts, "["+strings.Repeat("#", done)+strings.Repeat(" ", width-done)+"] "+percent)
	}
	return part{texts: append(texts, percent), paint: p, rank: 2}
}

// ratesLine says what happens in a second.
func (m *Model) ratesLine() string {
	st := &m.status
	births, deaths := rateText(st.Births), rateText(st.Deaths)
	parts := []part{{texts: []string{
		"births " + births + "/s  deaths " + deaths + "/s", "births " + births + "/s deaths " + deaths + "/s",
		"+" + births + "/s -" + deaths + "/s",
	}}}
	switch {
	case st.AccountingOff:
		parts = append(parts, part{texts: []string{
			"packets and bytes are not counted: net.netfilter.nf_conntrack_acct is 0", "not counted: nf_conntrack_acct is 0",
			"not counted",
		}, paint: yellow, rank: 2})
	case st.ClockStopped:
		parts = append(parts, part{texts: []string{"no rates: the table is a dump", "no rates"}, paint: faint, rank: 2})
	case st.RatesKnown:
		packets, bytes := countText(st.Packets), bytesText(st.Bytes)
		parts = append(parts, part{texts: []string{"packets " + packets + "/s", packets + " pkt/s"}, rank: 1},
			part{texts: []string{"bytes " + bytes + "/s", bytes + "B/s"}, rank: 1})
	default:
		parts = append(parts, part{texts: []string{"packets and bytes after the next reading"}, paint: faint, rank: 2})
	}
	line, _ := m.style.join(parts, m.width)
	return line
}

// troubled reports that something is lost.
func (m *Model) troubled() bool {
	st := &m.status
	return st.Drops > 0 || st.EarlyDrops > 0 || st.InsertFailed > 0 || m.lost() > 0
}

// lost returns how many events were lost, at least one for each time that the kernel
// said so: some kernels do not tell how many.
func (m *Model) lost() uint64 {
	l := &m.status.Loss
	return max(l.Lost, l.Overruns) + l.Dropped
}

// noticeableLag is how late events are from when on it is told.
const noticeableLag = 100 * time.Millisecond

// countersLine has what should be 0.
func (m *Model) countersLine() string {
	st := &m.status
	lost := m.lost()
	var parts []part
	add := func(bad bool, rank int, texts ...string) {
		p := part{texts: texts, paint: faint, rank: rank + 4}
		if bad {
			p.paint, p.rank = alarm, rank
		}
		parts = append(parts, p)
	}
	if st.StatsKnown {
		add(st.Drops > 0, 0, "drops "+rateText(st.Drops)+"/s")
		add(st.EarlyDrops > 0, 1, "early drops "+rateText(st.EarlyDrops)+"/s", "early "+rateText(st.EarlyDrops)+"/s")
		add(st.InsertFailed > 0, 2, "insert_failed "+rateText(st.InsertFailed)+"/s")
	}
	add(lost > 0, 0, "events lost "+strconv.FormatUint(lost, 10), "lost "+countText(float64(lost)))
	if st.Lag >= noticeableLag {
		add(true, 1, "events "+durationText(st.Lag)+" late")
	}
	line, _ := m.style.join(parts, m.width)
	return line
}

// sparklines draws the last minutes.
func (m *Model) sparklines() string {
	const left, middle = "entries ", "  births "
	n := min((m.width-len(left)-len(middle))/2, sparklineSeconds)
	return left + m.style.on(cyan, m.style.sparkline(m.history, n, entriesOf)) +
		middle + m.style.on(cyan, m.style.sparkline(m.history, n, birthsOf))
}

// selection says what of the tables is shown, "" for all.
func (m *Model) selection() string {
	var parts []part
	if m.group != nil && m.current == entriesPanel {
		parts = append(parts, part{texts: []string{"group: " + groupText(m.group)}, paint: cyan})
	}
	_, typed := m.over.(*filterLine)
	if m.filterText != "" && !typed { // it is on the screen
		parts = append(parts, part{texts: []string{"filter: " + printable.String(m.filterText)}, paint: cyan})
	}
	if _, typed = m.over.(*searchLine); m.search != "" && !typed {
		parts = append(parts, part{texts: []string{"search: " + printable.String(m.search)}, paint: cyan})
	}
	line, _ := m.style.join(parts, m.width)
	return line
}

// tabsLine has the names of the views, and how old the numbers are. line is its
// place.
func (m *Model) tabsLine(line int) string {
	age := m.age()
	for _, short := range []bool{false, true} {
		var b strings.Builder
		m.tabs = m.tabs[:0]
		column := 0
		for i, p := range m.panels {
			text := strconv.Itoa(i + 1)
			if i == m.current || !short {
				text += " " + m.title(p)
			}
			text = " " + text + " "
			m.tabs = append(m.tabs, tab{line, column, column + len(text), i})
			column += len(text)
			if i == m.current {
				b.WriteString(m.style.on(reverse, text))
			} else {
				b.WriteString(text)
			}
		}
		if column+gap+ansi.StringWidth(age) <= m.width || short {
			return padded(b.String(), age, m.width)
		}
	}
	return ""
}

// title returns the title of a panel, its name unless it has another.
func (m *Model) title(p panel) string {
	if t, ok := p.(interface{ title(m *Model) string }); ok && p == m.panel() {
		return printable.String(t.title(m))
	}
	return p.name()
}

// age says how old the numbers are.
func (m *Model) age() string {
	st := &m.status
	switch {
	case m.frozen:
		return m.style.on(yellow, "frozen for "+durationText(m.now().Sub(m.frozenTime)))
	case m.statusTime.IsZero() || st.Complete.IsZero():
		return ""
	}
	return "read " + durationText(m.now().Sub(st.Complete)) + " ago"
}
