package format

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"testing"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/internal/printable"
)

// FuzzStyles writes whatever can be decoded in every style: it never panics,
// and an entry is one line of printable characters; in XML, one element.
func FuzzStyles(f *testing.F) {
	attributes := func(msg []byte) []byte { return msg[20:] }
	for _, msg := range dumped {
		f.Add(attributes(msg), uint8(2), uint8(0))
	}
	f.Add(attributes(expected), uint8(2), uint8(1))
	f.Add(join(min4(17), status(stPlain), helper("a\nb\x1b"), secctx("]]>"), eventAt(1<<64-1), lived(1<<64-1, 0), labels(0, 1, 2)), uint8(2), uint8(2))
	f.Add(join(nest(1, addrs("1.1.1.1", "2.2.2.2"), query(1, 8, 0, 1)), nest(2, addrs("2.2.2.2", "3.3.3.3"), query(1, 0, 0, 2)), status(stNAT)), uint8(2), uint8(3))
	f.Add(join(nest(1, addrs("::", "::1.2.3.4"), ports(132, 1, 2), tupleZone(3)), nest(2, addrs("::1", "::"), ports(132, 5, 6)), status(stNAT), sctpState(9, 1, 2)), uint8(10), uint8(7))
	f.Add(join(expectTuples(47), str(6, "\xff")), uint8(99), uint8(5))
	f.Fuzz(func(t *testing.T, attrs []byte, family, event uint8) {
		var flow ctnetlink.Flow
		var exp ctnetlink.Expect
		isFlow := flow.Decode(message(0x100, ctnetlink.Family(family), attrs)) == nil
		isExpect := exp.Decode(message(0x200, ctnetlink.Family(family), attrs)) == nil
		if isFlow {
			for line := range bytes.Lines(AppendExplanation(nil, &flow, &Explanation{Now: now, LabelNames: []string{string(attrs)}})) {
				check(t, StyleClassic, line)
			}
			new(Losses).Add(&flow)
		}
		contexts := []*Context{nil, {Event: Event(event) % (EventResync + 1), Verb: 'A', Now: now, PortID: 1, Program: string(attrs)}}
		for _, o := range []Options{{}, everything(0)} {
			for _, o.Style = range styles {
				o.LabelNames = append([]string{string(attrs)}, o.LabelNames...)
				p := NewPrinter(o)
				for _, c := range contexts {
					if isFlow {
						check(t, o.Style, p.AppendFlow(nil, &flow, c))
					}
					if isExpect {
						check(t, o.Style, p.AppendExpect(nil, &exp, c))
					}
				}
			}
		}
	})
}

func check(t *testing.T, style Style, line []byte) {
	t.Helper()
	body, ok := bytes.CutSuffix(line, []byte("\n"))
	if ok == (style == StyleJSON) { // where the separator ends it
		t.Fatalf("newline or none: %q", line)
	}
	if !printable.Is(bytes.ReplaceAll(body, []byte("\t"), nil)) { // after the time of an event
		t.Errorf("not printable: %q", line)
	}
	switch style {
	case StyleJSON, StyleJSONL:
		if !json.Valid(body) || bytes.IndexByte(body, '\n') >= 0 {
			t.Errorf("no JSON: %q", line)
		}
		return
	case StyleCSV:
		if records, err := csv.NewReader(bytes.NewReader(line)).ReadAll(); err != nil || len(records) != 1 {
			t.Errorf("%d records, %v: %q", len(records), err, line)
		}
		return
	case StyleXML:
	default:
		return
	}
	var v struct {
		XMLName xml.Name `xml:"flow"`
	}
	if err := xml.Unmarshal(line, &v); err != nil {
		t.Errorf("%v: %q", err, line)
	}
}
