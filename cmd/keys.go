package cmd

import (
	"net/netip"
	"strconv"
	"strings"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/format"
	"github.com/gonntrack/gonntrack/stats"
)

// key is what entries are grouped or sorted by: a field, or the network that
// a field's address lies in.
type key struct {
	name    string
	field   *format.Field
	network bool
	bits    [2]int // of the network, in IPv4 and in IPv6
}

// fieldAliases are names that stand for fields under other names.
func fieldAliases(name string) string {
	switch name {
	case "label":
		return "labels"
	case "nat":
		return "nat_src,nat_dst"
	}
	return name
}

// parseFields reads a list of fields that entries, or expectations, have.
func parseFields(option, list string, expect bool) ([]*format.Field, error) {
	has, what := (*format.Field).OfFlows, "entries"
	if expect {
		has, what = (*format.Field).OfExpects, "expectations"
	}
	var fields []*format.Field
	for typed := range strings.SplitSeq(list, ",") {
		for name := range strings.SplitSeq(fieldAliases(typed), ",") {
			d := format.ColumnByName(name)
			switch {
			case d == nil:
				return nil, usagef("unknown field `%s' with --%s", typed, option)
			case !has(d):
				return nil, usagef("%s have no `%s': --%s", what, typed, option)
			}
			fields = append(fields, d)
		}
	}
	return fields, nil
}

// parseKeys reads a list of keys: fields, and networks, src/24. The length
// counts for addresses of both families; of two, src/24/64, the second is that
// of IPv6.
func parseKeys(option, list string) ([]key, error) {
	var keys []key
	for typed := range strings.SplitSeq(list, ",") {
		plain, lengths, network := strings.Cut(typed, "/")
		fields, err := parseFields(option, plain, false)
		if err != nil {
			return nil, err
		}
		for _, d := range fields {
			k := key{name: d.Name, field: d, network: network}
			if network {
				if err := k.cut(option, typed, lengths); err != nil {
					return nil, err
				}
			}
			keys = append(keys, k)
		}
	}
	return keys, nil
}

// cut makes the key a network's.
func (k *key) cut(option, typed, lengths string) error {
	if k.field.Kind != format.KindAddr {
		return usagef("`%s' is not an address field, so it takes no prefix length: `%s' with --%s", k.field.Name, typed, option)
	}
	v4, v6, two := strings.Cut(lengths, "/")
	if !two {
		v6 = v4
	}
	n4, ok4 := prefixLength(v4)
	n6, ok6 := prefixLength(v6)
	if !ok4 || !ok6 || two && n4 > 32 {
		return usagef("invalid prefix length in `%s' with --%s", typed, option)
	}
	k.name += "/" + lengths
	k.bits = [2]int{min(n4, 32), n6}
	return nil
}

func prefixLength(s string) (int, bool) {
	n, err := strconv.ParseUint(s, 10, 8)
	return int(n), err == nil && n <= 128
}

// kind is that of the key's values.
func (k *key) kind() format.Kind {
	if k.network {
		return format.KindWord
	}
	return k.field.Kind
}

// keyReader reads the values of keys out of entries.
type keyReader struct {
	keys    []key
	printer *format.Printer
	context *format.Context
	values  []byte
	text    []byte
}

func (r *Request) newKeyReader(keys []key, c *format.Context) *keyReader {
	o := format.Options{Style: format.StyleTable, LabelNames: r.Output.LabelNames}
	return &keyReader{keys: keys, printer: format.NewPrinter(o), context: c}
}

// read returns an entry's values in the form of package stats, valid until the
// next call.
func (w *keyReader) read(f *ctnetlink.Flow) []byte {
	b := w.values[:0]
	for i := range w.keys {
		switch k := &w.keys[i]; {
		case k.field.Kind == format.KindAddr:
			a, ok := k.field.Addr(f)
			b = k.appendAddr(b, a, ok)
		case k.field.Kind.Numeric():
			if v, ok := k.field.Number(f, w.context); ok {
				b = stats.AppendNumber(b, v)
			} else {
				b = stats.AppendAbsent(b)
			}
		default:
			b = w.appendText(b, k.field, f)
		}
	}
	w.values = b
	return b
}

func (k *key) appendAddr(b []byte, a netip.Addr, ok bool) []byte {
	switch {
	case !ok:
		return stats.AppendAbsent(b)
	case !k.network:
		return stats.AppendAddr(b, a)
	case a.Is4():
		return stats.AppendNetwork(b, a, k.bits[0])
	}
	return stats.AppendNetwork(b, a, k.bits[1])
}

// appendText appends a word or a name. Protocols without a name are told apart
// by their numbers.
func (w *keyReader) appendText(b []byte, d *format.Field, f *ctnetlink.Flow) []byte {
	if o := f.Orig(); d.Name == "proto" && o.Has&ctnetlink.FieldProto != 0 && ctnetlink.ProtoName(o.Proto) == "" {
		w.text = strconv.AppendUint(w.text[:0], uint64(o.Proto), 10)
	} else {
		w.text = w.printer.AppendField(w.text[:0], d, f, w.context)
	}
	if len(w.text) == 0 {
		return stats.AppendAbsent(b)
	}
	return stats.AppendText(b, w.text)
}
