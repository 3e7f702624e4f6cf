package pair

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gonntrack/gonntrack/internal/testwait"
)

// Entry is an entry of the kernel's table as conntrack -o jsonl tells it, without what
// differs from one node to the other: identifier, timeout, counters, users. Keys are in
// order, so that equal entries are equal texts.
type Entry string

// volatile are the members that an Entry does not have.
var volatile = []string{"id", "use", "timeout", "start", "stop", "delta_time"}

// Load runs commands of conntrack -R, one a line.
func (n *Node) Load(commands string) {
	n.t.Helper()
	if _, err := n.Output(commands, Conntrack, "-R", "-"); err != nil {
		n.t.Fatalf("%v", err)
	}
}

// Flush empties the kernel's tables.
func (n *Node) Flush() {
	n.t.Helper()
	n.Run(Conntrack, "-F")
	n.Run(Conntrack, "-F", "expect")
}

// linkAddresses are those of the dedicated links and of what the nodes do themselves.
var linkAddresses = []netip.Prefix{
	netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("10.99.0.0/24"), netip.MustParsePrefix("10.98.0.0/24"),
	netip.MustParsePrefix("224.0.0.0/4"), netip.MustParsePrefix("::1/128"), netip.MustParsePrefix("fd99::/64"),
	netip.MustParsePrefix("fd98::/64"), netip.MustParsePrefix("fe80::/10"), netip.MustParsePrefix("ff00::/8"),
}

func onLink(address any) bool {
	text, _ := address.(string)
	a, err := netip.ParseAddr(text)
	return err == nil && slices.ContainsFunc(linkAddresses, func(p netip.Prefix) bool { return p.Contains(a) })
}

// Table returns the kernel's entries with their timeouts in seconds, except those of the
// dedicated links. args are filters of conntrack -L.
func (n *Node) Table(args ...string) map[Entry]int {
	n.t.Helper()
	return n.list(append([]string{"-L", "-o", "jsonl"}, args...))
}

// Expectations returns the kernel's expectations with their timeouts.
func (n *Node) Expectations() map[Entry]int {
	n.t.Helper()
	return n.list([]string{"-L", "expect", "-o", "jsonl"})
}

func (n *Node) list(args []string) map[Entry]int {
	n.t.Helper()
	out := n.Run(Conntrack, args...)
	table := map[Entry]int{}
	for line := range strings.Lines(out) {
		if !strings.HasPrefix(line, "{") {
			continue // the number of entries
		}
		var object map[string]any
		d := json.NewDecoder(strings.NewReader(line))
		d.UseNumber()
		if err := d.Decode(&object); err != nil {
			n.t.Fatalf("%s: %v: %s", n.Name, err, line)
		}
		orig, _ := object["orig"].(map[string]any)
		if onLink(orig["src"]) || onLink(orig["dst"]) {
			continue
		}
		timeout, _ := object["timeout"].(json.Number)
		seconds, _ := timeout.Int64()
		for _, key := range volatile {
			delete(object, key)
		}
		for _, way := range []string{"orig", "reply"} {
			if tuple, ok := object[way].(map[string]any); ok {
				delete(tuple, "packets")
				delete(tuple, "bytes")
			}
		}
		var b bytes.Buffer
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		if err := e.Encode(object); err != nil {
			n.t.Fatalf("%v", err)
		}
		table[Entry(strings.TrimSpace(b.String()))] = int(seconds)
	}
	return table
}

// maxShown is how many entries Diff shows of each kind.
const maxShown = 5

// Diff returns "" if two tables have the same entries, otherwise what differs.
func Diff(want, got map[Entry]int) string {
	b := new(strings.Builder)
	for _, side := range []struct {
		text  string
		a, of map[Entry]int
	}{{"missing", want, got}, {"too many", got, want}} {
		var list []Entry
		for _, e := range slices.Sorted(maps.Keys(side.a)) {
			if _, ok := side.of[e]; !ok {
				list = append(list, e)
			}
		}
		if len(list) > 0 {
			fmt.Fprintf(b, "%d %s of %d:\n", len(list), side.text, len(side.a))
		}
		for _, e := range list[:min(len(list), maxShown)] {
			fmt.Fprintf(b, "\t%s\n", e)
		}
	}
	return b.String()
}

// Count is the number of entries in a daemon's caches.
type Count struct{ Internal, External int }

var activeObjects = regexp.MustCompile(`cache:(internal|external)\tactive objects:\t+ *(\d+)`)

// Counts returns the numbers of connections in the daemon's caches, from -s cache.
func (n *Node) Counts() (c Count) {
	n.t.Helper()
	for _, m := range activeObjects.FindAllStringSubmatch(n.Ask("-s", "cache"), -1) {
		number, _ := strconv.Atoi(m[2])
		if m[1] == "internal" {
			c.Internal = number
		} else {
			c.External = number
		}
	}
	return c
}

// Await waits until a condition holds.
func (n *Node) Await(limit time.Duration, what string, condition func() bool) {
	n.t.Helper()
	if !testwait.For(limit, condition) {
		n.t.Fatalf("%s: no %s within %v\n%s\n%s", n.Name, what, limit, n.Log(), n.Ask("-s", "network"))
	}
}
