package top

import (
	"bytes"
	"encoding/binary"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/gonntrack/gonntrack/cmd/internal/action"
	"github.com/gonntrack/gonntrack/cmd/internal/console"
	"github.com/gonntrack/gonntrack/cmd/internal/target"
	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/ctnetlink/engine"
	"github.com/gonntrack/gonntrack/internal/packets"
)

// busyTable returns the dialer of a table with three connections: packets of 100 bytes
// pass in one of them while it is read, packets of 40 in another, and none in the third.
func busyTable(t *testing.T) ctnetlink.Dialer {
	t.Helper()
	kernel := engine.New(engine.Options{Accounting: true, Seed: 1})
	send := func(source string, size int) {
		p := packets.UDP{Src: netip.MustParseAddrPort(source), Dst: packets.Port("192.0.2.53:53"), Data: make([]byte, size-28)}
		kernel.Track(&engine.Packet{Data: p.Bytes(), Time: time.Now()})
	}
	send("10.0.0.1:1", 1000)
	send("10.0.0.2:2", 40)
	send("10.0.0.3:3", 100)
	return func() (ctnetlink.Socket, error) {
		s, err := kernel.Dial()
		if err != nil {
			return nil, err
		}
		return &busySocket{s, func() { send("10.0.0.2:2", 40); send("10.0.0.3:3", 100) }}, nil
	}
}

// busySocket is a socket of a table in which packets pass before each request.
type busySocket struct {
	ctnetlink.Socket
	pass func()
}

func (s *busySocket) Send(b []byte) error {
	s.pass()
	return s.Socket.Send(b)
}

// printed returns what a command line prints about a table.
func printed(t *testing.T, line string, dial ctnetlink.Dialer, out io.Writer) error {
	t.Helper()
	s := console.NewStreams(strings.NewReader(""), out, io.Discard)
	o, err := parse(strings.Fields(line), s.Err)
	if err == nil {
		err = action.Check(s, o.request)
	}
	if err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	return printSet(s, o, &target.Set{Tables: []*target.Table{target.InMemory(dial, time.Now)}})
}

// masked returns a text with rates and times that depend on the machine replaced, and
// blanks that depend on their widths taken together.
func masked(text string) string {
	for _, m := range [][2]string{
		{`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{3})?`, "TIME"}, {`[1-9][0-9.]*[KMk]?/s`, "RATE/s"}, {`(\d+)s\b`, "SECONDS"},
		{` {2,}`, "  "}, {`(RATE/s  RATE/s)  [0-9].*`, "$1  SUMS"},
	} {
		text = regexp.MustCompile(m[0]).ReplaceAllString(text, m[1])
	}
	return text
}

// One look: the busiest first, in all with their rates.
func TestOnce(t *testing.T) {
	for line, want := range map[string]string{
		"--once --interval 100ms": `TIME  entries 3
births 0/s  deaths 0/s  packets RATE/s  bytes RATE/s
PROTO  STATE  EXPIRES  SOURCE  DESTINATION  PACKETS/S  BYTES/S  PACKETS  BYTES
udp  unreplied  SECONDS  10.0.0.3:3  192.0.2.53:53  RATE/s  RATE/s  SUMS
udp  unreplied  SECONDS  10.0.0.2:2  192.0.2.53:53  RATE/s  RATE/s  SUMS
udp  unreplied  SECONDS  10.0.0.1:1  192.0.2.53:53  0  0  1  1000
`,
		"--once --interval 100ms --limit 1 -s 10.0.0.0/30 --sort src --columns src,byte_rate": `TIME  3 selected
births 0/s  deaths 0/s  packets RATE/s  bytes RATE/s
SRC  BYTES/S
10.0.0.1  0
`,
		"--once --interval 100ms -s 10.0.0.9 ": `TIME  0 selected
births 0/s  deaths 0/s
`,
	} {
		var out bytes.Buffer
		if err := printed(t, line, busyTable(t), &out); err != nil || masked(out.String()) != want {
			t.Errorf("%s: %v\n%s\nwant\n%s", line, err, masked(out.String()), want)
		}
	}
}

// topSchema compiles docs/schema/top.json.
func topSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	for _, name := range []string{"top.json", "entry.json"} {
		b, err := os.ReadFile(filepath.Join("../../../docs/schema", name))
		if err != nil {
			t.Fatal(err)
		}
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
		if err != nil {
			t.Fatal(name, err)
		}
		if err := c.AddResource("https://raw.githubusercontent.com/gonntrack/gonntrack/main/docs/schema/"+name, doc); err != nil {
			t.Fatal(name, err)
		}
	}
	return c.MustCompile("https://raw.githubusercontent.com/gonntrack/gonntrack/main/docs/schema/top.json")
}

// The document of --once -o json has the numbers of the table, and the rows with their
// rates.
func TestOnceJSON(t *testing.T) {
	schema := topSchema(t)
	for line, want := range map[string]string{
		"":                          "3 of 3, 10.0.0.3 10.0.0.2 10.0.0.1",
		"--limit 2":                 "2 of 3, 10.0.0.3 10.0.0.2",
		"-s 10.0.0.2":               "1 of 1, 10.0.0.2",
		"-s 10.0.0.9":               "0 of 0,",
		"--by src":                  "3 of 3, 10.0.0.1 10.0.0.2 10.0.0.3", // 1 entry each
		"--by src --sort bytes:asc": "3 of 3, 10.0.0.2 10.0.0.3 10.0.0.1",
		"--by src -s 10.0.0.9":      "0 of 0,",
	} {
		var out bytes.Buffer
		if err := printed(t, "--once --interval 100ms -o json "+line, busyTable(t), &out); err != nil {
			t.Errorf("%s: %v", line, err)
			continue
		}
		v, err := jsonschema.UnmarshalJSON(bytes.NewReader(out.Bytes()))
		if err == nil {
			err = schema.Validate(v)
		}
		var doc struct {
			Matched int
			Table   struct {
				Entries, Selected *int
				ByteRate          *float64 `json:"byte_rate"`
			}
			Entries []struct {
				Orig struct {
					Src      string
					ByteRate *float64 `json:"byte_rate"`
				}
			}
			Groups []struct {
				Src      string
				ByteRate *float64 `json:"byte_rate"`
			}
		}
		if err == nil {
			err = json.Unmarshal(out.Bytes(), &doc)
		}
		if err != nil || (doc.Table.Entries == nil) != (doc.Table.Selected != nil) ||
			(doc.Table.ByteRate == nil) != (doc.Matched == 0) {
			t.Errorf("%s: %v\n%s", line, err, &out)
			continue
		}
		got := ""
		for _, e := range doc.Entries {
			got += " " + e.Orig.Src
			if e.Orig.ByteRate == nil {
				t.Errorf("%s: no rate in %s", line, &out)
			}
		}
		for _, g := range doc.Groups {
			got += " " + g.Src
			if g.ByteRate == nil {
				t.Errorf("%s: no rate in %s", line, &out)
			}
		}
		if got = fmt.Sprintf("%d of %d,%s", len(doc.Entries)+len(doc.Groups), doc.Matched, got); got != want {
			t.Errorf("%s: %s, want %s", line, got, want)
		}
	}
}

// The looks of --batch are one stream of records, each with the time of its look.
func TestBatchRecords(t *testing.T) {
	for _, line := range []string{"--limit 2", "--limit 2 --by src --sort src", "--limit 2 --by src"} {
		var out bytes.Buffer
		if err := printed(t, "--batch -n 3 -d .1 -o csv "+line, busyTable(t), &out); err != nil {
			t.Errorf("%s: %v", line, err)
			continue
		}
		records, err := csv.NewReader(&out).ReadAll()
		if err != nil || len(records) != 7 || records[0][0] != "time" {
			t.Errorf("%s: %v, %q", line, err, records)
			continue
		}
		times := map[string]int{}
		for _, r := range records[1:] {
			if _, err := time.Parse(time.RFC3339Nano, r[0]); err != nil {
				t.Errorf("%s: %v", line, err)
			}
			times[r[0]]++
		}
		if len(times) != 3 {
			t.Errorf("%s: looks %v", line, times)
		}
	}
}

// Tables of --batch have the time above them and an empty line between them.
func TestBatchTable(t *testing.T) {
	var out bytes.Buffer
	if err := printed(t, "--batch -n 2 -d 100ms --limit 1 --columns src", busyTable(t), &out); err != nil {
		t.Fatal(err)
	}
	const look = "TIME  entries 3\nbirths 0/s  deaths 0/s  packets RATE/s  bytes RATE/s\nSRC\n10.0.0.3\n"
	if got := masked(out.String()); got != look+"\n"+look {
		t.Errorf("%s", got)
	}
}

// failing is an output whose reader goes away after some writes.
type failing struct{ left int }

func (f *failing) Write(b []byte) (int, error) {
	if f.left--; f.left < 0 {
		return 0, io.ErrClosedPipe
	}
	return len(b), nil
}

// The reader of --batch goes away: it ends without a word.
func TestBatchReaderGone(t *testing.T) {
	if err := printed(t, "--batch -d .1", busyTable(t), &failing{left: 1}); !errors.Is(err, console.ErrQuiet) {
		t.Errorf("%v", err)
	}
}

// Without the right to read there is the sentence that everybody gets, and nothing
// else.
func TestOnceRefused(t *testing.T) {
	refuse := func() (ctnetlink.Socket, error) { return nil, ctnetlink.EPERM }
	for _, line := range []string{"--once", "--batch", "--once -o json", "--once --by src"} {
		var out bytes.Buffer
		err := printed(t, line, refuse, &out)
		const want = "Operation failed: sorry, you must be root or get CAP_NET_ADMIN capability to do this"
		if err == nil || err.Error() != want || out.Len() > 0 {
			t.Errorf("%s: %v, printed %q", line, err, &out)
		}
	}
}

// A table that can be read once only is shown all the same, with what is wrong.
func TestOnceUnreadableLater(t *testing.T) {
	dial := busyTable(t)
	var requests atomic.Int32
	broken := func() (ctnetlink.Socket, error) {
		s, err := dial()
		if err != nil {
			return nil, err
		}
		return &brokenSocket{s, &requests}, nil
	}
	var out bytes.Buffer
	err := printed(t, "--once -d .1 --columns src", broken, &out)
	if !errors.Is(err, console.ErrQuiet) || !strings.Contains(out.String(), "cannot be read now") || !strings.Contains(out.String(), "10.0.0.1\n") {
		t.Errorf("%v\n%s", err, &out)
	}
}

// brokenSocket is a socket of a table that refuses everything once it was dumped.
type brokenSocket struct {
	ctnetlink.Socket
	dumps *atomic.Int32
}

func (s *brokenSocket) Send(b []byte) error {
	const dump = 0x300 // NLM_F_DUMP
	if m := binary.NativeEndian.Uint16(b[6:]); m&dump == dump && s.dumps.Add(1) > 1 {
		return ctnetlink.EINVAL
	}
	return s.Socket.Send(b)
}

// TestKeptFilter: without options that select there is no filter.
func TestKeptFilter(t *testing.T) {
	for _, c := range []struct {
		args string
		want bool
	}{
		{"", false}, {"--sort bytes --by src --interval 2", false}, {"-p tcp", true}, {"-f ipv6", true}, {"-s 10.0.0.0/8", true},
		{"--match src=10.0.0.1", true}, {"--assured", true}, {"--min-bytes 1", true},
	} {
		o, err := parse(strings.Fields(c.args), console.Discard().Err)
		if err != nil {
			t.Errorf("%s: %v", c.args, err)
			continue
		}
		if got := keptFilter(o); (got != nil) != c.want {
			t.Errorf("%q: %+v", c.args, got)
		}
	}
}
