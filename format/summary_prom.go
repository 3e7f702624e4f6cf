package format

import (
	"iter"
	"slices"
	"strings"

	"github.com/gonntrack/gonntrack/stats"
)

// promOther is the value of every label of the sample that has the groups that are
// not shown.
const promOther = "other"

// promSums are the metric families of a summary, one for each sum.
var promSums = [...]struct{ name, help string }{
	{"conntrack_group_entries", "Entries of the group."},
	{"conntrack_group_packets", "Packets of the group's entries so far, both directions."},
	{"conntrack_group_bytes", "Bytes of the group's entries so far, both directions."},
}

// appendProm appends the groups as OpenMetrics text: their number, and for each sum
// a family with a sample for each group. The keys are the labels; a value that the
// entries of a group do not have is empty. The groups that are not among groups are
// one sample, whose labels are "other".
func (w *Summary) appendProm(dst []byte, groups iter.Seq[*stats.Group],
	spill func([]byte) ([]byte, error),
) ([]byte, error) {
	dst = promFamily(dst, "conntrack_groups", "gauge", "Groups of entries, each of those that are labelled other too.")
	dst = append(appendUint(append(dst, "conntrack_groups "...), uint64(w.all.Len())), '\n')
	names := make([]string, len(w.keys))
	for i := range names {
		names[i] = strings.ReplaceAll(w.names[i], "/", "_")
	}
	for i := range w.names[len(w.keys):] {
		sum := &promSums[i]
		dst = promFamily(dst, sum.name, "gauge", sum.help)
		shown, n := stats.Group{}, 0
		for g := range groups {
			if w.plain(g); w.isOther() {
				continue // it would have the labels of the others: it is one of them
			}
			n++
			shown.Entries += g.Entries
			shown.Packets += g.Packets
			shown.Bytes += g.Bytes
			if i > 0 && !g.Counted {
				continue
			}
			for k := range w.keys {
				if g.Values[k].Kind == stats.Absent {
					w.cells[k] = w.cells[k][:0]
				}
			}
			var err error
			if dst, err = spill(w.appendSample(dst, sum.name, names, w.sums(g)[i])); err != nil {
				return dst, err
			}
		}
		if n == w.all.Len() {
			continue
		}
		for k := range w.keys {
			w.cells[k] = append(w.cells[k][:0], promOther...)
		}
		rest := w.rest(&shown)
		dst = w.appendSample(dst, sum.name, names, w.sums(&rest)[i])
	}
	return append(dst, "# EOF\n"...), nil
}

// isOther reports whether the cells of all keys are those of the other groups.
func (w *Summary) isOther() bool {
	return !slices.ContainsFunc(w.cells[:len(w.keys)], func(c []byte) bool { return string(c) != promOther })
}

// appendSample appends a sample whose labels have the values in the cells.
func (w *Summary) appendSample(dst []byte, family string, names []string, v uint64) []byte {
	dst = append(append(dst, family...), '{')
	for i, name := range names {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = promLabel(dst, name, w.cells[i])
	}
	return append(appendUint(append(dst, "} "...), v), '\n')
}

// promLabel appends a label. Its value is printable; a backslash and a quotation
// mark are escaped.
func promLabel[T string | []byte](dst []byte, name string, value T) []byte {
	dst = append(append(dst, name...), `="`...)
	for i := range len(value) {
		if c := value[i]; c == '\\' || c == '"' {
			dst = append(dst, '\\')
		}
		dst = append(dst, value[i])
	}
	return append(dst, '"')
}

// rest returns the sums of the groups that are not in shown.
func (w *Summary) rest(shown *stats.Group) stats.Group {
	total := w.all.Total()
	return stats.Group{Entries: total.Entries - shown.Entries, Packets: total.Packets - shown.Packets,
		Bytes: total.Bytes - shown.Bytes, Counted: total.Counted}
}
