package top

import (
	"fmt"
	"strings"

	"github.com/gonntrack/gonntrack/internal/printable"
)

// note is a sentence about the tables.
type note struct {
	paint paint
	// texts are ways to say it, the longest first.
	texts []string
}

// notes returns the lines of the most important sentence, or of those for which
// there is room.
func (m *Model) notes() []string {
	room := 2
	switch {
	case m.height >= 40:
		room = 6
	case m.height >= sparklineHeight:
		room = 3
	}
	var lines []string
	for _, n := range m.sentences() {
		for _, text := range n.texts {
			wrapped := wrap(text, m.width)
			if len(lines)+len(wrapped) > room {
				continue
			}
			for _, line := range wrapped {
				lines = append(lines, m.style.on(n.paint, line))
			}
			break
		}
	}
	return lines
}

// sentences returns what there is to say, the most important first.
func (m *Model) sentences() (list []note) {
	st := &m.status
	if m.statusTime.IsZero() {
		return nil
	}
	add := func(p paint, texts ...string) { list = append(list, note{p, texts}) }
	if st.Failed != nil {
		text := printable.String(st.Failed.Error())
		add(alarm, "The table cannot be read now: "+text, text)
	}
	if st.Drops > 0 {
		add(alarm, "Packets are dropped because there is no room for their entries: raise net.netfilter.nf_conntrack_max.",
			"Packets are dropped: raise nf_conntrack_max.")
	}
	if st.EarlyDrops > 0 {
		add(alarm, "Entries are ended early to make room for new ones: raise net.netfilter.nf_conntrack_max, or shorten "+
			"net.netfilter.nf_conntrack_*_timeout*.", "Entries are ended early: raise nf_conntrack_max.")
	}
	if st.InsertFailed > 0 {
		add(yellow, "New packets are dropped because another entry has their addresses and ports: more addresses to "+
			"translate to, or `masquerade fully-random', make it rare.", "New packets are dropped: their addresses are in use.")
	}
	full := st.Maximum > 0 && float64(st.Total) >= nearlyFull*float64(st.Maximum)
	if full && !st.Reading && st.Drops == 0 && st.EarlyDrops == 0 {
		add(yellow, "The table is nearly full: raise net.netfilter.nf_conntrack_max, and net.netfilter.nf_conntrack_buckets "+
			"with it.", "The table is nearly full: raise nf_conntrack_max.")
	}
	if st.EventsOff != "" {
		text := strings.TrimSuffix(printable.String(st.EventsOff), ".")
		add(yellow, "There are no events, so births and deaths are seen only when the table is read: "+text+".",
			"No events: "+text+".", "There are no events.")
	}
	if st.AccountingOff {
		add(yellow, "Packets and bytes are not counted: `sysctl -w net.netfilter.nf_conntrack_acct=1' counts those of new "+
			"connections.", "No counters: sysctl -w net.netfilter.nf_conntrack_acct=1")
	}
	if st.AccountingPartly {
		add(yellow, "Some packets and bytes are not counted: `sysctl -w net.netfilter.nf_conntrack_acct=1' counts those of "+
			"new connections.", "Not all are counted: sysctl -w net.netfilter.nf_conntrack_acct=1")
	}
	switch {
	case m.lost() == 0:
	case len(m.tables) > 0 && m.tables[0].File != nil:
		add(yellow, "Events were lost, as when another program replaces the file: the next reading finds what they told.",
			"Events were lost; the next reading finds what they told.")
	default:
		add(yellow, "Events were lost because there are more than can be read: the next reading of the table finds what "+
			"they told.", "Events were lost; the next reading finds what they told.")
	}
	every, asked := durationText(st.Interval), durationText(st.Asked)
	if st.Interval > st.Asked && every != asked && !st.Reading {
		add("", fmt.Sprintf("every %s, so that reading takes no more than %s of a core (%s was asked)", every,
			shareText(st.Share), asked), fmt.Sprintf("every %s, %s was asked", every, asked))
	}
	return list
}

// shareText returns a part of a core.
func shareText(share float64) string {
	if share == 0 || share == 0.1 {
		return "a tenth"
	}
	return fmt.Sprintf("%.0f%%", 100*share)
}
