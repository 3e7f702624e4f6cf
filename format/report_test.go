package format

import (
	"strings"
	"testing"

	"github.com/gonntrack/gonntrack/stats"
)

func someReport() *stats.Report {
	counter := func(name string, v uint64) stats.Counter { return stats.Counter{Name: name, Value: v} }
	return &stats.Report{
		Entries: 230000, Maximum: 262144, Buckets: 65536, Expectations: 3, MaxExpectations: 4096,
		CPUs: []stats.CPU{
			{Number: 0, Counters: []stats.Counter{counter("found", 0), counter("insert_failed", 2), counter("chaintoolong", 4294967295)}},
			{Number: 1, Counters: []stats.Counter{counter("found", 0), counter("insert_failed", 1), counter("chaintoolong", 1)}},
		},
		ExpectCPUs: []stats.CPU{
			{Number: 0, Counters: []stats.Counter{counter("expect_new", 5), counter("expect_create", 0)}},
		},
	}
}

func TestReport(t *testing.T) {
	want := `entries       230000 of 262144, 87.7%
buckets       65536, 3.51 entries each
expectations  3 of 4096, <0.1%

       INSERT       CHAIN
CPU    FAILED     TOOLONG
0           2  4294967295
1           1           1
total       3  4294967296

0 on every CPU: found

       EXPECT
CPU       NEW
0           5
total       5

0 on every CPU: expect_create

entries  87.7%
  The table is nearly full. When it is, entries that are not assured are ended
  early, then packets of new connections are dropped. Raise
  net.netfilter.nf_conntrack_max, and net.netfilter.nf_conntrack_buckets with
  it.

insert_failed  3
`
	got := string(appendReport(nil, someReport(), Options{}))
	if !strings.HasPrefix(got, want) {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	if !strings.Contains(got, "\nchaintoolong  4294967296\n  New packets") {
		t.Errorf("chaintoolong is not explained:\n%s", got)
	}
	for line := range strings.Lines(got) {
		if len(line) > 80 {
			t.Errorf("%d characters: %q", len(line), line)
		}
	}
	want = "expectations  3 of 4096, <0.1%\n\n       EXPECT\nCPU       NEW\n0           5\ntotal       5\n\n0 on every CPU: expect_create\n"
	if got := string(appendReport(nil, someReport(), Options{Expect: true})); got != want {
		t.Errorf("expectations:\n%s\nwant\n%s", got, want)
	}
	// A kernel that sends next to nothing.
	if got := string(appendReport(nil, &stats.Report{Entries: 7}, Options{})); got != "entries       7\nexpectations  0\n" {
		t.Errorf("%q", got)
	}
}

// TestReportNarrow: a report fits the width, counters in several tables if need be.
func TestReportNarrow(t *testing.T) {
	got := string(appendReport(nil, someReport(), Options{Width: 40}))
	want := `entries       230000 of 262144, 87.7%
buckets       65536, 3.51 entries each
expectations  3 of 4096, <0.1%

       INSERT       CHAIN
CPU    FAILED     TOOLONG
0           2  4294967295
1           1           1
total       3  4294967296

0 on every CPU: found

       EXPECT
CPU       NEW
0           5
total       5

0 on every CPU: expect_create

entries  87.7%
  The table is nearly full. When it is,
  entries that are not assured are ended
  early, then packets of new connections
  are dropped. Raise
  net.netfilter.nf_conntrack_max, and
  net.netfilter.nf_conntrack_buckets
  with it.
`
	if !strings.HasPrefix(got, want) {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	want = `
       INSERT
CPU    FAILED
0           2
1           1
total       3

            CHAIN
CPU       TOOLONG
0      4294967295
1               1
total  4294967296

0 on every CPU: found
`
	got = string(appendReport(nil, someReport(), Options{Width: 20}))
	if !strings.Contains(got, want) {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	full := someReport()
	full.CPUs = nil
	for n := range 3 {
		cpu := stats.CPU{Number: n}
		for _, w := range full.Warnings() {
			if w.Name != "entries" {
				cpu.Counters = append(cpu.Counters, stats.Counter{Name: w.Name, Value: 12345})
			}
		}
		for _, name := range []string{"found", "invalid", "insert", "insert_failed", "drop", "early_drop", "error", "search_restart",
			"clash_resolve", "chaintoolong"} {
			cpu.Counters = append(cpu.Counters, stats.Counter{Name: name, Value: uint64(n)})
		}
		full.CPUs = append(full.CPUs, cpu)
	}
	for width := 40; width < 100; width++ {
		for line := range strings.Lines(string(appendReport(nil, full, Options{Width: width}))) {
			if len(line)-1 > width {
				t.Errorf("%d columns: %q", width, line)
			}
		}
	}
}

// TestProm holds the text against the rules of OpenMetrics that concern it.
func TestProm(t *testing.T) {
	text := string(AppendProm(nil, []*stats.Report{someReport()}, Options{}))
	checkProm(t, text)
	for _, want := range []string{"conntrack_entries 230000\n", "conntrack_entries_limit 262144\n", `conntrack_chaintoolong_total{cpu="0"} 4294967295` + "\n",
		`conntrack_expect_new_total{cpu="0"} 5` + "\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q", want)
		}
	}
	expect := string(AppendProm(nil, []*stats.Report{someReport()}, Options{Expect: true}))
	checkProm(t, expect)
	if strings.Contains(expect, "conntrack_entries") || strings.Contains(expect, "chaintoolong") || !strings.Contains(expect, "conntrack_expectations 3\n") {
		t.Errorf("expectations:\n%s", expect)
	}
	checkProm(t, string(AppendProm(nil, []*stats.Report{{}}, Options{})))
}

// TestPromNamespaces: the samples of all namespaces are in one family.
func TestPromNamespaces(t *testing.T) {
	one, two := someReport(), someReport()
	one.NetNS, two.NetNS, two.Entries, two.Maximum = "a", "q\"\\", 5, 0
	text := string(AppendProm(nil, []*stats.Report{one, two}, Options{}))
	checkProm(t, text)
	for _, want := range []string{"conntrack_entries{netns=\"a\"} 230000\nconntrack_entries{netns=\"q\\\"\\\\\"} 5\n",
		"conntrack_entries_limit{netns=\"a\"} 262144\n# HELP", `conntrack_found_total{cpu="1",netns="a"} 0` + "\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	report := string(AppendReports(nil, []*stats.Report{one, two}, Options{Expect: true}))
	if !strings.HasPrefix(report, "network namespace a\nexpectations") || !strings.Contains(report, "\n\nnetwork namespace q") {
		t.Errorf("%s", report)
	}
}

// checkProm: HELP and TYPE precede the samples of their family, families are not
// mixed, the samples of a counter end in _total and its family does not, EOF is at
// the end.
func checkProm(t *testing.T, text string) {
	t.Helper()
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if lines[len(lines)-1] != "# EOF" || strings.Count(text, "# EOF") != 1 {
		t.Errorf("the end is %q", lines[len(lines)-1])
	}
	seen, samples := map[string]bool{}, map[string]bool{}
	family, kind := "", ""
	for _, line := range lines[:len(lines)-1] {
		words := strings.Fields(line)
		switch {
		case strings.HasPrefix(line, "# HELP "):
			family, kind = words[2], ""
			if seen[family] || len(words) < 5 || strings.HasSuffix(family, "_total") {
				t.Errorf("family %q: %q", family, line)
			}
			seen[family] = true
		case strings.HasPrefix(line, "# TYPE "):
			if kind = words[3]; words[2] != family || kind != "counter" && kind != "gauge" {
				t.Errorf("%q after the help of %q", line, family)
			}
		default:
			name, _, _ := strings.Cut(words[0], "{")
			want := map[string]string{"counter": family + "_total", "gauge": family}[kind]
			if name != want || len(words) != 2 || samples[words[0]] {
				t.Errorf("%q in family %q, a %s", line, family, kind)
			}
			samples[words[0]] = true
		}
	}
}
