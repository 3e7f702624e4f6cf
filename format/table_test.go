package format

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// tableEntries are rows of a router's table: states, translations of both
// ends, IPv6, a protocol without a name, and one without ports.
func tableEntries() [][]byte {
	return [][]byte{
		message(0x100, 2, nest(1, addrs("10.0.0.2", "192.0.2.1"), ports(6, 40296, 8080)),
			nest(2, addrs("192.0.2.2", "192.0.2.1"), ports(6, 80, 40296)),
			status(stNAT|stSeen|stAssured), timeout(431984), tcpState(3), mark(7), counters(9, 9000, 1<<20), counters(10, 1500, 3<<20)),
		message(0x100, 2, both(17, "10.0.0.3", "192.0.2.53", 5353, 53), status(stPlain), timeout(29), mark(0), zone(9)),
		message(0x100, 10, both(6, "2001:db8::1", "2001:db8::2", 50000, 443), status(stPlain|stSeen), timeout(119), tcpState(7), mark(0), counters(9, 5, 268), counters(10, 4, 1100)),
		message(0x100, 2, nest(1, addrs("10.0.0.4", "192.0.2.7"), query(1, 8, 0, 77)), nest(2, addrs("192.0.2.7", "192.0.2.1"), query(1, 0, 0, 99)),
			status(stNAT|stSeen), timeout(30), mark(0)),
		message(0x100, 2, nest(1, addrs("10.0.0.5", "192.0.2.8"), number(50)), nest(2, addrs("192.0.2.8", "10.0.0.5"), number(50)),
			status(stPlain|1<<14), mark(0)),
	}
}

func drawTable(t testing.TB, o Options, messages [][]byte) string {
	t.Helper()
	o.Style = StyleTable
	p := NewPrinter(o)
	out := p.AppendHeader(nil)
	var f ctnetlink.Flow
	for _, msg := range messages {
		if err := f.Decode(msg); err != nil {
			t.Fatal(err)
		}
		out = p.AppendFlow(out, &f, nil)
	}
	return string(p.AppendFooter(out))
}

func TestTable(t *testing.T) {
	for _, c := range []struct {
		name string
		o    Options
		want string
	}{
		{"any width", Options{}, `
PROTO  STATE        EXPIRES  SOURCE               DESTINATION        NAT                               PACKETS  BYTES  MARK  ZONE
tcp    ESTABLISHED    4d23h  10.0.0.2:40296       192.0.2.1:8080     snat 192.0.2.1 dnat 192.0.2.2:80      11k   4.0M     7
udp    unreplied        29s  10.0.0.3:5353        192.0.2.53:53                                                           0     9
tcp    TIME_WAIT      1m59s  [2001:db8::1]:50000  [2001:db8::2]:443                                          9   1.3K     0
icmp   replied          30s  10.0.0.4             192.0.2.7          snat 192.0.2.1                                       0
50     offloaded             10.0.0.5             192.0.2.8                                                               0
`},
		{"80 characters", Options{Width: 80}, `
PROTO  STATE        EXPIRES  SOURCE           DESTINATION      NAT
tcp    ESTABLISHED    4d23h  10.0.0.2:40296   192.0.2.1:8080   snat 192.0.2.1 …
udp    unreplied        29s  10.0.0.3:5353    192.0.2.53:53
tcp    TIME_WAIT      1m59s  [200…::1]:50000  [2001…8::2]:443
icmp   replied          30s  10.0.0.4         192.0.2.7        snat 192.0.2.1
50     offloaded             10.0.0.5         192.0.2.8
not shown for lack of width: PACKETS, BYTES, MARK, ZONE
`},
		{"too small", Options{Width: 20}, `
PROTO  SOURCE           DESTINATION
tcp    10.0.0.2:40296   192.0.2.1:8080
udp    10.0.0.3:5353    192.0.2.53:53
tcp    [200…::1]:50000  [2001…8::2]:443
icmp   10.0.0.4         192.0.2.7
50     10.0.0.5         192.0.2.8
not shown for lack of width:
  STATE, EXPIRES,
  NAT, PACKETS,
  BYTES, MARK, ZONE
`},
		{"columns", Options{Width: 20, Columns: []*Field{FieldByName("dport"), FieldByName("orig_bytes"), FieldByName("state"), FieldByName("nat_dst")}}, `
DPORT  ORIG BYTES  STATE        NAT DST
 8080        1.0M  ESTABLISHED  192.0.2.2
   53
  443         268  TIME_WAIT


`},
		{"colour", Options{Width: 20, Color: true, Columns: []*Field{FieldByName("state"), FieldByName("dport")}}, "" +
			"\n\x1b[1mSTATE\x1b[0m        \x1b[1mDPORT\x1b[0m\n\x1b[32mESTABLISHED\x1b[0m   8080\n                53\n\x1b[2mTIME_WAIT\x1b[0m      443\n\n\n"},
	} {
		got := "\n" + drawTable(t, c.o, tableEntries())
		if got != c.want {
			t.Errorf("%s:%s\nwant:%s", c.name, got, c.want)
		}
		checkGrid(t, c.name, got, c.o)
	}
}

// checkGrid holds lines against the width, where enough columns could be left
// out.
func checkGrid(t *testing.T, name, s string, o Options) {
	t.Helper()
	for line := range strings.Lines(strings.TrimLeft(s, "\n")) {
		line = strings.TrimSuffix(line, "\n")
		if strings.HasSuffix(line, " ") {
			t.Errorf("%s: blanks at the end of %q", name, line)
		}
		if n := utf8.RuneCountInString(line); o.Width >= 80 && n > o.Width {
			t.Errorf("%s: %d characters in %q", name, n, line)
		}
	}
}

// longEntries are connections of IPv6 with long addresses: one is translated,
// and the packets of both are counted.
func longEntries() [][]byte {
	const src, dst, public = "2001:db8:85a3:8d3:1319:8a2e:370:7348", "2a02:26f0:1180:1a::1d:9abc", "2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff"
	return [][]byte{
		message(0x100, 2, both(6, src, dst, 65535, 443), status(stPlain|stSeen|stAssured), timeout(431999), tcpState(3),
			counters(9, 5, 268), counters(10, 4, 1100)),
		message(0x100, 2, nest(1, addrs(src, dst), ports(6, 65535, 443)), nest(2, addrs(dst, public), ports(6, 443, 60000)),
			status(stNAT|stSeen|stAssured), timeout(431999), tcpState(3), counters(9, 5, 268), counters(10, 4, 1100)),
	}
}

// TestTableLongAddresses: addresses are cut so that state, expiry and
// translation fit, and counters only if that leaves room for short addresses.
func TestTableLongAddresses(t *testing.T) {
	for _, c := range []struct {
		o    Options
		from int // the first of the entries
		want string
	}{
		{Options{Width: 60}, 0, `
PROTO  STATE        SOURCE               DESTINATION
tcp    ESTABLISHED  [2001:…:7348]:65535  [2a02:2…d:9abc]:443
tcp    ESTABLISHED  [2001:…:7348]:65535  [2a02:2…d:9abc]:443
not shown for lack of width: EXPIRES, NAT, PACKETS, BYTES
`},
		{Options{Width: 80}, 0, `
PROTO  STATE        EXPIRES  SOURCE           DESTINATION      NAT
tcp    ESTABLISHED    4d23h  [200…348]:65535  [2a02…9abc]:443
tcp    ESTABLISHED    4d23h  [200…348]:65535  [2a02…9abc]:443  snat [2…ff]:60000
not shown for lack of width: PACKETS, BYTES
`},
		{Options{Width: 150}, 0, `
PROTO  STATE        EXPIRES  SOURCE                             DESTINATION                       NAT                                   PACKETS  BYTES
tcp    ESTABLISHED    4d23h  [2001:db8:85a…a2e:370:7348]:65535  [2a02:26f0:1180:1a::1d:9abc]:443                                              9   1.3K
tcp    ESTABLISHED    4d23h  [2001:db8:85a…a2e:370:7348]:65535  [2a02:26f0:1180:1a::1d:9abc]:443  snat [2001:db8:aa…d:eeee:ffff]:60000        9   1.3K
`},
		{Options{Width: 20, Columns: []*Field{FieldByName("source"), FieldByName("dst")}}, 1, `
SOURCE                                        DST
[2001:db8:85a3:8d3:1319:8a2e:370:7348]:65535  2a02:26f0:1180:1a::1d:9abc
`},
	} {
		if got := "\n" + drawTable(t, c.o, longEntries()[c.from:]); got != c.want {
			t.Errorf("%d:%s\nwant:%s", c.o.Width, got, c.want)
		}
	}
}

func TestShorten(t *testing.T) {
	const long, two, pair = "[2001:db8:85a3:8d3:1319:8a2e:370:7348]:65535", "snat 192.0.2.1 dnat [2001:db8::1]:80", "192.0.2.100:8000 > [2001:db8::1]:80"
	for _, c := range []struct {
		cell  string
		width int
		want  string
	}{
		{long, 44, long},
		{long, 43, "[2001:db8:85a3:8d3…319:8a2e:370:7348]:65535"},
		{long, 12, "[2…48]:65535"},
		{"2001:db8::1", 10, "2001:…8::1"},
		{"192.0.2.100:8000", 15, "192.0….100:8000"},
		{two, 36, two},
		{two, 35, "snat 192.0.2.1 dnat [2001…b8::1]:80"},
		{two, 31, "snat 192.0.2.1 …"},
		{two, 14, "snat 192…2.1 …"},
		{pair, 34, "192.0….100:8000 > [2001:db8::1]:80"},
		{pair, 27, "192…100:8000 > [200…::1]:80"},
		{"             ", 12, ""},
	} {
		got := shorten(c.cell, c.width)
		if got != c.want {
			t.Errorf("%q in %d columns: %q, want %q", c.cell, c.width, got, c.want)
		}
	}
}

// TestTableBlocks: a table of many rows is drawn as it grows, and what a later
// block shows for the first time gets a heading.
func TestTableBlocks(t *testing.T) {
	p := NewPrinter(Options{Style: StyleTable})
	var out []byte
	var f ctnetlink.Flow
	for i := range 3*blockRows + 1 {
		msg := message(0x100, 2, both(17, "10.0.0.1", "10.0.0.2", uint16(i), 53), status(stPlain), mark(uint32(i/(3*blockRows))))
		if err := f.Decode(msg); err != nil {
			t.Fatal(err)
		}
		out = p.AppendFlow(out, &f, nil)
		// A block is there when the next one is complete.
		want := 0
		if blocks := (i+1)/blockRows - 1; blocks > 0 {
			want = 1 + blocks*blockRows
		}
		if n := strings.Count(string(out), "\n"); i%blockRows == 0 && n != want {
			t.Errorf("%d lines after %d rows, want %d", n, i+1, want)
		}
	}
	lines := strings.Split(string(p.AppendFooter(out)), "\n")
	if n := len(lines) - 1; n != 3*blockRows+1+2 {
		t.Fatalf("%d lines", n)
	}
	for i, want := range map[int]string{
		0:               "PROTO  STATE      SOURCE        DESTINATION",
		1:               "udp    unreplied  10.0.0.1:0    10.0.0.2:53",
		3*blockRows + 1: "PROTO  STATE      SOURCE         DESTINATION  MARK",
		3*blockRows + 2: fmt.Sprintf("udp    unreplied  10.0.0.1:%d  10.0.0.2:53     1", 3*blockRows),
	} {
		if lines[i] != want {
			t.Errorf("line %d: %q, want %q", i, lines[i], want)
		}
	}
}

// TestTableBlockWidth: a column that a later block has no room for any more is
// named at the end.
func TestTableBlockWidth(t *testing.T) {
	p := NewPrinter(Options{Style: StyleTable, Width: 80})
	var out []byte
	var f ctnetlink.Flow
	counted := message(0x100, 2, both(6, "10.0.0.1", "10.0.0.2", 1, 53), status(stPlain), timeout(60), tcpState(3), counters(9, 1, 100))
	for i := range blockRows + 1 {
		msg := counted
		if i == blockRows {
			msg = longEntries()[1]
		}
		if err := f.Decode(msg); err != nil {
			t.Fatal(err)
		}
		out = p.AppendFlow(out, &f, nil)
	}
	lines := strings.Split(string(p.AppendFooter(out)), "\n")
	got := append(lines[:2:2], lines[blockRows+1:]...)
	want := []string{
		"PROTO  STATE        EXPIRES  SOURCE      DESTINATION  PACKETS  BYTES",
		"tcp    ESTABLISHED       1m  10.0.0.1:1  10.0.0.2:53        1    100",
		"PROTO  STATE        EXPIRES  SOURCE           DESTINATION      NAT",
		"tcp    ESTABLISHED    4d23h  [200…348]:65535  [2a02…9abc]:443  snat [2…ff]:60000",
		"not shown for lack of width: PACKETS, BYTES",
		"",
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestTableNames: names from outside cannot write to a terminal.
func TestTableNames(t *testing.T) {
	msg := message(0x100, 2, both(17, "10.0.0.1", "10.0.0.2", 1, 53), status(stPlain), nest(5, str(1, "x\x1b[31m\n")), labels(3, 5))
	other := message(0x100, 2, both(17, "10.0.0.1", "10.0.0.2", 1, 53), status(stPlain), nest(5, str(1, "計")), labels(5))
	got := drawTable(t, Options{LabelNames: []string{5: "web"}}, [][]byte{msg, other})
	want := "PROTO  STATE      SOURCE      DESTINATION  HELPER         LABELS\n" +
		`udp    unreplied  10.0.0.1:1  10.0.0.2:53  x\x1b[31m\x0a  #3|web` + "\n" +
		"udp    unreplied  10.0.0.1:1  10.0.0.2:53  計             web\n" // of two columns
	if got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
}

// TestColumnNames: each name means one thing.
func TestColumnNames(t *testing.T) {
	for i := range tableFields {
		if d := &tableFields[i]; FieldByName(d.Name) != d || !d.OfFlows() && !d.OfExpects() {
			t.Errorf("%s", d.Name)
		}
	}
	for _, list := range [][]usualColumn{tableFlow, tableExpect} {
		for _, u := range list {
			if FieldByName(u.name) == nil {
				t.Errorf("no field %q", u.name)
			}
		}
	}
}

func BenchmarkTable(b *testing.B) {
	p := NewPrinter(Options{Style: StyleTable, Width: 120})
	var flows [5]ctnetlink.Flow
	for i, msg := range tableEntries() {
		if err := flows[i].Decode(msg); err != nil {
			b.Fatal(err)
		}
	}
	var out []byte
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		out = p.AppendFlow(out[:0], &flows[i%5], nil)
	}
}

// TestShortenNames: what is cut fits, is whole characters, and keeps the port.
func TestShortenNames(t *testing.T) {
	for _, c := range []struct {
		cell  string
		width int
		want  string
	}{
		{"10.0.0.1:443", 12, "10.0.0.1:443"},
		{"[2001:db8:85a3:8d3:1319:8a2e:370:7348]:443", 15, "[2001…7348]:443"},
		{"router.example.net:443", 15, "route…e.net:443"},
		{"маршрутизатор.пример:443", 15, "маршр…ример:443"},
		{"路由器路由器路由器:https", 15, "路由…由器:https"},
		{"snat 路由器路由器路由器", 14, "snat 路由…由器"},
	} {
		got := shorten(c.cell, c.width)
		if got != c.want || !utf8.ValidString(got) || textWidth(got) > c.width {
			t.Errorf("%q in %d columns: %q of %d, want %q", c.cell, c.width, got, textWidth(got), c.want)
		}
	}
}
