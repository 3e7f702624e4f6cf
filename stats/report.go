package stats

import (
	"slices"
	"strings"
)

// Report is what the kernel tells about a table as a whole.
type Report struct {
	// NetNS names the network namespace whose table it is, "" if it goes
	// without saying.
	NetNS string
	// Entries are how many the table has, Maximum how many it may have, 0
	// where that is not told.
	Entries, Maximum uint64
	// Buckets are those of the hash, 0 where that is not told.
	Buckets uint64
	// Expectations are how many there are, MaxExpectations how many there may
	// be, 0 where that is not told. NoExpectations: neither is the former.
	Expectations, MaxExpectations uint64
	NoExpectations                bool
	// CPUs and ExpectCPUs are the counters of each CPU since the table began,
	// of entries and of expectations.
	CPUs, ExpectCPUs []CPU
}

// CPU is the counters of a CPU.
type CPU struct {
	Number   int
	Counters []Counter
}

// Totals sums up counters over CPUs, in the order of their first appearance.
func Totals(cpus []CPU) []Counter {
	var totals []Counter
	for _, cpu := range cpus {
		for _, c := range cpu.Counters {
			i := slices.IndexFunc(totals, func(t Counter) bool { return t.Name == c.Name })
			if i < 0 {
				totals = append(totals, c)
			} else {
				totals[i].Value += c.Value
			}
		}
	}
	return totals
}

// Lookup returns the value of a counter by its name, 0 if there is none.
func Lookup(counters []Counter, name string) uint64 {
	for _, c := range counters {
		if c.Name == name {
			return c.Value
		}
	}
	return 0
}

// Full returns how full the table is, from 0 to 1; 0 where it is not told.
func (r *Report) Full() float64 {
	if r.Maximum == 0 {
		return 0
	}
	return float64(r.Entries) / float64(r.Maximum)
}

// procName returns netlink's name for a counter of entries that
// /proc/net/stat/nf_conntrack names, "" for what is none.
func procName(name string) string {
	switch name {
	case "entries", "expect_new", "expect_create", "expect_delete":
		return ""
	case "searched", "new", "ignore", "delete", "delete_list":
		return "" // nothing counts them any more
	case "clashres":
		return "clash_resolve"
	case "icmp_error":
		return "error"
	case "chainlength":
		return "chaintoolong"
	}
	return name
}

// ProcCPUs reads the text of /proc/net/stat/nf_conntrack under the names that
// netlink has for the counters: those of entries, and of expectations.
func ProcCPUs(text string) (cpus, expect []CPU) {
	for n, counters := range ParseProc(text) {
		cpu, x := CPU{Number: n}, CPU{Number: n}
		for _, c := range counters {
			if name := procName(c.Name); name != "" {
				cpu.Counters = append(cpu.Counters, Counter{name, c.Value})
			} else if strings.HasPrefix(c.Name, "expect_") {
				x.Counters = append(x.Counters, c)
			}
		}
		cpus, expect = append(cpus, cpu), append(expect, x)
	}
	return cpus, expect
}

// Worry is a number that should make somebody look.
type Worry struct {
	Name  string // of the counter; "entries" for a table that is nearly full
	Value uint64
	Text  string // what it means, and which sysctl to look at
}

// nearlyFull is how full a table may be before one should worry.
const nearlyFull = 0.8

// worries are counters that are 0 while all is well (nf_conntrack_core.c says
// where each is counted).
var worries = []Worry{
	{Name: "drop", Text: "Packets were dropped because no entry could be made for them: the table was full, memory was short, " +
		"or a helper refused them. Compare the entries with net.netfilter.nf_conntrack_max."},
	{Name: "early_drop", Text: "Entries that were not assured were ended early, because the table was full and a new connection " +
		"needed room. Raise net.netfilter.nf_conntrack_max, or shorten net.netfilter.nf_conntrack_*_timeout*."},
	{Name: "insert_failed", Text: "New packets were dropped because another entry had their addresses and ports already: two first " +
		"packets of a connection were handled at once (names asked for over UDP, mostly), or two connections were translated to the same port. " +
		"No sysctl mends this: more addresses to translate to, or `masquerade fully-random', make it rare."},
	{Name: "chaintoolong", Text: "New packets were dropped because too many entries lay in the same bucket of the hash. " +
		"Raise net.netfilter.nf_conntrack_buckets, to at least half of the entries."},
	{Name: "search_restart", Text: "Searches began again because an entry moved meanwhile. Nothing is lost by that; if it grows fast, " +
		"look at net.netfilter.nf_conntrack_buckets: long chains make it frequent."},
}

// Worries returns what in a report should worry someone, the worst first.
func (r *Report) Worries() []Worry {
	var list []Worry
	if r.Full() >= nearlyFull {
		list = append(list, Worry{"entries", r.Entries, "The table is nearly full. When it is, entries that are not assured are ended " +
			"early, then packets of new connections are dropped. Raise net.netfilter.nf_conntrack_max, and net.netfilter.nf_conntrack_buckets with it."})
	}
	totals := Totals(r.CPUs)
	for _, w := range worries {
		if w.Value = Lookup(totals, w.Name); w.Value > 0 {
			list = append(list, w)
		}
	}
	return list
}
