package action

import (
	"net/netip"
	"strconv"

	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/format"
	"github.com/gonntrack/gonntrack/stats"
)

// keyExtractor reads the values of keys from entries.
type keyExtractor struct {
	keys    []cmdline.Key
	printer *format.Printer
	context *format.Context
	values  []byte
	text    []byte
}

func newKeyExtractor(r *cmdline.Request, keys []cmdline.Key, c *format.Context) *keyExtractor {
	o := format.Options{Style: format.StyleTable, LabelNames: r.Output.LabelNames}
	return &keyExtractor{keys: keys, printer: format.NewPrinter(o), context: c}
}

// read returns an entry's values in the form of package stats, valid until the
// next call.
func (w *keyExtractor) read(f *ctnetlink.Flow) []byte {
	b := w.values[:0]
	for i := range w.keys {
		switch k := &w.keys[i]; {
		case k.Field.Kind == format.KindAddr:
			a, ok := k.Field.Addr(f)
			b = appendAddr(b, k, a, ok)
		case k.Field.Kind.Numeric():
			if v, ok := k.Field.Number(f, w.context); ok {
				b = stats.AppendNumber(b, v)
			} else {
				b = stats.AppendAbsent(b)
			}
		default:
			b = w.appendText(b, k.Field, f)
		}
	}
	w.values = b
	return b
}

func appendAddr(b []byte, k *cmdline.Key, a netip.Addr, ok bool) []byte {
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
func (w *keyExtractor) appendText(b []byte, d *format.Field, f *ctnetlink.Flow) []byte {
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
