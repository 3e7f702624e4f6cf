package format

import (
	"slices"
	"time"

	"github.com/gonntrack/gonntrack/stats"
)

// GroupRecords writes groups of entries with their rates as records in StyleJSON,
// StyleJSONL and StyleCSV. Sums are those that Summary writes.
type GroupRecords struct{ summary *Summary }

// NewGroupRecords returns a GroupRecords for groups by keys of these names and kinds.
func NewGroupRecords(s Style, names []string, kinds []Kind) *GroupRecords {
	w := &Summary{o: Options{Style: s}, keys: kinds, counted: true, records: NewRecords(s, true)}
	w.names = append(slices.Clone(names), "entries", "packets", "bytes")
	w.cells = make([][]byte, len(w.names))
	return &GroupRecords{w}
}

// Append appends groups: in StyleJSON an array of them, in StyleCSV lines under a line
// of names. look is the time of one of several looks at the table, which each record
// has then and of which only the first has the names; the zero time: there is one
// look.
func (w *GroupRecords) Append(dst []byte, groups []stats.Group, rates []Rates, look time.Time) []byte {
	s := w.summary
	if !look.IsZero() {
		s.look = Time("time", look)
	}
	if len(groups) == 0 && !s.records.named {
		dst = s.records.appendNames(dst, w.record(&stats.Group{Values: make([]stats.Value, len(s.keys))}, &Rates{}))
	}
	s.records.n = 0
	for i := range groups {
		dst = s.records.Append(dst, w.record(&groups[i], &rates[i]))
	}
	return s.records.AppendEnd(dst)
}

// record returns a group as a record.
func (w *GroupRecords) record(g *stats.Group, r *Rates) []Value {
	values := w.summary.record(g)
	for _, v := range []Value{
		{Name: "packet_rate", Rate: r.Packets(), IsRate: true}, {Name: "byte_rate", Rate: r.Bytes(), IsRate: true},
	} {
		switch {
		case r.Known && isRate(v.Rate):
			values = append(values, v)
		case w.summary.o.Style == StyleCSV:
			values = append(values, Text(v.Name, ""))
		}
	}
	w.summary.values = values
	return values
}
