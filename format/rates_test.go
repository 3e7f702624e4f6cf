package format

import (
	"math"
	"strings"
	"testing"
)

// someRates are rates of tableEntries, the last of them unknown.
var someRates = []Rates{
	{Known: true, OrigPackets: 1200, OrigBytes: 3 << 20, ReplyPackets: 34.5, ReplyBytes: 1<<20 + 1},
	{Known: true},
	{Known: true, OrigPackets: 0.2, OrigBytes: 52.04, ReplyPackets: 0.04, ReplyBytes: 0.01},
	{Known: true, OrigPackets: math.NaN(), OrigBytes: math.Inf(1), ReplyPackets: -1, ReplyBytes: 1e300},
	{},
}

// printRates prints entries with rates, as a whole document.
func printRates(t *testing.T, o Options) string {
	t.Helper()
	p := NewPrinter(o)
	out := p.AppendHeader(nil)
	for i, msg := range tableEntries() {
		out = p.AppendFlow(out, flow(t, msg), &Context{Rates: &someRates[i]})
	}
	return string(p.AppendFooter(out))
}

func TestRatesInTables(t *testing.T) {
	for _, c := range []struct {
		o    Options
		want string
	}{
		{Options{Rates: true, Width: 80}, `
PROTO  STATE        EXPIRES  SOURCE               DESTINATION        BYTES/S
tcp    ESTABLISHED    4d23h  10.0.0.2:40296       192.0.2.1:8080      4.0M/s
udp    unreplied        29s  10.0.0.3:5353        192.0.2.53:53            0
tcp    TIME_WAIT      1m59s  [2001:db8::1]:50000  [2001:db8::2]:443     52/s
icmp   replied          30s  10.0.0.4             192.0.2.7
50     offloaded             10.0.0.5             192.0.2.8
not shown for lack of width: NAT, PACKETS/S, PACKETS, BYTES, MARK, ZONE
`},
		{Options{Columns: []*Field{FieldByName("packet-rate"), FieldByName("orig_byte_rate"), FieldByName("reply_packet_rate"),
			FieldByName("dport")}}, `
PACKETS/S  ORIG BYTES/S  REPLY PACKETS/S  DPORT
   1235/s        3.0M/s             35/s   8080
        0             0                0     53
    0.2/s          52/s           <0.1/s    443


`},
	} {
		c.o.Style = StyleTable
		if got := "\n" + printRates(t, c.o); got != c.want {
			t.Errorf("%s\nwant:%s", got, c.want)
		}
	}
	if got := drawTable(t, Options{}, tableEntries()); strings.Contains(got, "/S") {
		t.Errorf("rates that nobody asked for:\n%s", got)
	}
}

func TestRatesInRecords(t *testing.T) {
	got := printRates(t, Options{Style: StyleCSV, Rates: true})
	want := []string{"orig_packet_rate,orig_byte_rate,reply_packet_rate,reply_byte_rate,family,",
		"1200,3145728,34.5,1048577,ipv4,", "0,0,0,0,ipv4,", "0.2,52.04,0.04,0.01,ipv6,", ",,,,ipv4,", ",,,,ipv4,"}
	for i, line := range strings.Split(strings.TrimSpace(got), "\n") {
		if !strings.HasPrefix(line, want[i]) {
			t.Errorf("line %d of CSV: %s\nwant %s", i, line, want[i])
		}
	}
	got = printRates(t, Options{Style: StyleCSV, Columns: []*Field{FieldByName("byte_rate"), FieldByName("packet_rate")}})
	if want := "byte_rate,packet_rate\n4194305,1234.5\n0,0\n52.05,0.24\n,\n,\n"; got != want {
		t.Errorf("columns of CSV: %q, want %q", got, want)
	}
	got = printRates(t, Options{Style: StyleJSONL})
	for i, want := range []string{
		`"packets":9000,"bytes":1048576,"packet_rate":1200,"byte_rate":3145728},"reply":`,
		`"dport":53,"packet_rate":0,"byte_rate":0},"reply":`,
		`"packet_rate":0.04,"byte_rate":0.01},"status":`,
	} {
		if line := strings.Split(got, "\n")[i]; !strings.Contains(line, want) {
			t.Errorf("line %d of JSON: %s\nwithout %s", i, line, want)
		}
	}
	for _, line := range strings.Split(got, "\n")[3:] {
		if strings.Contains(line, "rate") {
			t.Errorf("rates that are not known: %s", line)
		}
	}
}

func TestRateNumbers(t *testing.T) {
	d := FieldByName("byte_rate")
	for i, want := range []uint64{1<<22 + 1, 0, 52, 0, 0} {
		c := &Context{Rates: &someRates[i]}
		if v, ok := d.Number(nil, c); v != want || ok != (i < 3) {
			t.Errorf("%d: %d, %t", i, v, ok)
		}
	}
	if _, ok := d.Number(nil, nil); ok || !d.IsRate() || FieldByName("bytes").IsRate() || !d.OfFlows() || d.OfExpects() {
		t.Error("a rate without rates")
	}
	for _, x := range []struct {
		v              float64
		packets, bytes string
	}{
		{0, "0", "0"}, {0.049, "<0.1/s", "<0.1/s"}, {0.05, "0.1/s", "0.1/s"}, {1, "1/s", "1/s"}, {9.94, "9.9/s", "9.9/s"},
		{9.95, "10/s", "10/s"}, {999.6, "1000/s", "1000/s"}, {1023.4, "1023/s", "1023/s"}, {3.4 * (1 << 20), "3.6M/s", "3.4M/s"},
		{math.NaN(), "0", "0"}, {math.Inf(1), "0", "0"}, {-3, "0", "0"}, {12345, "12k/s", "12K/s"}, {1 << 62, "4.6E/s", "4.0E/s"},
	} {
		if got := string(AppendRate(nil, x.v, false)); got != x.packets {
			t.Errorf("%v packets: %s, want %s", x.v, got, x.packets)
		}
		if got := string(AppendRate(nil, x.v, true)); got != x.bytes {
			t.Errorf("%v bytes: %s, want %s", x.v, got, x.bytes)
		}
	}
}
