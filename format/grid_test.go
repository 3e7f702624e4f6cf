package format

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/internal/printable"
)

// drawGrid returns the headings and rows of a grid.
func drawGrid(g *Grid, width int) string {
	g.Fit(width)
	out := append(g.AppendTitles([]byte("\n"), nil), '\n')
	for row := range g.Len() {
		out = append(g.AppendRow(out, row, nil), '\n')
	}
	return string(out)
}

// entryGrid returns a grid of the entries of tableEntries and longEntries, with rates.
func entryGrid(t *testing.T, o Options, ascii bool) *Grid {
	t.Helper()
	g := NewGrid(o, ascii)
	for i, msg := range slices.Concat(tableEntries(), longEntries()) {
		g.Add(flow(t, msg), &Context{Rates: &someRates[min(i, len(someRates)-1)]})
	}
	return g
}

func TestGrid(t *testing.T) {
	fields := func(names ...string) (list []*Field) {
		for _, name := range names {
			list = append(list, FieldByName(name))
		}
		return list
	}
	for _, c := range []struct {
		name    string
		o       Options
		ascii   bool
		width   int
		want    string
		omitted string
	}{
		{"the smallest screen", Options{Rates: true}, true, 38, `
SOURCE          DESTINATION    BYTES/S
10.0.0.2:40296  192.~2.1:8080   4.0M/s
10.0.0.3:5353   192.0.2.53:53        0
[20~::1]:50000  [200~::2]:443     52/s
10.0.0.4        192.0.2.7
10.0.0.5        192.0.2.8
[20~348]:65535  [2a0~abc]:443
[20~348]:65535  [2a0~abc]:443
`, "PROTO STATE EXPIRES NAT PACKETS/S PACKETS BYTES MARK ZONE"},
		{"80", Options{Rates: true}, false, 80, `
PROTO  STATE        EXPIRES  SOURCE                DESTINATION           BYTES/S
tcp    ESTABLISHED    4d23h  10.0.0.2:40296        192.0.2.1:8080         4.0M/s
udp    unreplied        29s  10.0.0.3:5353         192.0.2.53:53               0
tcp    TIME_WAIT      1m59s  [2001:db8::1]:50000   [2001:db8::2]:443        52/s
icmp   replied          30s  10.0.0.4              192.0.2.7
50     offloaded             10.0.0.5              192.0.2.8
tcp    ESTABLISHED    4d23h  [2001:…0:7348]:65535  [2a02:2…1d:9abc]:443
tcp    ESTABLISHED    4d23h  [2001:…0:7348]:65535  [2a02:2…1d:9abc]:443
`, "NAT PACKETS/S PACKETS BYTES MARK ZONE"},
		{"200", Options{Rates: true}, false, 200, `
PROTO  STATE        EXPIRES  SOURCE                                        DESTINATION                       NAT                                          PACKETS/S  BYTES/S  PACKETS  BYTES  MARK  ZONE
tcp    ESTABLISHED    4d23h  10.0.0.2:40296                                192.0.2.1:8080                    snat 192.0.2.1 dnat 192.0.2.2:80                1235/s   4.0M/s      11k   4.0M     7
udp    unreplied        29s  10.0.0.3:5353                                 192.0.2.53:53                                                                          0        0                     0     9
tcp    TIME_WAIT      1m59s  [2001:db8::1]:50000                           [2001:db8::2]:443                                                                  0.2/s     52/s        9   1.3K     0
icmp   replied          30s  10.0.0.4                                      192.0.2.7                         snat 192.0.2.1                                                                      0
50     offloaded             10.0.0.5                                      192.0.2.8                                                                                                             0
tcp    ESTABLISHED    4d23h  [2001:db8:85a3:8d3:1319:8a2e:370:7348]:65535  [2a02:26f0:1180:1a::1d:9abc]:443                                                                         9   1.3K
tcp    ESTABLISHED    4d23h  [2001:db8:85a3:8d3:1319:8a2e:370:7348]:65535  [2a02:26f0:1180:1a::1d:9abc]:443  snat [2001:db8:aaaa:…:dddd:eeee:ffff]:60000                            9   1.3K
`, ""},
		{"chosen", Options{Rates: true, Columns: fields("dst", "process", "reply_byte_rate", "source", "condition", "age", "labels")}, false, 60, `
DST              PROCESS  REPLY BYTES/S  SOURCE
192.0.2.1                        1.0M/s  10.0.0.2:40296
192.0.2.53                            0  10.0.0.3:5353
2001:db8::2                      <0.1/s  [2001:db8::1]:50000
192.0.2.7                                10.0.0.4
192.0.2.8                                10.0.0.5
2a02:26…1d:9abc                          [2001:…:7348]:65535
2a02:26…1d:9abc                          [2001:…:7348]:65535
`, "STATE AGE LABELS"},
		{"too narrow", Options{}, false, 20, `
SOURCE         DEST…
10.…0.2:40296  …:80…
10.0.0.3:5353  1…:53
[20…:1]:50000  …]:4…
10.0.0.4       19….7
10.0.0.5       19….8
[20…48]:65535  …]:4…
[20…48]:65535  …]:4…
`, "PROTO STATE EXPIRES NAT PACKETS BYTES MARK ZONE"},
	} {
		g := entryGrid(t, c.o, c.ascii)
		got := drawGrid(g, c.width)
		if got != c.want {
			t.Errorf("%s:%s\nwant:%s", c.name, got, c.want)
		}
		var omitted []string
		for _, column := range g.Omitted() {
			omitted = append(omitted, column.Title)
		}
		if got := strings.Join(omitted, " "); got != c.omitted {
			t.Errorf("%s: omitted %s", c.name, got)
		}
		for line := range strings.Lines(got) {
			if line = strings.TrimSuffix(line, "\n"); textWidth(line) > c.width || strings.HasSuffix(line, " ") {
				t.Errorf("%s: %d columns, or blanks at the end: %q", c.name, textWidth(line), line)
			}
		}
	}
}

// TestGridKeeps: a column that rows are sorted by stays, wherever it would be left
// out; and no column becomes narrower than it was.
func TestGridKeeps(t *testing.T) {
	titles := func(g *Grid) (list []string) {
		for _, c := range g.Columns() {
			list = append(list, c.Title)
		}
		return list
	}
	g := entryGrid(t, Options{}, false)
	g.Show(FieldByName("zone"), 0)
	g.Fit(80)
	if got, want := titles(g), []string{"PROTO", "STATE", "EXPIRES", "SOURCE", "DESTINATION", "ZONE"}; !slices.Equal(got, want) {
		t.Errorf("columns %q, want %q", got, want)
	}
	g.Show(FieldByName("reply_dport"), 0) // none of the usual columns
	if g.Len() != 0 {
		t.Errorf("%d rows without a cell in the new column", g.Len())
	}
	g.Add(flow(t, tableEntries()[1]), nil)
	g.Fit(200)
	columns := slices.Clone(g.Columns())
	last := columns[len(columns)-1]
	if last.Title != "REPLY DPORT" || !last.Right || g.Cell(0, len(columns)-1) != "5353" {
		t.Errorf("the last column is %+v", last)
	}
	if source := columns[slices.IndexFunc(columns, func(c GridColumn) bool { return c.Title == "SOURCE" })]; source.Width < 40 {
		t.Errorf("the width of the addresses before is forgotten: %+v", source)
	}
	g.Reset()
	g.Fit(200)
	if g.Len() != 0 || !slices.Equal(g.Columns(), columns) {
		t.Errorf("columns without rows: %+v, want %+v", g.Columns(), columns)
	}
	for _, d := range UsualColumns() {
		g.Hide(d)
	}
	g.Add(flow(t, tableEntries()[1]), nil)
	if got, want := drawGrid(g, 80), "\nREPLY DPORT\n       5353\n"; got != want {
		t.Errorf("without the usual columns: %s", got)
	}
	g.Hide(FieldByName("reply_dport"))
	if got := drawGrid(g, 80); got != "\n\n" || g.Len() != 0 {
		t.Errorf("without columns: %q", got)
	}
}

// blockingNames are names that are never known in time.
type blockingNames struct{ names map[netip.Addr]string }

func (n blockingNames) Want(a netip.Addr) {
	if _, ok := n.names[a]; !ok {
		n.names[a] = ""
	}
}
func (blockingNames) Wait()                      { panic("a screen does not wait") }
func (n blockingNames) Name(a netip.Addr) string { return n.names[a] }

// TestGridText: names from outside are escaped, those of hosts are shown once they
// are known, and headings and cells can be coloured.
func TestGridText(t *testing.T) {
	msg := v4(both(17, "10.0.0.1", "10.0.0.2", 1, 53), status(stPlain), nest(5, str(1, "計\x1b[31m\n")))
	names := blockingNames{map[netip.Addr]string{}}
	o := Options{HostNames: names, ServiceName: func(ctnetlink.Protocol, uint16) string { return "x\x9b1m" }}
	for _, ascii := range []bool{false, true} {
		g := NewGrid(o, ascii)
		g.Add(flow(t, msg), nil)
		helper := "計"
		if ascii {
			helper = "?"
		}
		got := drawGrid(g, 0)
		want := "\nPROTO  STATE      SOURCE            DESTINATION       HELPER\n" +
			`udp    unreplied  10.0.0.1:x\x9b1m  10.0.0.2:x\x9b1m  ` + helper + `\x1b[31m\x0a` + "\n"
		if got != want {
			t.Errorf("ascii %t:%s\nwant:%s", ascii, got, want)
		}
		if _, asked := names.names[netip.MustParseAddr("10.0.0.2")]; !asked {
			t.Error("no name was asked for")
		}
	}
	names.names[netip.MustParseAddr("10.0.0.2")] = "nameserver\x1b]0;x"
	g := NewGrid(o, false)
	g.Add(flow(t, msg), nil)
	g.Fit(60)
	dress := func(c *GridColumn, text string) string {
		if CellColor(c.Field, text) == yellow || text == c.Title {
			return "<" + text + ">"
		}
		return text
	}
	got := string(g.AppendRow(append(g.AppendTitles(nil, dress), '\n'), 0, dress))
	want := "<PROTO>  <STATE>      <SOURCE>            <DESTINATION>\n" +
		`udp    <unreplied>  10.0.0.1:x\x9b1m  namese…r\x1b]0;x:x\x9b1m`
	if got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
}

func TestGridOfCells(t *testing.T) {
	g := NewGridOf([]GridColumn{{Title: "SRC", Least: 9, Roomy: 12}, {Title: "ENTRIES", Right: true},
		{Title: "NOTE", Rank: 5, Optional: true}, {Title: "BYTES", Right: true, Rank: 4}}, true)
	g.AddCells("192.0.2.100", "7", "", "1.2M")
	g.AddCells("2001:db8:85a3:8d3:1319:8a2e:370:7348", "100000", "")
	for width, want := range map[int]string{
		80: "\nSRC                                   ENTRIES  BYTES\n" +
			"192.0.2.100                                 7   1.2M\n2001:db8:85a3:8d3:1319:8a2e:370:7348   100000\n",
		27: "\nSRC          ENTRIES  BYTES\n192.0.2.100        7   1.2M\n2001:~:7348   100000\n",
		20: "\nSRC          ENTRIES\n192.0.2.100        7\n2001:~:7348   100000\n",
	} {
		if got := drawGrid(g, width); got != want {
			t.Errorf("%d:%s\nwant:%s", width, got, want)
		}
	}
	x := NewGrid(Options{Expect: true}, false)
	x.AddExpect(expectation(t, expected), nil)
	if got, want := drawGrid(x, 80), `
PROTO  EXPIRES  SOURCE     DESTINATION     MASTER                         HELPER
tcp         5m  192.0.2.2  10.0.0.2:51210  10.0.0.2:32874 > 192.0.2.2:21  ftp
`; got != want {
		t.Errorf("%s\nwant:%s", got, want)
	}
}

// FuzzGrid: no text and no width makes it panic, or wider than the screen.
func FuzzGrid(f *testing.F) {
	f.Add("a  b 192.0.2.1:80", uint8(7), true)
	f.Add("   ", uint8(1), false)
	f.Add("計計計:計", uint8(5), false)
	f.Add("a > b … c d e f g", uint8(12), true)
	f.Fuzz(func(t *testing.T, cell string, width uint8, ascii bool) {
		cell = printable.String(cell)
		g := NewGridOf([]GridColumn{{Title: "A", Least: 4, Roomy: 8}, {Title: "BB", Right: true}, {Title: "C", Rank: 2}}, ascii)
		g.AddCells(cell, cell, cell)
		g.Fit(int(width))
		for _, line := range [][]byte{g.AppendTitles(nil, nil), g.AppendRow(nil, 0, nil)} {
			if n := textWidth(line); width > 0 && n > int(width) {
				t.Errorf("%d columns of %d: %q", n, width, line)
			}
		}
	})
}
