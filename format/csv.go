package format

import (
	"strings"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// The columns of CSV, unless Options.Columns chooses others. docs/json.md promises
// them: later versions only add columns at the end, or before them if a new option
// asks for it.
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

	csvEvent      = "event time " // the first columns of events
	csvFlowEnd    = " stop portid program"
	csvExpectEnd  = " portid program"
	csvNamespaced = "netns " // the first column with several namespaces
	csvLooks      = "time "  // the column before that with several looks at the table
	csvProcesses  = "orig_process reply_process "
	csvRates      = "orig_packet_rate orig_byte_rate reply_packet_rate reply_byte_rate "
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
	if o.Rates {
		names = csvRates + names
	}
	if o.Processes {
		names = csvProcesses + names
	}
	if o.NetNS {
		names = csvNamespaced + names
	}
	if o.Looks {
		names = csvLooks + names
	}
	var columns []*Field
	for name := range strings.FieldsSeq(names) {
		columns = append(columns, FieldByName(name))
	}
	return columns
}

// csvHeader appends the line with the names of the columns.
func csvHeader(b []byte, columns []*Field) []byte {
	for _, d := range columns {
		b = append(append(b, d.Name...), ',')
	}
	return csvEnd(b)
}

// csvEnd ends a line that has a comma after each value.
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

// csvNotice appends a line about the stream of events itself: what happened to it,
// and when.
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

// csvQuote replaces the name in b[start:] with its CSV form.
func csvQuote(b []byte, start int) []byte {
	end := len(b)
	if end == start {
		return b
	}
	b = appendCSVName(b, b[start:end])
	n := copy(b[start:], b[end:])
	return b[:start+n]
}
