package daemon

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/control"
	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/internal/testwait"
)

// create makes entries in the test's namespace: UDP from 10.1.0.1, ports 1 to n.
func create(t *testing.T, n int) {
	t.Helper()
	conn, err := ctnetlink.Dial()
	if err != nil {
		skip(t, err)
	}
	defer conn.Close()
	for i := range n {
		src := netip.AddrPortFrom(netip.MustParseAddr("10.1.0.1"), uint16(i+1))
		s := ctnetlink.NewFlowSpec(ctnetlink.NewTuple(ctnetlink.ProtoUDP, src, netip.MustParseAddrPort("10.2.0.1:53")))
		s.SetTimeout(300 * time.Second)
		s.SetStatus(ctnetlink.StatusConfirmed)
		if err := conn.Create(s); err != nil {
			t.Fatal(err)
		}
	}
}

// table returns the entries that create has made and that are there.
func table(t *testing.T) (n int) {
	t.Helper()
	conn, err := ctnetlink.Dial()
	if err != nil {
		skip(t, err)
	}
	defer conn.Close()
	for f, err := range conn.Dump(nil) {
		if err != nil {
			t.Fatal(err)
		}
		if f.Orig().Src == netip.MustParseAddr("10.1.0.1") {
			n++
		}
	}
	return n
}

// TestOldClient has the old client and ours ask our daemon, and the old daemon, for all
// that there is.
func TestOldClient(t *testing.T) {
	namespace(t)
	needOld(t)
	// The id of a dumped entry is in the old XML only: objects have none.
	age := regexp.MustCompile(` ?\[active since \d+s\]|<id>\d+</id>`)
	numbers := regexp.MustCompile(` +\d+`)
	words := [][]string{
		{"-s"}, {"-s", "network"}, {"-s", "cache"}, {"-s", "runtime"}, {"-s", "link"}, {"-s", "queue"}, {"-s", "rsqueue"},
		{"-s", "process"}, {"-s", "expect"}, {"-i"}, {"-i", "-x"}, {"-e"}, {"-i", "expect"}, {"-e", "expect", "-x"},
		{"-c", "expect"}, {"-R", "expect"}, {"-F", "expect"}, {"-s", "expect"},
		{"-c"}, {"-f", "external"}, {"-R"}, {"-B"}, {"-n"}, {"-t"}, {"-f"}, {"-R", "ct"}, {"-i"}, {"-F"},
	}
	mode := func(text, options string) string {
		return strings.NewReplacer("Mode FTFW { }", "Mode "+text, "UDP {", "Options { "+options+" } UDP {").
			Replace(syncSection)
	}
	for name, section := range map[string]string{
		"ftfw": syncSection, "stats": statsSection, "alarm": mode("ALARM { }", ""), "notrack": mode("NOTRACK { }", ""),
		"bypass": mode("NOTRACK { DisableInternalCache on }", ""), "inject": mode("FTFW { DisableExternalCache on }", ""),
		"expect": mode("FTFW { }", "ExpectationSync on"),
	} {
		if testing.Short() && name != "ftfw" {
			continue
		}
		var transcripts, logs [4]string
		for i := range 4 {
			oldDaemon, oldClient := i&1 != 0, i&2 != 0
			if oldDaemon != oldClient && name != "ftfw" && name != "stats" {
				transcripts[i], logs[i] = transcripts[0], logs[0]
				continue
			}
			f := configure(t, section, "Scheduler { Type RR Priority 0 }")
			create(t, 3)
			f.start(t, oldDaemon)
			for _, w := range words {
				// Without internal cache the old daemon lists with timeout and use and never
				// as XML, sends no bulk, and deletes the kernel's table for -f.
				if name == "bypass" && (w[0] == "-i" || w[0] == "-f" || w[0] == "-B") {
					continue
				}
				r := f.run(t, oldClient, w...)
				text := r.stdout
				if w[0] == "-s" {
					text = numbers.ReplaceAllString(text, " N")
				}
				if w[0] == "-i" { // the order is that of a hash table
					text = strings.Join(sorted(strings.Split(age.ReplaceAllString(text, ""), "\n")), "\n")
				}
				transcripts[i] += strings.Join(w, " ") + "\n" + text
				if r.status != 0 {
					t.Errorf("old daemon %v, old client %v: %q: %+v", oldDaemon, oldClient, w, r)
				}
			}
			if n := table(t); !testwait.For(10*time.Second, func() bool { return table(t) == 0 }) {
				t.Errorf("old daemon %v: -F left %d entries", oldDaemon, n)
			}
			logs[i] = strings.Join(bare(t, f.read("log")), "\n")
		}
		for i := 1; i < 4; i++ {
			if transcripts[i] != transcripts[0] {
				t.Errorf("%s: old daemon %v, old client %v:\n%s", name, i&1 != 0, i&2 != 0, unlike(transcripts[i], transcripts[0]))
			}
			if l, want := lines(logs[0]), lines(logs[i]); l != want {
				t.Errorf("%s: the log:\n%s", name, unlike(want, l))
			}
		}
	}
}

// TestOurWords has our own words given to the old program, beside the old daemon: each
// is refused before anything is done. 1.4.7 exits with 0 then, 1.4.9 with 1.
func TestOurWords(t *testing.T) {
	namespace(t)
	needOld(t)
	create(t, 5)
	f := configure(t, strings.Replace(syncSection, "FTFW { }", "FTFW { PurgeTimeout 1 }", 1),
		"Scheduler { Type RR Priority 0 }")
	f.start(t, true)
	before := f.read("log")
	for _, word := range []string{"--status", "--diff", "--demote", "--check"} {
		r := f.run(t, true, word)
		if !strings.Contains(r.stderr, "Unknown option: "+word) || r.status > 1 {
			t.Errorf("%s: %+v", word, r)
		}
		if log := f.read("log"); log != before {
			t.Errorf("%s: the daemon has done something: %s", word, log[len(before):])
		}
	}
	if n := table(t); n != 5 {
		t.Errorf("the table has %d entries", n)
	}
	// Ours says that the old daemon does not know them.
	for _, word := range []string{"--status", "--diff", "--demote"} {
		r := f.run(t, false, word)
		if r.status != 2 || !strings.Contains(r.stderr, "does not know this request") || r.stdout != "" {
			t.Errorf("%s asked of the old daemon: %+v", word, r)
		}
	}
	if n, log := table(t), f.read("log"); n != 5 || log != before {
		t.Errorf("the table has %d entries; the log: %s", n, log[len(before):])
	}
}

// TestClients has clients that say nothing, too little, too much or nonsense, and looks
// that others are served.
func TestClients(t *testing.T) {
	namespace(t)
	f := configure(t, statsSection, "")
	f.start(t, false)
	dial := func() net.Conn {
		conn, err := control.Dial(f.socket)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		return conn
	}
	ask := func(b []byte) string {
		conn := dial()
		conn.Write(b)
		conn.SetReadDeadline(time.Now().Add(testwait.Scale(10 * time.Second)))
		got, err := io.ReadAll(conn)
		if err != nil && !strings.Contains(err.Error(), "reset by peer") {
			t.Errorf("%v: %v", b, err)
		}
		return string(got)
	}
	number := func(r control.Request) []byte { return binary.NativeEndian.AppendUint32(nil, uint32(r)) }
	for range 20 {
		dial() // silent
	}
	want := ask(number(control.Stats))
	if !strings.HasPrefix(want, "cache stats:\n") {
		t.Errorf("beside silent clients: %q", want)
	}
	if got := ask(append(number(control.Stats), make([]byte, 1000)...)); got != want && got != "" {
		t.Errorf("a long request: %q", got)
	}
	for _, r := range []control.Request{27, 99, control.None, control.Request(21 << 24)} {
		if got := ask(number(r)); got != "" {
			t.Errorf("request %d: %q", r, got)
		}
	}
	if binary.NativeEndian.Uint16([]byte{1, 0}) == 1 {
		if got := ask([]byte{21, 0}); got != want {
			t.Errorf("a short request: %q", got)
		}
	}
	if log := bare(t, f.read("log")); len(log) != 4 {
		t.Errorf("the log: %q", log)
	}
}

// TestMetrics reads the metrics from a socket and from a port.
func TestMetrics(t *testing.T) {
	namespace(t)
	for _, c := range []struct{ on, network, address string }{
		{"DIR/metrics", "unix", "DIR/metrics"}, {"127.0.0.1:9105", "tcp", "127.0.0.1:9105"},
	} {
		f := configure(t, syncSection, "Metrics "+c.on+"\n")
		f.start(t, false)
		conn, err := net.Dial(c.network, strings.Replace(c.address, "DIR", f.dir, 1))
		if err != nil {
			t.Fatal(err)
		}
		client := http.Client{Transport: &http.Transport{
			DialContext: func(context.Context, string, string) (net.Conn, error) { return conn, nil },
		}}
		r, err := client.Get("http://conntrackd/metrics")
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(r.Body)
		r.Body.Close()
		if r.StatusCode != 200 || r.Header.Get("Content-Type") != openMetrics ||
			!strings.Contains(string(text), "\nconntrackd_table_entries ") || !strings.HasSuffix(string(text), "# EOF\n") {
			t.Errorf("%s: %v\n%s", c.on, r, text)
		}
		s := f.run(t, false, "--status", "-o", "prom")
		if s.status != 2 || !strings.HasSuffix(s.stdout, "# EOF\n") {
			t.Errorf("--status: %+v", s)
		}
	}
}

// TestStatsLog compares the log of the statistics mode with the old daemon's, which
// follows the same table.
func TestStatsLog(t *testing.T) {
	namespace(t)
	needOld(t)
	for _, s := range []string{"nf_conntrack_acct=1", "nf_conntrack_timestamp=1"} {
		if out, err := exec.Command("sysctl", "-qw", "net.netfilter."+s).CombinedOutput(); err != nil {
			skip(t, string(out))
		}
	}
	f, g := configure(t, statsSection, ""), configure(t, statsSection, "Scheduler { Type RR Priority 0 }")
	f.start(t, false)
	g.start(t, true)
	create(t, 20)
	run := func(words string) {
		if out, err := exec.Command("conntrack", strings.Fields(words)...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	run("-I -p tcp -s 10.1.0.9 -d 10.2.0.9 --sport 5 --dport 6 --state ESTABLISHED -t 100 -u ASSURED -m 5")
	run("-I -p icmp -s 10.1.0.9 -d 10.2.0.9 --icmp-type 8 --icmp-code 0 --icmp-id 7 -t 100")
	run("-I -p gre -s 10.1.0.9 -d 10.2.0.9 --srckey 1 --dstkey 2 -t 100")
	run("-I -p udp -s fd00::1 -d fd00::2 --sport 5 --dport 6 -t 100 -n fd00::9")
	run("-U -p tcp -s 10.1.0.9 -d 10.2.0.9 --sport 5 --dport 6 --state CLOSE_WAIT")
	run("-D -p tcp")
	run("-D -p icmp")
	run("-D -p gre")
	run("-D -p udp -f ipv6")
	run("-D -p udp")
	count := func(f *files) int { return strings.Count(f.read("stats"), "\n") }
	if !testwait.For(10*time.Second, func() bool { return count(f) >= 24 && count(g) >= 24 }) {
		t.Errorf("%d and %d lines", count(f), count(g))
	}
	entries := func(text string) []string {
		var list []string
		for line := range strings.Lines(text) {
			at, entry, _ := strings.Cut(line, "\t")
			if _, err := time.Parse(time.ANSIC, at); err != nil {
				t.Error(err)
			}
			list = append(list, entry)
		}
		return list
	}
	ours, old := entries(f.read("stats")), entries(g.read("stats"))
	for i := range min(len(ours), len(old)) {
		if ours[i] != old[i] {
			t.Errorf("line %d:\n%sthe old one:\n%s", i, ours[i], old[i])
		}
	}
}
