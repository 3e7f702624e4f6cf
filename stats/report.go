package stats

import (
	"slices"
	"strings"
)

// Report is what the kernel reports about a table as a whole.
type Report struct {
	// NetNS is the name of the network namespace of the table, or "".
	NetNS string
	// Entries is the number of entries, Maximum the largest that is allowed,
	// Buckets the size of the hash table; 0 if unknown.
	Entries, Maximum, Buckets uint64
	// Expectations is the number of expectations, unless NoExpectations says
	// that it is unknown; MaxExpectations is the largest that is allowed, 0 if
	// unknown.
	Expectations, MaxExpectations uint64
	NoExpectations                bool
	// CPUs and ExpectCPUs are the counters of entries and of expectations of
	// each CPU, since the network namespace was created.
	CPUs, ExpectCPUs []CPU
	// Changes are the differences to an earlier report, nil if there was none.
	Changes []Change
}

// Change is the difference of a value to an earlier one.
type Change struct {
	Name  string
	Delta int64
}

// Changes returns the differences of values to earlier ones with the same names, 0
// where there was none. It is not nil.
func Changes(before, now []Counter) []Change {
	changes := make([]Change, 0, len(now))
	for _, c := range now {
		changes = append(changes, Change{c.Name, int64(c.Value - Lookup(before, c.Name))})
	}
	return changes
}

// Change returns the difference of the value with a name, or 0 if it is unknown.
func (r *Report) Change(name string) int64 {
	for _, c := range r.Changes {
		if c.Name == name {
			return c.Delta
		}
	}
	return 0
}

// Values returns the numbers of the report, the counters summed up over all CPUs.
func (r *Report) Values() []Counter {
	values := []Counter{{"entries", r.Entries}, {"expectations", r.Expectations}}
	return append(append(values, Totals(r.CPUs)...), Totals(r.ExpectCPUs)...)
}

// CPU has the counters of one CPU.
type CPU struct {
	Number   int
	Counters []Counter
}

// Totals returns the sum of each counter over all CPUs, in the order in which
// the counters first appear.
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

// Lookup returns the value of the counter with a name, or 0 if there is none.
func Lookup(counters []Counter, name string) uint64 {
	for _, c := range counters {
		if c.Name == name {
			return c.Value
		}
	}
	return 0
}

// Full returns the ratio of Entries to Maximum, or 0 if Maximum is unknown.
func (r *Report) Full() float64 {
	if r.Maximum == 0 {
		return 0
	}
	return float64(r.Entries) / float64(r.Maximum)
}

// procName returns the name that ctnetlink has for a column of
// /proc/net/stat/nf_conntrack, or "" for one that is not a counter of entries.
func procName(name string) string {
	switch name {
	case "entries", "expect_new", "expect_create", "expect_delete":
		return ""
	case "searched", "new", "ignore", "delete", "delete_list":
		return "" // no longer counted, always 0
	case "clashres":
		return "clash_resolve"
	case "icmp_error":
		return "error"
	case "chainlength":
		return "chaintoolong"
	}
	return name
}

// ProcCPUs reads the text of /proc/net/stat/nf_conntrack, and returns the
// counters of entries and of expectations under the names that [Name] and
// [ExpectName] return.
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

// Warning is a counter whose value is a sign of a problem.
type Warning struct {
	// Name is the name of the counter, or "entries" for a table that is nearly
	// full.
	Name  string
	Value uint64
	// Text says what the value means, and which sysctl concerns it.
	Text string
}

// nearlyFull is the ratio of entries from which a table is nearly full.
const nearlyFull = 0.8

const fullText = "The table is nearly full. When it is, entries that are not assured are ended early, " +
	"then packets of new connections are dropped. Raise net.netfilter.nf_conntrack_max, " +
	"and net.netfilter.nf_conntrack_buckets with it."

// warnings are the counters that are 0 as long as all is well, the worst first.
var warnings = []Warning{
	{Name: "drop", Text: "Packets were dropped because no entry could be created for them: the table was full, " +
		"memory was short, or a helper refused them. Compare the number of entries with net.netfilter.nf_conntrack_max."},
	{Name: "early_drop", Text: "Entries that were not assured were ended early, because the table was full and a new " +
		"connection needed room. Raise net.netfilter.nf_conntrack_max, or shorten net.netfilter.nf_conntrack_*_timeout*."},
	{Name: "insert_failed", Text: "New packets were dropped because another entry already had their addresses and " +
		"ports: two first packets of a connection were handled at the same time (mostly DNS queries over UDP), or two " +
		"connections were translated to the same port. No sysctl helps: more addresses to translate to, or " +
		"`masquerade fully-random', make it rare."},
	{Name: "chaintoolong", Text: "New packets were dropped because a bucket of the hash table had too many entries. " +
		"Raise net.netfilter.nf_conntrack_buckets to at least half of the number of entries."},
	{Name: "search_restart", Text: "Lookups started again because an entry moved meanwhile. Nothing was lost. If the " +
		"counter grows fast, raise net.netfilter.nf_conntrack_buckets: long chains make it frequent."},
}

// Warnings returns the values in a report that are a sign of a problem, the
// worst first.
func (r *Report) Warnings() []Warning {
	var list []Warning
	if r.Full() >= nearlyFull {
		list = append(list, Warning{"entries", r.Entries, fullText})
	}
	totals := Totals(r.CPUs)
	for _, w := range warnings {
		if w.Value = Lookup(totals, w.Name); w.Value > 0 {
			list = append(list, w)
		}
	}
	return list
}
