package format

import (
	"strings"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// The columns of CSV, unless Options.Columns says. They are a promise: what is
// new is put behind the last, and before it only where a new option asks.
const (
	csvFlow = "family proto protonum state timeout " +
		"src dst sport dport type code icmp_id srckey dstkey orig_zone orig_packets orig_bytes " +
		"reply_src reply_dst reply_sport reply_dport reply_zone reply_packets reply_bytes " +
		"nat_src nat_sport nat_dst nat_dport " +
		"status mark secmark secctx zone labels helper start id use"
	csvExpect = "family proto protonum timeout " +
		"src dst sport dport mask_src mask_dst mask_sport mask_dport " +
		"master_src master_dst master_sport master_dport " +
		"zone flags class helper fn id"

	csvEvent       = "event time " // before them, where entries are events
	csvFlowEnd     = " stop portid program"
	csvExpectEnd   = " portid program"
	csvNamespaced  = "netns " // before all, where entries are of several namespaces
	csvFormulaSign = "=+-@"   // what a spreadsheet takes for a formula begins so
)

// csvColumns returns the columns that the options choose.
func csvColumns(o *Options) []*Field {
	if o.Columns != nil {
		return o.Columns
	}
	names, end := csvFlow, csvFlowEnd
	if o.Expect {
		names, end = csvExpect, csvExpectEnd
	}
	if o.Events {
		names = csvEvent + names + end
	}
	if o.NetNS {
		names = csvNamespaced + names
	}
	var columns []*Field
	for name := range strings.FieldsSeq(names) {
		columns = append(columns, FieldByName(name))
	}
	return columns
}

// csvHeader appends the line of names.
func csvHeader(b []byte, columns []*Field) []byte {
	for _, d := range columns {
		b = append(append(b, d.Name...), ',')
	}
	return csvEnd(b)
}

// csvEnd ends a line that has a comma behind each value.
func csvEnd(b []byte) []byte {
	if n := len(b); n > 0 && b[n-1] == ',' {
		b = b[:n-1]
	}
	return append(b, '\n')
}

func (p *Printer) csvFlow(b []byte, f *ctnetlink.Flow, c *Context) []byte {
	for _, d := range p.columns {
		start := len(b)
		b = p.AppendField(b, d, f, c)
		if d.Kind == KindName {
			b = csvQuote(b, start)
		}
		b = append(b, ',')
	}
	return csvEnd(b)
}

func (p *Printer) csvExpect(b []byte, x *ctnetlink.Expect, c *Context) []byte {
	for _, d := range p.columns {
		start := len(b)
		b = p.AppendExpectField(b, d, x, c)
		if d.Kind == KindName {
			b = csvQuote(b, start)
		}
		b = append(b, ',')
	}
	return csvEnd(b)
}

// csvNotice appends a line that stands among events and is none: what happened
// to the stream, and when.
func (p *Printer) csvNotice(b []byte, what string, c *Context) []byte {
	for _, d := range p.columns {
		switch d.Name {
		case "event":
			b = append(b, what...)
		case "time":
			b = appendTime(b, nanos(c.now()))
		case "netns":
			b = appendCSVName(b, c.NetNS)
		}
		b = append(b, ',')
	}
	return csvEnd(b)
}

// csvQuote makes a value of CSV of the name that b ends in, from start on.
func csvQuote(b []byte, start int) []byte {
	end := len(b)
	if end == start {
		return b
	}
	b = appendCSVName(b, b[start:end])
	n := copy(b[start:], b[end:])
	return b[:start+n]
}

// appendCSVName appends a name that came from outside as a value of CSV (RFC
// 4180): in quotes where it holds a comma or a quote. Bytes that are no
// printable UTF-8 are written as \xNN, as everywhere outside of JSON, so that a
// record is one line. Before a name that begins as a formula does a ' is put:
// otherwise a spreadsheet would carry out what the namer of a program wants.
func appendCSVName[T []byte | string](dst []byte, name T) []byte {
	quote, formula := false, len(name) > 0 && strings.IndexByte(csvFormulaSign, name[0]) >= 0
	for i := range len(name) {
		quote = quote || name[i] == ',' || name[i] == '"'
	}
	if quote {
		dst = append(dst, '"')
	}
	if formula {
		dst = append(dst, '\'')
	}
	if !quote {
		return appendName(dst, name)
	}
	start := 0
	for i := range len(name) {
		if name[i] == '"' {
			dst = append(appendName(dst, name[start:i]), '"', '"')
			start = i + 1
		}
	}
	return append(appendName(dst, name[start:]), '"')
}
