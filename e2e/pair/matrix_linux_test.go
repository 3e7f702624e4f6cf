package pair

import (
	"fmt"
	"maps"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/internal/testwait"
)

// A combination is a case of the matrix. Node 1 is the primary, node 2 the backup.
type combination struct {
	mode, clauses, channel string
	primary, backup        string // programs
}

func name(program string) string {
	if program == Old {
		return "old"
	}
	return "ours"
}

func (c combination) String() string {
	text := c.mode
	for _, f := range strings.Fields(c.clauses) {
		if strings.HasPrefix(f, "Disable") {
			text += "-" + strings.TrimSuffix(strings.TrimPrefix(f, "Disable"), "Cache")
		}
	}
	return fmt.Sprintf("%s/%s/%s-%s", text, c.channel, name(c.primary), name(c.backup))
}

func (c combination) has(clause string) bool { return strings.Contains(c.clauses, clause) }

// modes of the matrix, with their clauses.
var modes = [][2]string{
	{FTFW, ""}, {NoTrack, ""}, {Alarm, "RefreshTime 1\n\t\tCacheTimeout 60"},
	{FTFW, "DisableExternalCache on"}, {NoTrack, "DisableExternalCache on"}, {NoTrack, "DisableInternalCache on"},
}

var channels = []string{Multicast, Multicast6, Multicast2, UDP, UDP6, TCP, TCP6}

// some are the cases of a short run: each mode, channel and order of programs once at least.
func some() []combination {
	return []combination{
		{FTFW, "", Multicast, Daemon, Old}, {FTFW, "", UDP, Old, Daemon}, {FTFW, "", TCP6, Daemon, Daemon},
		{NoTrack, "", UDP6, Daemon, Old}, {NoTrack, "", TCP, Old, Daemon}, {NoTrack, "", Multicast6, Daemon, Daemon},
		{Alarm, modes[2][1], UDP, Old, Daemon}, {Alarm, modes[2][1], Multicast2, Daemon, Old},
		{FTFW, modes[3][1], Multicast2, Daemon, Old}, {NoTrack, modes[4][1], UDP, Old, Daemon},
		{NoTrack, modes[5][1], Multicast, Daemon, Old},
	}
}

// all are all cases, with pairs of conntrack-tools' daemon or without.
func all(old bool) (list []combination) {
	programs := [][2]string{{Daemon, Daemon}, {Daemon, Old}, {Old, Daemon}}
	if old {
		programs = append(programs, [2]string{Old, Old})
	}
	for _, m := range modes {
		for _, channel := range channels {
			for _, p := range programs {
				list = append(list, combination{m[0], m[1], channel, p[0], p[1]})
			}
		}
	}
	return list
}

// What one node's kernel has comes to the other's, in every mode, by every channel, with
// daemons of this project and of conntrack-tools: entries that appear, change and end, what
// is committed or injected, and the tables after the backup has become the primary.
func TestMatrix(t *testing.T) {
	t.Parallel() // it waits most of the time
	l := lab(t, Config{NAT: SourceNAT})
	list, count := some(), 600
	if os.Getenv(EnvLong) != "" {
		list, count = all(os.Getenv(EnvOld) != ""), 2000
	}
	only := regexp.MustCompile(os.Getenv(EnvOnly))
	for _, c := range list {
		if !only.MatchString(c.String()) {
			continue
		}
		t.Run(c.String(), func(t *testing.T) {
			if c.primary == Old || c.backup == Old {
				needs(t, Old)
			}
			l.in(t, func() { c.run(l, count) })
		})
	}
}

// in makes what the functions of the Lab report come to a test, and ends the daemons.
func (l *Lab) in(t T, f func()) {
	t.Helper()
	outer := l.t
	hosts := []*Host{l.Client, l.Server, l.Switch}
	for _, n := range l.Nodes {
		hosts = append(hosts, n.Host)
	}
	set := func(t T) {
		l.t = t
		for _, h := range hosts {
			h.t = t
		}
	}
	set(t)
	defer func() {
		for _, n := range l.Nodes {
			n.Kill()
		}
		set(outer)
	}()
	f()
}

// limit bounds how long what a daemon does may take.
const limit = 8 * time.Second

func (c combination) settings() Settings {
	s := Settings{Mode: c.mode, Channel: c.channel, ModeClauses: c.clauses, Options: "ExpectationSync on"}
	return s
}

func (c combination) run(l *Lab, count int) {
	t, first, second := l.t, l.Nodes[0], l.Nodes[1]
	t.Helper()
	for i, n := range l.Nodes {
		n.Flush()
		n.StartDaemon([]string{c.primary, c.backup}[i], c.settings())
	}
	c.connected(l)

	// They appear.
	made := load{0, count}
	first.Load(made.commands())
	for _, e := range made.expectations() {
		first.Run(Conntrack, strings.Fields(e)...)
	}
	expected := len(made.expectations())
	c.told(l, first, second, expected)

	if c == (combination{FTFW, "", c.channel, Daemon, Daemon}) {
		out, err := first.Output("", Daemon, "-C", first.Configuration(), "--diff")
		want := fmt.Sprintf("expectations in the internal cache: equal, %d ", expected)
		if err != nil || strings.Count(out, ": equal, ") != 6 || !strings.Contains(out, want) {
			t.Fatalf("--diff: %v\n%s", err, out)
		}
	}

	// They change, end, and others appear.
	first.Load(load{count, count / 10}.commands())
	first.Run(Conntrack, "-U", "-p", "tcp", "--dport", "80", "-m", "77")
	first.Run(Conntrack, "-U", "-p", "udp", "--dport", "53", "-u", "SEEN_REPLY,ASSURED")
	first.Run(Conntrack, "-U", "-p", "tcp", "--dport", "22", "--state", "TIME_WAIT", "-t", "3000")
	first.Run(Conntrack, "-D", "-p", "tcp", "--dport", "443")
	first.Run(Conntrack, "-D", "-p", "icmp", "--icmp-type", "13")
	c.told(l, first, second, expected)

	// The backup takes over, and the tables are alike.
	second.Ask("-c")
	c.alike(l, count/2)

	// What it does then comes to the former primary.
	if c.backup == Old && c.has("DisableInternalCache on") {
		second.Ask("-f", "external") // its -f empties the kernel's table
	} else {
		second.Ask("-f")
	}
	second.Ask("-R")
	second.Ask("-B")
	second.Run(Conntrack, "-D", "-p", "sctp")
	c.told(l, second, first, expected)
}

// injects reports whether the backup's kernel gets entries at once.
func (c combination) injects() bool { return c.has("DisableExternalCache on") }

// connected waits until the daemons are connected, both ways. In ALARM conntrack-tools'
// daemon connects only when it has something to send.
func (c combination) connected(l *Lab) {
	l.t.Helper()
	if !strings.HasPrefix(c.channel, TCP) || c.mode == Alarm {
		return
	}
	for _, n := range l.Nodes {
		n.Await(limit, "connection", func() bool {
			return strings.Contains(n.Ask("-s", "ct"), "server=connected client=connected")
		})
	}
}

// marks are parts of entries' lines that changes make or remove.
var marks = [...]string{"mark=77", "ASSURED", "TIME_WAIT", "dport=443 ", "type=13 ", "zone=7", "proto=6 ", "src="}

// census returns how many lines have each mark.
func census(lines string) (c [len(marks)]int) {
	for line := range strings.Lines(lines) {
		for i, mark := range marks {
			if strings.Contains(line, mark) {
				c[i]++
			}
		}
	}
	return c
}

// told waits until a daemon has heard of all that the other's kernel has.
func (c combination) told(l *Lab, from, to *Node, expectations int) {
	l.t.Helper()
	want := census(from.lines())
	var got [len(marks)]int
	heard := func() bool {
		if c.injects() {
			got = census(to.lines())
		} else {
			got = census(to.Ask("-e"))
		}
		return got == want
	}
	if !testwait.For(limit, heard) {
		l.t.Fatalf("%s tells %s:\n%v %v, want %v\n%s\n%s", from.Name, to.Name, marks, got, want,
			to.Ask("-s", "network"), to.Log())
	}
	if c.injects() {
		return
	}
	if (c.primary == Old || from.Program == Old) && c.has("DisableInternalCache on") {
		expectations = 0 // it tells of none whose master is not in its cache
	}
	var n int
	if !testwait.For(limit, func() bool {
		n = strings.Count(to.Ask("-e", "expect"), "proto=")
		return n == expectations
	}) {
		l.t.Fatalf("%s tells %s of %d expectations, want %d", from.Name, to.Name, n, expectations)
	}
}

// lines returns the entries as conntrack -L shows them, except those of the dedicated links.
func (n *Node) lines() string {
	n.t.Helper()
	b := new(strings.Builder)
	for line := range strings.Lines(n.Run(Conntrack, "-L")) {
		if m := ends.FindStringSubmatch(line); m != nil && !onLink(m[1]) && !onLink(m[2]) {
			b.WriteString(line)
		}
	}
	return b.String()
}

// ends are the addresses of an entry's first tuple.
var ends = regexp.MustCompile(`src=(\S+) dst=(\S+)`)

// alike waits until the kernels' tables are alike: a change that is injected may still be
// on its way. They have some entries at least.
func (c combination) alike(l *Lab, some int) {
	l.t.Helper()
	first, second := l.Nodes[0], l.Nodes[1]
	var want map[Entry]int
	var diff string
	if !testwait.For(limit, func() bool {
		want = c.carried(first.Table())
		diff = Diff(want, c.carried(second.Table()))
		return diff == ""
	}) {
		l.t.Fatalf("tables differ:\n%s\n%s", diff, second.Log())
	}
	if len(want) < some {
		l.t.Fatalf("only %d entries to compare", len(want))
	}
}

var sctpTag = regexp.MustCompile(`"vtag":\d+`)

// carried leaves out what conntrack-tools' daemon damages when it commits.
func (c combination) carried(table map[Entry]int) map[Entry]int {
	if c.backup != Old {
		return table
	}
	out := maps.Clone(table)
	for e, timeout := range table {
		if strings.Contains(string(e), `"proto":"sctp"`) {
			delete(out, e)
			out[Entry(sctpTag.ReplaceAllString(string(e), `"vtag":0`))] = timeout
		}
	}
	return out
}
