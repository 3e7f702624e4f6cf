package action

import (
	"bytes"
	"encoding/binary"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/format"
	"github.com/gonntrack/gonntrack/internal/printable"
	"github.com/gonntrack/gonntrack/stats"
)

// textStyles are the forms of output that are text.
var textStyles = []format.Style{format.StyleClassic, format.StyleXML, format.StyleSave, format.StyleJSON,
	format.StyleJSONL, format.StyleCSV, format.StyleTable}

var outputTime = time.Unix(1795237081, 261197000)

// FuzzOutputs writes whatever a message contains in every form of output, beside
// names with any bytes. The output is printable, an entry is one line, documents are
// valid, and a line of -o save is read as the same entry.
func FuzzOutputs(f *testing.F) {
	const name = "na\nme\x1b\u202e\u2028\u009b\xff,\"<&>="
	for n := range 60 {
		msg := randomEntry(seeded(uint64(n)), true)
		f.Add(msg[20:], msg[16], uint8(n), name)
		// More labels than the kernel has, CTA_LABELS, and names with any bytes: of
		// the helper, CTA_HELP, and the security context, CTA_SECCTX.
		labels := attribute(22, bytes.Repeat([]byte{0x81}, 64))
		f.Add(slices.Concat(msg[20:], labels, attribute(5|1<<15, attribute(1, []byte(name[:n%20]+"\x00"))),
			attribute(19|1<<15, attribute(1, []byte(name+"\x00")))), msg[16], uint8(n), name[n%10:])
	}
	f.Add([]byte{8, 0, 1, 0, 1, 2, 3, 4}, uint8(2), uint8(0), "=cmd|' /C calc'!A0")
	f.Fuzz(func(t *testing.T, attrs []byte, family, event uint8, name string) {
		var flow ctnetlink.Flow
		var expect ctnetlink.Expect
		isFlow := flow.Decode(messageOf(0x100, family, attrs)) == nil
		isExpect := expect.Decode(messageOf(0x200, family, attrs)) == nil
		listed := &format.Context{Now: outputTime, NetNS: name}
		happened := &format.Context{Event: format.Event(event) % (format.EventResync + 1), Now: outputTime, NetNS: name,
			PortID: 1, Program: name}
		for _, o := range []format.Options{{}, {Extended: true, ID: true, Timestamp: true, KTimestamp: true, Labels: true,
			LabelNames: []string{name, "two words", "", "c"}, NetNS: true, Complete: true}} {
			for _, o.Style = range textStyles {
				for _, c := range []*format.Context{nil, listed, happened} {
					o := o
					o.Events = c == happened && c.Event != format.EventNone
					if isFlow {
						p := format.NewPrinter(o)
						checkDocument(t, o.Style, p.AppendFooter(p.AppendFlow(p.AppendHeader(nil), &flow, c)))
					}
					if isExpect {
						o.Expect = true
						p := format.NewPrinter(o)
						checkDocument(t, o.Style, p.AppendFooter(p.AppendExpect(p.AppendHeader(nil), &expect, c)))
					}
				}
			}
		}
		if isFlow {
			checkPrintable(t, format.AppendExplanation(nil, &flow, &format.Explanation{Now: outputTime,
				LabelNames: []string{name}, NetNS: name}))
			checkGroups(t, &flow, listed)
			checkSaved(t, &flow)
		}
		reports := []*stats.Report{{NetNS: name, Entries: 1, Maximum: 1}}
		checkPrintable(t, format.AppendReports(nil, reports, format.Options{}))
		checkPrintable(t, format.AppendProm(nil, reports, format.Options{}))
	})
}

// attribute returns a netlink attribute (struct nlattr).
func attribute(kind uint16, payload []byte) []byte {
	b := binary.NativeEndian.AppendUint16(nil, uint16(4+len(payload)))
	b = append(binary.NativeEndian.AppendUint16(b, kind), payload...)
	return append(b, make([]byte, -len(b)&3)...)
}

// messageOf returns a message with attributes (struct nlmsghdr, struct nfgenmsg).
func messageOf(kind uint16, family uint8, attrs []byte) []byte {
	b := binary.NativeEndian.AppendUint32(nil, uint32(20+len(attrs)))
	b = binary.NativeEndian.AppendUint16(b, kind)
	b = append(b, make([]byte, 10)...)
	return append(append(b, family, 0, 0, 0), attrs...)
}

func checkPrintable(t *testing.T, text []byte) {
	t.Helper()
	// A tab follows the time of an event, in text of our own.
	if !printable.Is(strings.NewReplacer("\n", "", "\t", "").Replace(string(text))) {
		t.Errorf("not printable: %q", text)
	}
}

// checkDocument checks the document of one entry.
func checkDocument(t *testing.T, style format.Style, text []byte) {
	t.Helper()
	checkPrintable(t, text)
	lines := bytes.Count(text, []byte("\n"))
	want := 1
	switch style {
	case format.StyleJSON:
		var entries []map[string]any
		if err := json.Unmarshal(text, &entries); err != nil || len(entries) != 1 {
			t.Errorf("JSON: %v, %d entries: %q", err, len(entries), text)
		}
		want = 3
	case format.StyleJSONL:
		if !json.Valid(text) {
			t.Errorf("JSON: %q", text)
		}
	case format.StyleCSV:
		// All records must have as many fields as the first.
		if records, err := csv.NewReader(bytes.NewReader(text)).ReadAll(); err != nil || len(records) != 2 {
			t.Errorf("CSV: %v, %d records: %q", err, len(records), text)
		}
		want = 2
	case format.StyleXML:
		var document struct {
			Flows []struct{} `xml:"flow"`
		}
		if err := xml.Unmarshal(text, &document); err != nil || len(document.Flows) != 1 {
			t.Errorf("XML: %v, %d entries: %q", err, len(document.Flows), text)
		}
		want = 4
	case format.StyleTable:
		if len(text) == 0 {
			return // no column has a value
		}
		want = 2
	}
	if lines != want || !bytes.HasSuffix(text, []byte("\n")) {
		t.Errorf("style %d: %d lines, want %d: %q", style, lines, want, text)
	}
}

// checkGroups checks a summary by all fields that are names, and some others.
func checkGroups(t *testing.T, f *ctnetlink.Flow, c *format.Context) {
	t.Helper()
	const by = "netns,secctx,labels,helper,program,proto,condition,src,source,nat"
	r, err := cmdline.ParseClassic([]string{"-L", "--by", by}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	var kinds []format.Kind
	for i := range r.View().By {
		names = append(names, r.View().By[i].Name)
		kinds = append(kinds, r.View().By[i].Kind())
	}
	sum := stats.NewSummary(names)
	sum.Add(cmdline.NewKeyValues(r.View().By, r.Output.LabelNames, c).Read(f), 1, 2, true)
	for _, style := range append(textStyles, format.StyleProm) {
		groups, err := sum.Sorted(nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		text, err := format.NewSummary(format.Options{Style: style}, sum, kinds).Append(nil, groups,
			func(b []byte) ([]byte, error) { return b, nil })
		if err != nil {
			t.Fatal(err)
		}
		checkPrintable(t, text)
		switch style {
		case format.StyleJSON, format.StyleJSONL:
			if !json.Valid(text) {
				t.Errorf("JSON: %q", text)
			}
		case format.StyleCSV:
			if records, err := csv.NewReader(bytes.NewReader(text)).ReadAll(); err != nil || len(records) != 2 {
				t.Errorf("CSV: %v, %d records: %q", err, len(records), text)
			}
		}
	}
}
