package top

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// head returns the lines above a table: the time, how full the tables are, what
// happens in a second, and sentences about what is wrong.
func (p *printer) head() []string {
	st := &p.status
	m := p.model()
	line := p.at.Format(p.timeLayout())
	if p.totalKnown() {
		line += "  entries " + strconv.FormatUint(st.Total, 10)
	}
	if st.Maximum > 0 {
		line += fmt.Sprintf(" of %d (%s)", st.Maximum, percentText(st.Total, st.Maximum))
	}
	if p.options.request.Selects() {
		line += fmt.Sprintf("  %d selected", st.Entries)
	}
	lines := []string{line}
	line = "births " + rateText(st.Births) + "/s  deaths " + rateText(st.Deaths) + "/s"
	if st.RatesKnown {
		line += "  packets " + countText(st.Packets) + "/s  bytes " + bytesText(st.Bytes) + "/s"
	}
	for _, c := range []struct {
		name string
		rate float64
	}{{"drops", st.Drops}, {"early drops", st.EarlyDrops}, {"insert_failed", st.InsertFailed}} {
		if c.rate > 0 {
			line += "  " + c.name + " " + rateText(c.rate) + "/s"
		}
	}
	if lost := m.lost(); lost > 0 {
		line += "  events lost " + strconv.FormatUint(lost, 10)
	}
	lines = append(lines, line)
	width := p.options.request.Output.Width
	for _, n := range m.sentences() {
		text := []string{n.texts[0]}
		if width > 0 {
			text = wrap(n.texts[0], width)
		}
		for _, line := range text {
			if p.options.request.Output.Color {
				line = m.style.on(n.paint, line)
			}
			lines = append(lines, line)
		}
	}
	return lines
}

// totalKnown reports that it is known how many entries there are, whatever the filters.
// Of a table file only those that match are counted.
func (p *printer) totalKnown() bool { return p.status.Maximum > 0 || !p.options.request.Selects() }

// timeLayout is the form of the time of a look.
func (p *printer) timeLayout() string {
	if p.options.batch && p.options.interval%time.Second != 0 {
		return time.DateTime + ".000"
	}
	return time.DateTime
}

// printHead prints the head of a table, after a line that separates it from the one
// before.
func (p *printer) printHead(lines []string) {
	if p.n > 0 {
		lines = append([]string{""}, lines...)
	}
	p.Out.Buf = append(append(p.Out.Buf, strings.Join(lines, "\n")...), '\n')
}

// model returns a model of the screen, for what it says about the tables.
func (p *printer) model() *Model {
	return &Model{status: p.status, statusTime: p.at, options: p.options, now: time.Now,
		style: styles{color: p.options.request.Output.Color, utf8: true}}
}

// tableRecord is what a JSON document tells about the tables as a whole. What is not
// known is left out.
type tableRecord struct {
	Entries      *uint64  `json:"entries,omitempty"`
	Maximum      uint64   `json:"maximum,omitempty"`
	Selected     *int     `json:"selected,omitempty"`
	Births       float64  `json:"births"`
	Deaths       float64  `json:"deaths"`
	PacketRate   *float64 `json:"packet_rate,omitempty"`
	ByteRate     *float64 `json:"byte_rate,omitempty"`
	Drops        *float64 `json:"drops,omitempty"`
	EarlyDrops   *float64 `json:"early_drops,omitempty"`
	InsertFailed *float64 `json:"insert_failed,omitempty"`
	EventsLost   uint64   `json:"events_lost"`
	Warnings     []string `json:"warnings,omitempty"`
}

// beginDocument appends the beginning of a JSON document, which has the numbers of the
// tables and the rows.
func (p *printer) beginDocument(b []byte) []byte {
	st := &p.status
	m := p.model()
	r := tableRecord{
		Maximum: st.Maximum, Births: rounded(st.Births), Deaths: rounded(st.Deaths), EventsLost: m.lost(),
	}
	if p.totalKnown() {
		r.Entries = &st.Total
	}
	if p.options.request.Selects() {
		r.Selected = &st.Entries
	}
	known := func(ok bool, to **float64, v float64) {
		if ok {
			v = rounded(v)
			*to = &v
		}
	}
	known(st.RatesKnown, &r.PacketRate, st.Packets)
	known(st.RatesKnown, &r.ByteRate, st.Bytes)
	known(st.StatsKnown, &r.Drops, st.Drops)
	known(st.StatsKnown, &r.EarlyDrops, st.EarlyDrops)
	known(st.StatsKnown, &r.InsertFailed, st.InsertFailed)
	for _, n := range m.sentences() {
		r.Warnings = append(r.Warnings, n.texts[0])
	}
	b = append(b, `{"time":`...)
	b = appendJSON(b, p.at.UTC().Format("2006-01-02T15:04:05.000000000Z"))
	b = appendJSON(append(b, `,"table":`...), r)
	return append(b, ',')
}

// endDocument ends a JSON document after its array.
func endDocument(b []byte) []byte { return append(bytes.TrimSuffix(b, []byte("\n")), "}\n"...) }

// appendJSON appends a value as JSON.
func appendJSON(b []byte, v any) []byte {
	text, err := json.Marshal(v)
	if err != nil {
		return append(b, "null"...) // of no value that is given here
	}
	return append(b, text...)
}

// rounded returns a rate with three decimals.
func rounded(v float64) float64 {
	if !(v >= 0 && v < math.MaxInt64) {
		return 0 // JSON has no infinity
	}
	return math.Round(v*1000) / 1000
}
