package cmdline

import (
	"net/netip"
	"strconv"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/format"
	"github.com/gonntrack/gonntrack/stats"
)

// KeyValues reads the values of keys from entries.
type KeyValues struct {
	Keys    []Key
	printer *format.Printer
	context *format.Context
	values  []byte
	text    []byte
}

// NewKeyValues returns a reader of the values of keys. labels are the names of label
// bits. The context, which is read with each entry, may change in between.
func NewKeyValues(keys []Key, labels []string, c *format.Context) *KeyValues {
	o := format.Options{Style: format.StyleTable, LabelNames: labels}
	return &KeyValues{Keys: keys, printer: format.NewPrinter(o), context: c}
}

// Read returns an entry's values in the form of package stats, valid until the
// next call.
func (w *KeyValues) Read(f *ctnetlink.Flow) []byte {
	b := w.values[:0]
	for i := range w.Keys {
		b = w.Append(b, i, f)
	}
	w.values = b
	return b
}

// Append appends an entry's value for the key with index i.
func (w *KeyValues) Append(b []byte, i int, f *ctnetlink.Flow) []byte {
	switch k := &w.Keys[i]; {
	case k.Field.Kind == format.KindAddr:
		a, ok := k.Field.Addr(f)
		return k.AppendAddr(b, a, ok)
	case k.Field.Kind.Numeric():
		if v, ok := k.Field.Number(f, w.context); ok {
			return stats.AppendNumber(b, v)
		}
		return stats.AppendAbsent(b)
	default:
		return w.appendText(b, k.Field, f)
	}
}

// AppendAddr appends the value for an address, or for its network. ok reports whether
// the entry has it.
func (k *Key) AppendAddr(b []byte, a netip.Addr, ok bool) []byte {
	switch {
	case !ok:
		return stats.AppendAbsent(b)
	case !k.Network:
		return stats.AppendAddr(b, a)
	case a.Is4():
		return stats.AppendNetwork(b, a, k.Bits[0])
	}
	return stats.AppendNetwork(b, a, k.Bits[1])
}

// appendText appends a word or a name: of a protocol without a name its number.
func (w *KeyValues) appendText(b []byte, d *format.Field, f *ctnetlink.Flow) []byte {
	if o := f.Orig(); d.Name == "proto" && o.Has&ctnetlink.FieldProto != 0 && o.Proto.Name() == "" {
		w.text = strconv.AppendUint(w.text[:0], uint64(o.Proto), 10)
	} else {
		w.text = w.printer.AppendField(w.text[:0], d, f, w.context)
	}
	if len(w.text) == 0 {
		return stats.AppendAbsent(b)
	}
	return stats.AppendText(b, w.text)
}
