package pair

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/gonntrack/gonntrack/internal/testwait"
)

// told returns what the lines of a listing tell of entries, without what differs between a
// kernel's table and the caches: times, users, the other tuple, and a mark of 0.
func toldBy(listing string) []string {
	var list []string
	for line := range strings.Lines(listing) {
		m := addresses.FindStringSubmatch(line)
		if m == nil || onLink(m[1]) || onLink(m[2]) {
			continue
		}
		line, _, _ = strings.Cut(line, " [expires in")
		line, _, _ = strings.Cut(line, " [active since")
		var told []string
		seen := map[string]bool{}
		for i, f := range strings.Fields(line) {
			name, _, pair := strings.Cut(f, "=")
			if i == 2 && !pair && f[0] >= '0' && f[0] <= '9' || name == "use" || f == "mark=0" || pair && seen[name] {
				continue
			}
			seen[name] = true
			told = append(told, f)
		}
		list = append(list, strings.Join(told, " "))
	}
	slices.Sort(list)
	return list
}

// alike waits until each daemon's internal cache is its kernel's table, and its external
// cache the internal ones of all others.
func (tr trial) alike(l *Lab, when string) {
	l.t.Helper()
	var wrong string
	limit := 25 * time.Second // ends that are held back are told after 15
	if testwait.For(limit, func() bool {
		wrong = tr.unlike(l)
		return wrong == ""
	}) {
		return
	}
	for _, n := range l.Nodes {
		wrong += fmt.Sprintf("%s:\n%s\n%s\n", n.Name, n.Ask("-s", "network"), n.Log())
		if n.Program != Old {
			out, err := n.Output("", n.Program, "-C", n.Configuration(), "--status")
			wrong += fmt.Sprintln(out, err)
		}
	}
	l.t.Fatalf("%s:\n%s", when, wrong)
}

func (tr trial) unlike(l *Lab) string {
	if tr.injects() {
		return tr.unlikeTables(l)
	}
	if diff := tr.unlikeCaches(l, toldBy); diff != "" {
		return diff
	}
	if tr.expects() {
		if diff := tr.unlikeCaches(l, expectedBy, "expect"); diff != "" {
			return "expectations: " + diff
		}
	}
	return ""
}

// unlikeCaches compares tables and caches, of which told reads the lines.
func (tr trial) unlikeCaches(l *Lab, told func(string) []string, words ...string) string {
	internal := make([][]string, len(l.Nodes))
	for i, n := range l.Nodes {
		kernel := told(n.Run(Conntrack, append([]string{"-L"}, words...)...))
		internal[i] = told(n.Ask(append([]string{"-i"}, words...)...))
		if diff := differ(kernel, internal[i]); diff != "" {
			return n.Name + ": internal cache and the kernel's table:\n" + diff
		}
	}
	for i, n := range l.Nodes {
		var want []string
		deaf := false
		for j := range l.Nodes {
			deaf = deaf || i != j && !tr.hears(l, j, i) && !tr.star()
			if tr.hears(l, j, i) {
				want = append(want, internal[j]...)
			}
		}
		if deaf {
			continue
		}
		slices.Sort(want)
		if diff := differ(want, told(n.Ask(append([]string{"-e"}, words...)...))); diff != "" {
			return n.Name + ": external cache and the others' internal:\n" + diff
		}
	}
	return ""
}

// unlikeTables compares the kernels' tables: each has the entries of all. With NOTRACK,
// which sends an end once, an entry that has ended may be there.
func (tr trial) unlikeTables(l *Lab) string {
	lists := [][][]string{}
	for _, n := range l.Nodes {
		kinds := [][]string{toldBy(n.Run(Conntrack, "-L"))}
		if tr.expects() {
			kinds = append(kinds, expectedBy(n.Run(Conntrack, "-L", "expect")))
		}
		lists = append(lists, kinds)
	}
	for i, n := range l.Nodes {
		for j, other := range l.Nodes {
			for k, got := range lists[j] {
				want := lists[i][k]
				if tr.settings.Mode == NoTrack {
					ours := func(line string) bool { return strings.Contains(line, churnAddress(n)) }
					want = slices.DeleteFunc(slices.Clone(want), func(line string) bool { return !ours(line) })
					got = slices.DeleteFunc(slices.Clone(got), func(line string) bool {
						_, there := slices.BinarySearch(want, line)
						return !there
					})
				}
				if diff := differ(want, got); diff != "" {
					return n.Name + "'s table and that of " + other.Name + ":\n" + diff
				}
			}
		}
	}
	return ""
}

// expectedBy returns what the lines of a listing tell of expectations, without times.
func expectedBy(listing string) []string {
	var list []string
	for line := range strings.Lines(listing) {
		_, line, found := strings.Cut(line, "proto=")
		if !found {
			continue
		}
		line, _, _ = strings.Cut(line, " [")
		list = append(list, strings.TrimSpace(line))
	}
	slices.Sort(list)
	return list
}

// differ returns "" if two sorted lists are equal, otherwise what one has of the other.
func differ(want, got []string) string {
	set := func(list []string) map[Entry]int {
		m := make(map[Entry]int, len(list))
		for _, line := range list {
			m[Entry(line)]++
		}
		return m
	}
	if slices.Equal(want, got) {
		return ""
	}
	return or(Diff(set(want), set(got)), "an entry is there twice")
}

func (tr trial) counts(l *Lab) string {
	var list []string
	for _, n := range l.Nodes {
		c := n.Counts()
		list = append(list, fmt.Sprintf("%s %d+%d", n.Name, c.Internal, c.External))
	}
	return strings.Join(list, ", ")
}

// addresses are those of an entry's first tuple.
var addresses = regexp.MustCompile(`src=(\S+) dst=(\S+)`)
