package format

import (
	"github.com/gonntrack/gonntrack/internal/printable"
	"github.com/gonntrack/gonntrack/stats"
)

// AppendGroupValue appends the value of a key, with its name and kind, as the table of
// a Summary shows it. Text from outside is printable.
func AppendGroupValue(dst []byte, v *stats.Value, name string, kind Kind) []byte {
	switch v.Kind {
	case stats.Absent:
		return append(dst, absent...)
	case stats.Number:
		return appendNumberCell(dst, &Field{Kind: kind, Name: name}, v.Number, true)
	case stats.Text:
		return printable.Append(dst, v.Text)
	}
	return appendValue(dst, v, kind)
}

// GroupCells returns the cells of the values of a group by keys of these names and
// kinds. Of o.HostNames they have the names that are known, of others they ask for them.
func GroupCells(o *Options, names []string, kinds []Kind, g *stats.Group) []string {
	w := &Summary{o: Options{HostNames: o.HostNames, ServiceName: o.ServiceName}, keys: kinds, names: names}
	cells := make([]string, len(g.Values))
	for i := range g.Values {
		v := &g.Values[i]
		if v.Kind == stats.Addr && o.HostNames != nil {
			o.HostNames.Want(v.Addr)
		}
		if cells[i] = w.named(i, g); cells[i] == "" {
			cells[i] = string(AppendGroupValue(nil, v, names[i], kinds[i]))
		}
	}
	return cells
}

// AppendGroup appends what the entries of a group have in common: each key with its
// value, src=192.0.2.1 dport=443, or - for one that they do not have. Text from
// outside is printable.
func AppendGroup(dst []byte, names []string, kinds []Kind, values []stats.Value) []byte {
	for i := range values {
		if i > 0 {
			dst = append(dst, ' ')
		}
		dst = append(append(dst, names[i]...), '=')
		switch v := &values[i]; v.Kind {
		case stats.Absent:
			dst = append(dst, absent...)
		case stats.Text:
			dst = printable.Append(dst, v.Text)
		default:
			dst = appendValue(dst, v, kinds[i])
		}
	}
	return dst
}
