package live

import (
	"bytes"
	"net/netip"
	"strconv"
	"strings"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/format"
	"github.com/gonntrack/gonntrack/stats"
)

// searcher finds entries by a text that is in a cell of their row: the namespace,
// protocol, state, source and destination with their ports, translation, mark, zone,
// helper, labels or security context, as the table shows them without the names of hosts
// and services. Upper and lower case are the same.
type searcher struct {
	given bool
	text  []byte // in lower case
	// address reports that the text can be in an address with a port.
	address bool
	digits  bool // it can be in a number
	proto   [256]bool
	tcp     [256]bool
	sctp    [256]bool
	// unreplied and so on report that the text is in that word.
	unreplied, replied, assured, offloaded bool
	sources                                []bool // that have it in their name
	cell                                   []byte
}

// searchedFields are read from messages where the record has them not.
var (
	rareFields = []*format.Field{format.FieldByName("helper"), format.FieldByName("labels"), format.FieldByName("secctx")}
	oddFields  = []*format.Field{
		format.FieldByName("proto"), format.FieldByName("condition"), format.FieldByName("source"),
		format.FieldByName("destination"), format.FieldByName("translation"), format.FieldByName("mark"), format.FieldByName("zone"),
	}
)

// compile makes it look for a text, or for none if that is "".
func (x *searcher) compile(q *question, text string) {
	*x = searcher{given: text != "", text: bytes.ToLower([]byte(text)), cell: x.cell}
	if !x.given {
		return
	}
	in := func(s string) bool { return bytes.Contains(bytes.ToLower([]byte(s)), x.text) }
	x.digits = strings.Trim(string(x.text), "0123456789") == ""
	x.address = strings.Trim(string(x.text), "0123456789abcdef.:[]") == ""
	for n := range x.proto {
		x.proto[n] = in(ctnetlink.Protocol(n).String())
		x.tcp[n], x.sctp[n] = in(stateName(ctnetlink.ProtoTCP, n)), in(stateName(ctnetlink.ProtoSCTP, n))
	}
	x.unreplied, x.replied, x.assured, x.offloaded = in("unreplied"), in("replied"), in("assured"), in("offloaded")
	for i := range q.t.sources {
		x.sources = append(x.sources, in(q.t.sources[i].Name))
	}
}

// match reports whether the row of the entry that is looked at has the text.
func (x *searcher) match(q *question, e *entry) bool {
	switch {
	case x.sources[q.source]:
		return true
	case q.odd:
		if x.inFields(q, e, oddFields...) {
			return true
		}
	case x.proto[e.proto()] || x.condition(e) || x.digits && x.number(e) || x.address && x.ends(e) ||
		!e.plain() && x.translation(e):
		return true
	}
	return e.core().extra != 0 && x.inFields(q, e, rareFields...)
}

// condition reports whether the text is in the field condition, see wordTable.
func (x *searcher) condition(e *entry) bool {
	status, ok := e.status()
	r := e.core()
	switch {
	case ok && status&(ctnetlink.StatusOffload|ctnetlink.StatusHWOffload) != 0:
		return x.offloaded
	case r.state != noState && r.proto == ctnetlink.ProtoTCP:
		return x.tcp[r.state]
	case r.state != noState:
		return x.sctp[r.state]
	case !ok:
		return false
	case status&ctnetlink.StatusAssured != 0:
		return x.assured
	case status&ctnetlink.StatusSeenReply != 0:
		return x.replied
	}
	return x.unreplied
}

// number reports whether the text is in the mark or in the zone, 0 of which is not
// shown.
func (x *searcher) number(e *entry) bool {
	has := func(v uint64) bool {
		x.cell = strconv.AppendUint(x.cell[:0], v, 10)
		return bytes.Contains(x.cell, x.text)
	}
	if mark, ok := e.mark(); ok && mark != 0 && has(uint64(mark)) {
		return true
	}
	zone, orig, reply := e.zone()
	return orig && reply && has(uint64(zone))
}

// ends reports whether the text is in the source or in the destination.
func (x *searcher) ends(e *entry) bool {
	t := e.orig()
	x.cell = appendEnd(x.cell[:0], e.addr(t.src), t.ports>>16, e.showsPorts())
	if bytes.Contains(x.cell, x.text) {
		return true
	}
	x.cell = appendEnd(x.cell[:0], e.addr(t.dst), t.ports&0xffff, e.showsPorts())
	return bytes.Contains(x.cell, x.text)
}

// translation reports whether the text is in the translation.
func (x *searcher) translation(e *entry) bool {
	x.cell = e.appendTranslation(x.cell[:0])
	return bytes.Contains(x.cell, x.text)
}

// appendEnd appends an address with its port, if it has one, as tables show it.
func appendEnd(b []byte, a netip.Addr, port uint32, hasPort bool) []byte {
	switch {
	case !hasPort:
		return format.AppendAddr(b, a)
	case a.Is4():
		b = format.AppendAddr(b, a)
	default:
		b = append(format.AppendAddr(append(b, '['), a), ']')
	}
	return strconv.AppendUint(append(b, ':'), uint64(port), 10)
}

// appendTranslation appends the field translation, see package format.
func (e *entry) appendTranslation(b []byte) []byte {
	n := e.translated()
	if n.source {
		b = append(b, "snat "...)
		b = appendEnd(b, e.addr(n.reply.dst), n.reply.ports&0xffff, n.sourcePort && e.showsPorts())
	}
	if n.destination {
		if n.source {
			b = append(b, ' ')
		}
		b = append(b, "dnat "...)
		b = appendEnd(b, e.addr(n.reply.src), n.reply.ports>>16, n.destinationPort && e.showsPorts())
	}
	return b
}

// inFields reports whether the text is in one of some fields.
func (x *searcher) inFields(q *question, e *entry, fields ...*format.Field) bool {
	f := q.whole(e)
	for _, d := range fields {
		if d.Name == "proto" && f.Orig().Proto.Name() == "" {
			x.cell = strconv.AppendUint(x.cell[:0], uint64(f.Orig().Proto), 10)
		} else {
			x.cell = q.printer.AppendField(x.cell[:0], d, f, &q.context)
		}
		if x.in(x.cell) && (d.Name != "mark" || string(x.cell) != "0") {
			return true
		}
	}
	return false
}

// in reports whether the text is in a cell.
func (x *searcher) in(cell []byte) bool {
	for i, c := range cell {
		switch {
		case c >= 0x80:
			return bytes.Contains(bytes.ToLower(cell), x.text)
		case c >= 'A' && c <= 'Z':
			cell[i] = c + 'a' - 'A'
		}
	}
	return bytes.Contains(cell, x.text)
}

// matchGroup reports whether the text is in one of the values of a group.
func (x *searcher) matchGroup(values []byte) bool {
	for _, v := range stats.Values(values) {
		x.cell = x.cell[:0]
		switch v.Kind {
		case stats.Number:
			x.cell = strconv.AppendUint(x.cell, v.Number, 10)
		case stats.Addr:
			x.cell = format.AppendAddr(x.cell, v.Addr)
		case stats.Network:
			x.cell = strconv.AppendInt(append(format.AppendAddr(x.cell, v.Addr), '/'), int64(v.Bits), 10)
		case stats.Text:
			x.cell = append(x.cell, v.Text...)
		}
		if x.in(x.cell) {
			return true
		}
	}
	return false
}
