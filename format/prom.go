package format

import (
	"fmt"
	"strconv"

	"github.com/gonntrack/gonntrack/internal/printable"
	"github.com/gonntrack/gonntrack/stats"
)

// AppendProm appends reports as OpenMetrics text
// (https://prometheus.io/docs/specs/om/open_metrics_spec/), a metric family for
// each number. Counters have a sample for each CPU. A report with a network
// namespace labels its samples with the name. Numbers that are not known are left
// out. With o.Expect only expectations are written.
//
// The textfile collector of node_exporter reads it too, but in an older format that
// declares counters under another name: it treats their samples as untyped.
func AppendProm(dst []byte, reports []*stats.Report, o Options) []byte {
	for i := range promGauges {
		if g := &promGauges[i]; g.expect || !o.Expect {
			dst = g.append(dst, reports)
		}
	}
	if !o.Expect {
		dst = promCounters(dst, reports, func(r *stats.Report) []stats.CPU { return r.CPUs })
	}
	dst = promCounters(dst, reports, func(r *stats.Report) []stats.CPU { return r.ExpectCPUs })
	return append(dst, "# EOF\n"...)
}

// promGauge is a number of a table as a whole. value reports whether it is known.
type promGauge struct {
	name, help string
	expect     bool
	value      func(*stats.Report) (v uint64, ok bool)
}

var promGauges = [...]promGauge{
	{"conntrack_entries", "Entries in the connection tracking table.", false,
		func(r *stats.Report) (uint64, bool) { return r.Entries, true }},
	{"conntrack_entries_limit", "Entries that the table may have (nf_conntrack_max).", false,
		func(r *stats.Report) (uint64, bool) { return r.Maximum, r.Maximum > 0 }},
	{"conntrack_buckets", "Buckets of the table's hash (nf_conntrack_buckets).", false,
		func(r *stats.Report) (uint64, bool) { return r.Buckets, r.Buckets > 0 }},
	{"conntrack_expectations", "Expected connections.", true,
		func(r *stats.Report) (uint64, bool) { return r.Expectations, !r.NoExpectations }},
	{"conntrack_expectations_limit", "Expected connections that there may be (nf_conntrack_expect_max).", true,
		func(r *stats.Report) (uint64, bool) { return r.MaxExpectations, r.MaxExpectations > 0 }},
}

func (g *promGauge) append(dst []byte, reports []*stats.Report) []byte {
	declared := false
	for _, r := range reports {
		v, ok := g.value(r)
		if !ok {
			continue
		}
		if !declared {
			dst = promFamily(dst, g.name, "gauge", g.help)
			declared = true
		}
		dst = append(dst, g.name...)
		if r.NetNS != "" {
			dst = append(promNetNS(append(dst, '{'), r), '}')
		}
		dst = append(strconv.AppendUint(append(dst, ' '), v, 10), '\n')
	}
	return dst
}

func promFamily(dst []byte, name, kind, help string) []byte {
	return fmt.Appendf(dst, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind)
}

// promNetNS appends the label with a report's network namespace. Such a name is a
// file name, so it is escaped.
func promNetNS(dst []byte, r *stats.Report) []byte {
	return promLabel(dst, "netns", printable.Append(nil, r.NetNS))
}

// promCounters appends a family for each counter, with a sample for each CPU.
func promCounters(dst []byte, reports []*stats.Report, of func(*stats.Report) []stats.CPU) []byte {
	var all []stats.CPU
	for _, r := range reports {
		all = append(all, of(r)...)
	}
	for _, c := range stats.Totals(all) {
		name := "conntrack_" + c.Name
		dst = promFamily(dst, name, "counter", promHelp(c.Name))
		for _, r := range reports {
			for _, cpu := range of(r) {
				dst = fmt.Appendf(dst, `%s_total{cpu="%d"`, name, cpu.Number)
				if r.NetNS != "" {
					dst = promNetNS(append(dst, ','), r)
				}
				dst = fmt.Appendf(dst, "} %d\n", stats.Lookup(cpu.Counters, c.Name))
			}
		}
	}
	return dst
}

// promHelp returns the help text of a counter (nf_conntrack_core.c,
// nf_conntrack_expect.c).
func promHelp(name string) string {
	switch name {
	case "found":
		return "Searches for a free translation that found the tuple taken."
	case "invalid":
		return "Packets that fit no connection."
	case "insert":
		return "Entries inserted by request."
	case "insert_failed":
		return "Packets dropped because another entry had their tuple."
	case "drop":
		return "Packets dropped because no entry could be made for them."
	case "early_drop":
		return "Entries ended early to make room for new ones."
	case "error":
		return "Packets that could not be tracked because of an error."
	case "search_restart":
		return "Searches begun again because an entry moved meanwhile."
	case "clash_resolve":
		return "Packets that took an entry made meanwhile for the same connection."
	case "chaintoolong":
		return "Packets dropped because their bucket of the hash was too long."
	case "expect_new":
		return "Connections that had been expected."
	case "expect_create":
		return "Expectations made."
	case "expect_delete":
		return "Expectations ended."
	}
	return "Counter of the connection tracking table."
}
