package format

import (
	"bytes"
	"encoding/json"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// The schemas of docs/schema are promises: what is written is held against
// them here, synthetic entries of every kind and, in live_json_linux_test.go,
// a kernel's. They name every member, and allow no other.

const schemaDir = "../docs/schema"

// schemas compiles what is in docs/schema.
func schemas(t *testing.T) map[string]*jsonschema.Schema {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(schemaDir, "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatal("no schemas: ", err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	ids := map[string]string{}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		id, _ := doc.(map[string]any)["$id"].(string)
		name := filepath.Base(file)
		if !strings.HasSuffix(id, "/docs/schema/"+name) {
			t.Errorf("%s has the $id %q", file, id)
		}
		if err := c.AddResource(id, doc); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		ids[name] = id
	}
	out := map[string]*jsonschema.Schema{}
	for name, id := range ids {
		if out[name], err = c.Compile(id); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	return out
}

// valid holds a document against a schema and notes which members it has.
func valid(t *testing.T, s *jsonschema.Schema, doc []byte, members map[string]bool) {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(doc))
	if err == nil {
		err = s.Validate(v)
	}
	if err != nil {
		t.Errorf("%v\n%s", err, doc)
		return
	}
	note(v, members)
}

func note(v any, members map[string]bool) {
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			note(e, members)
		}
	case map[string]any:
		for name, e := range v {
			members[name] = true
			note(e, members)
		}
	}
}

// document returns what StyleJSON writes of entries.
func document[E any](o Options, entries []E, one func(p *Printer, dst []byte, e E) []byte) []byte {
	o.Style = StyleJSON
	p := NewPrinter(o)
	if len(entries) == 0 {
		return p.AppendEmpty(nil)
	}
	doc := p.AppendHeader(nil)
	for i, e := range entries {
		doc = one(p, p.AppendSeparator(doc, i), e)
	}
	return p.AppendFooter(doc)
}

// everyKind are entries of every protocol, with everything that a table sends.
func everyKind(t *testing.T) (flows []*ctnetlink.Flow) {
	reversed := func(proto ctnetlink.Protocol, tuple ...[]byte) []byte {
		return join(nest(1, addrs("1.2.3.4", "5.6.7.8"), join(tuple...)), nest(2, addrs("5.6.7.8", "1.2.3.4"), number(proto)))
	}
	for _, msg := range [][]byte{
		dumped["IPv4"], dumped["IPv6"], dumped["full"],
		v4(min4(6), tcpState(0)), v4(min4(6), tcpState(9)), v4(min4(6), tcpState(200)),
		v4(min4(17), u32(17, 4294967295), nest(14, addrs("1.2.3.4", "5.6.7.8"), ports(6, 1, 21))),
		v4(min4(132), sctpState(9, 1, 4294967295)), v4(min4(33), dccpState(9, 0)), v4(min4(33), dccpState(1, 1)), v4(min4(136)),
		v4(both(47, "1.2.3.4", "5.6.7.8", 0, 65535)), v4(reversed(99, number(99))), v6(both(17, "::", "::ffff:1.2.3.4", 0, 0)),
		v4(nest(1, addrs("1.2.3.4", "5.6.7.8"), query(1, 8, 3, 77)), nest(2, addrs("5.6.7.8", "1.2.3.4"), query(1, 0, 3, 77)), status(stNAT)),
		v6(nest(1, addrs("fd00::1", "fd00::2"), query(58, 128, 0, 65535)), nest(2, addrs("fd00::2", "fd00::9"), query(58, 129, 0, 1)), status(stNAT)),
		v4(nest(1, addrs("1.2.3.4", "5.6.7.8"), ports(47, 1, 2)), nest(2, addrs("5.6.7.8", "1.2.3.4"), ports(47, 3, 4)), status(stNAT)),
		v4(nest(1, addrs("1.2.3.4", "5.6.7.8"), number(50), tupleZone(5)), nest(2, addrs("5.6.7.8", "1.2.3.4"), number(50), tupleZone(65535))),
		v4(min4(17), status(4294967295), labels(0, 1, 5, 127), helper("f\x1b\xff"), secctx("")),
		v4(min4(17), status(0), labels(), counters(9, 18446744073709551615, 18446744073709551615), nest(20, u64(2, 18446744073709551615))),
		v4(min4(17), id(1), lived(1795237077123456789, 0)),
	} {
		flows = append(flows, flow(t, msg))
	}
	return flows
}

func TestSchemas(t *testing.T) {
	s := schemas(t)
	members := map[string]bool{}
	o := everything(StyleJSON)
	flows := everyKind(t)
	appendFlow := func(c *Context) func(*Printer, []byte, *ctnetlink.Flow) []byte {
		return func(p *Printer, dst []byte, f *ctnetlink.Flow) []byte { return p.AppendFlow(dst, f, c) }
	}
	valid(t, s["entries.json"], document(o, flows, appendFlow(&Context{Now: now, NetNS: "blue"})), members)
	aProcess := func(string, *ctnetlink.Tuple) (Process, bool) { return Process{812, "a \x1b \"process\""}, true }
	valid(t, s["entries.json"], document(o, flows, appendFlow(&Context{Process: aProcess})), members)
	rates := Rates{Known: true, OrigPackets: 1.25, OrigBytes: 1e12 + 1.0/3, ReplyBytes: math.NaN()}
	valid(t, s["entries.json"], document(o, flows, appendFlow(&Context{Rates: &rates})), members)
	valid(t, s["entries.json"], document(o, flows[:0], appendFlow(nil)), members)
	valid(t, s["entries.json"], document(Options{}, flows, appendFlow(nil)), members)

	expects := []*ctnetlink.Expect{expectation(t, expected), expectation(t, exp(
		nest(1, addrs("fd00::1", "fd00::2"), ports(17, 5060, 5061)), nest(2, addrs("fd00::3", "fd00::1"), ports(17, 0, 65535)),
		nest(3, addrs("::", "ffff::"), ports(17, 0, 65535)), u32(8, 0), str(11, "nat-follow-master")))}
	appendExpect := func(c *Context) func(*Printer, []byte, *ctnetlink.Expect) []byte {
		return func(p *Printer, dst []byte, x *ctnetlink.Expect) []byte { return p.AppendExpect(dst, x, c) }
	}
	valid(t, s["expectations.json"], document(o, expects, appendExpect(&Context{NetNS: "blue"})), members)
	valid(t, s["expectations.json"], document(o, expects[:0], appendExpect(nil)), members)

	lines := NewPrinter(Options{Style: StyleJSONL, Events: true, LabelNames: o.LabelNames})
	for event := EventNew; event <= EventResync; event++ {
		for _, c := range []*Context{
			{Event: event, Now: now},
			{Event: event, Now: now, NetNS: "blue", PortID: 4294967295, Program: "a \x1b program"},
		} {
			for _, f := range flows {
				valid(t, s["event.json"], lines.AppendFlow(nil, f, c), members)
			}
			for _, x := range expects {
				valid(t, s["event.json"], lines.AppendExpect(nil, x, c), members)
			}
			valid(t, s["event.json"], lines.AppendResynced(nil, 12, c), members)
			valid(t, s["event.json"], lines.AppendLost(nil, ctnetlink.Loss{Overruns: 1, Lost: 2, Dropped: 3}, c), members)
		}
	}

	record := func(list bool, values ...Value) []byte {
		r := NewRecords(StyleJSON, list)
		return r.AppendEnd(r.Append(nil, values))
	}
	valid(t, s["count.json"], record(false, Number("entries", 5), Number("maximum", 262144)), members)
	valid(t, s["count.json"], record(false, Text("netns", "blue"), Number("entries", 5)), members)
	valid(t, s["count.json"], record(false, Number("expectations", 5)), members)
	valid(t, s["stats.json"], record(true, Number("cpu", 1), Number("insert_failed", 4294967295), Number("unknown1", 5)), members)
	valid(t, s["stats.json"], NewRecords(StyleJSON, true).AppendEnd(nil), members)

	valid(t, s["packets.json"], packetDocument(StyleJSON, true, somePackets()), members)
	valid(t, s["packets.json"], packetDocument(StyleJSON, false, nil), members)
	for _, k := range somePackets() {
		valid(t, s["packet.json"], packetDocument(StyleJSONL, false, []Packet{k}), members)
	}
	valid(t, s["replay-summary.json"], record(true, Text("kind", "verdict"), Text("name", "NEW"), Number("count", 5)), members)

	// Nothing is promised that is never written. Counters of -S depend on the kernel,
	// and what top writes is held against its schema where it is written.
	for name, where := range promised(t) {
		if !members[name] && where != "stats.json" && where != "top.json" && where != "conntrackd-status.json" {
			t.Errorf("%s: no %q was seen", where, name)
		}
	}
}

// TestSchemasRefuse: a schema that accepts anything would prove nothing.
func TestSchemasRefuse(t *testing.T) {
	s := schemas(t)
	good := string(NewPrinter(Options{Style: StyleJSONL}).AppendFlow(nil, flow(t, dumped["full"]), &Context{Now: now}))
	event := string(NewPrinter(Options{Style: StyleJSONL}).AppendFlow(nil, flow(t, dumped["full"]), &Context{Event: EventNew, Now: now}))
	for _, x := range []struct{ schema, doc, old, new string }{
		{"entry.json", good, `"mark":7`, `"mark":"7"`},
		{"entry.json", good, `"mark":7`, `"mark":-7`},
		{"entry.json", good, `"mark":7`, `"marc":7`},
		{"entry.json", good, `"sport":40296`, `"sport":70000`},
		{"entry.json", good, `"sport":40296`, `"sporty":4`},
		{"entry.json", good, `"10.0.0.2"`, `"10.0.0.256"`},
		{"entry.json", good, `"ESTABLISHED"`, `"COOKIE_WAIT"`},
		{"entry.json", good, `"tcp"`, `"udp"`}, // which has no state
		{"entry.json", good, `123456789Z`, `123Z`},
		{"entry.json", good, `"ASSURED"`, `"assured"`},
		{"entry.json", good, `"nat":{"src":{`, `"nat":{"src":{"from":1,`},
		{"entry.json", event, `"new"`, `"new"`}, // events have more
		{"event.json", good, `"mark":7`, `"mark":7`},
		{"event.json", event, `"new"`, `"old"`},
	} {
		doc := strings.Replace(x.doc, x.old, x.new, 1)
		if doc == x.doc && x.old != x.new {
			t.Fatalf("no %s in %s", x.old, x.doc)
		}
		v, err := jsonschema.UnmarshalJSON(strings.NewReader(doc))
		if err != nil {
			t.Fatal(err)
		}
		if s[x.schema].Validate(v) == nil {
			t.Errorf("%s accepts %s", x.schema, doc)
		}
	}
}

// promised returns the members that the schemas name, and where.
func promised(t *testing.T) map[string]string {
	t.Helper()
	names := map[string]string{}
	files, _ := filepath.Glob(filepath.Join(schemaDir, "*.json"))
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var walk func(v any)
		walk = func(v any) {
			switch v := v.(type) {
			case []any:
				for _, e := range v {
					walk(e)
				}
			case map[string]any:
				if properties, ok := v["properties"].(map[string]any); ok {
					for name := range properties {
						names[name] = filepath.Base(file)
					}
				}
				for _, e := range v {
					walk(e)
				}
			}
		}
		var v any
		if err := json.Unmarshal(b, &v); err != nil {
			t.Fatal(err)
		}
		walk(v)
	}
	return names
}

// TestDocumentation: docs/json.md has every member of the schemas, every field, and
// the columns of CSV in their order.
func TestDocumentation(t *testing.T) {
	b, err := os.ReadFile("../docs/json.md")
	if err != nil {
		t.Fatal(err)
	}
	doc := string(b)
	for _, name := range slices.Sorted(maps.Keys(promised(t))) {
		if !strings.Contains(doc, "`"+name+"`") {
			t.Errorf("docs/json.md does not have the member %s", name)
		}
	}
	for d := range Fields() {
		if !strings.Contains(doc, "`"+d.Name+"`") {
			t.Errorf("docs/json.md does not have the field %s", d.Name)
		}
	}
	doc = strings.ReplaceAll(doc, ",\n", ",") // lines of names are broken there
	for _, columns := range []string{csvFlow, csvExpect} {
		if line := strings.ReplaceAll(columns, " ", ","); !strings.Contains(doc, "\n"+line+"\n") {
			t.Errorf("docs/json.md has not the header line\n%s", line)
		}
	}
}
