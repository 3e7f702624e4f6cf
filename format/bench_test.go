package format

import (
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// dumped is an entry as a dump of a table with accounting and time stamps has
// it, with everything that a line can show.
var dumped = map[string][]byte{
	"IPv4": v4(
		both(ctnetlink.ProtoTCP, "10.0.0.2", "192.0.2.1", 40296, 8080),
		status(stNAT|stSeen|stAssured), mark(7), id(3152748731), use(1), timeout(431999),
		tcpState(3), counters(9, 7, 450), counters(10, 6, 697)),
	"IPv6": v6(
		both(ctnetlink.ProtoTCP, "2001:db8:1:2:3:4:5:6", "2001:db8::7", 40296, 8080),
		status(stNAT|stSeen|stAssured), mark(7), id(3152748731), use(1), timeout(431999),
		tcpState(3), counters(9, 7, 450), counters(10, 6, 697)),
	"full": v4(
		nest(1, addrs("10.0.0.2", "192.0.2.1"), ports(ctnetlink.ProtoTCP, 40296, 8080)),
		nest(2, addrs("192.0.2.2", "192.0.2.1"), ports(ctnetlink.ProtoTCP, 80, 40297)),
		zone(3), status(stNAT|stSeen|stAssured), mark(7), id(3152748731), use(1), timeout(431999),
		tcpState(3), counters(9, 7, 450), counters(10, 6, 697),
		lived(1795237000123456789, 1795237077123456789), helper("ftp"), secctx("unconfined"),
		labels(1, 5, 127)),
}

// everything chooses all that can be shown.
func everything(style Style) Options {
	names := make([]string, 128)
	names[1], names[5], names[127] = "web", "two words", "last"
	return Options{Style: style, Extended: true, ID: true, Timestamp: true, KTimestamp: true, Labels: true, LabelNames: names}
}

var styles = map[string]Style{
	"classic": StyleClassic, "xml": StyleXML, "save": StyleSave,
	"json": StyleJSON, "jsonl": StyleJSONL, "csv": StyleCSV,
}

func BenchmarkFlow(b *testing.B) {
	now := time.Unix(1795237081, 261197000)
	for name, style := range styles {
		for kind, msg := range dumped {
			o := Options{Style: style}
			if kind == "full" {
				o = everything(style)
			}
			b.Run(name+"/"+kind, func(b *testing.B) {
				p, f, c := NewPrinter(o), flow(b, msg), &Context{Now: now}
				dst := p.AppendFlow(nil, f, c)
				b.SetBytes(int64(len(dst)))
				b.ReportAllocs()
				for b.Loop() {
					dst = p.AppendFlow(dst[:0], f, c)
				}
			})
		}
	}
}

func BenchmarkExpect(b *testing.B) {
	for name, style := range styles {
		b.Run(name, func(b *testing.B) {
			p, e, c := NewPrinter(Options{Style: style}), expectation(b, expected), &Context{}
			dst := p.AppendExpect(nil, e, c)
			b.SetBytes(int64(len(dst)))
			b.ReportAllocs()
			for b.Loop() {
				dst = p.AppendExpect(dst[:0], e, c)
			}
		})
	}
}

// TestAllocs: nothing is allocated for an entry, whatever is shown of it.
func TestAllocs(t *testing.T) {
	for name, style := range styles {
		p := NewPrinter(everything(style))
		dst := make([]byte, 0, 8192)
		for kind, msg := range dumped {
			f := flow(t, msg)
			for _, c := range []*Context{
				nil,
				{Event: EventNew, PortID: 5, Program: "a program"},
				{Event: EventDestroy, Now: time.Unix(1795237081, 0), Verb: 'A'},
			} {
				if n := testing.AllocsPerRun(100, func() { dst = p.AppendFlow(dst[:0], f, c) }); n != 0 {
					t.Errorf("%s %s: %v allocations", name, kind, n)
				}
			}
		}
		e := expectation(t, expected)
		if n := testing.AllocsPerRun(100, func() { dst = p.AppendExpect(dst[:0], e, nil) }); n != 0 {
			t.Errorf("%s expectation: %v allocations", name, n)
		}
	}
}

// expected is an expectation of FTP's helper, with flags that its table never
// sets together.
var expected = exp(
	nest(1, addrs("10.0.0.2", "192.0.2.2"), ports(ctnetlink.ProtoTCP, 32874, 21)),
	nest(2, addrs("192.0.2.2", "10.0.0.2"), ports(ctnetlink.ProtoTCP, 0, 51210)),
	nest(3, addrs("255.255.255.255", "255.255.255.255"), ports(ctnetlink.ProtoTCP, 0, 65535)),
	u32(4, 300), u32(5, 77), str(6, "ftp"), u16(7, 4), u32(8, 7), u32(9, 1))
