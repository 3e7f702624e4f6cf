package stats

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestTotals(t *testing.T) {
	got := Totals([]CPU{{0, []Counter{{"a", 1}, {"b", 2}}}, {3, []Counter{{"b", 5}, {"c", 0}}}})
	if want := []Counter{{"a", 1}, {"b", 7}, {"c", 0}}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if Lookup(got, "b") != 7 || Lookup(got, "x") != 0 {
		t.Error("lookup by name")
	}
}

func TestWarnings(t *testing.T) {
	names := func(r Report) string {
		var list []string
		for _, w := range r.Warnings() {
			list = append(list, fmt.Sprintf("%s=%d", w.Name, w.Value))
			if !strings.Contains(w.Text, "sysctl") && !strings.Contains(w.Text, "net.netfilter.") {
				t.Errorf("%s names no sysctl: %s", w.Name, w.Text)
			}
		}
		return strings.Join(list, " ")
	}
	fine := []CPU{{0, []Counter{{"found", 9}, {"insert", 9}, {"clash_resolve", 3}, {"invalid", 8}, {"drop", 0}}}}
	bad := []CPU{{0, []Counter{{"drop", 1}, {"early_drop", 2}, {"insert_failed", 3}, {"search_restart", 4}}},
		{1, []Counter{{"drop", 1}, {"chaintoolong", 5}}}}
	for _, c := range []struct {
		report Report
		want   string
	}{
		{Report{Entries: 79, Maximum: 100, CPUs: fine}, ""},
		{Report{Entries: 80, Maximum: 100}, "entries=80"},
		{Report{Entries: 80, CPUs: bad}, "drop=2 early_drop=2 insert_failed=3 chaintoolong=5 search_restart=4"},
	} {
		if got := names(c.report); got != c.want {
			t.Errorf("%+v warns about %q, want %q", c.report, got, c.want)
		}
	}
}

// TestProcCPUs reads the file of Linux 6.18.
func TestProcCPUs(t *testing.T) {
	text := "entries  clashres found new invalid ignore delete chainlength insert insert_failed drop early_drop " +
		"icmp_error  expect_new expect_create expect_delete search_restart\n" +
		"00000014  00000001 00000002 00000001 00000003 00000000 00000000 00000004 00000005 00000006 00000007 00000008 " +
		"00000009  0000000a 0000000b 0000000c 0000000d\n" +
		"00000014" + strings.Repeat("  00000000", 16) + "\n"
	cpus, expect := ProcCPUs(text)
	if len(cpus) != 2 || len(expect) != 2 || cpus[1].Number != 1 {
		t.Fatalf("%v %v", cpus, expect)
	}
	for name, want := range map[string]uint64{
		"entries": 0, "clash_resolve": 1, "found": 2, "invalid": 3, "chaintoolong": 4, "insert": 5,
		"insert_failed": 6, "drop": 7, "early_drop": 8, "error": 9, "search_restart": 13, "expect_new": 0, "new": 0,
	} {
		if got := Lookup(cpus[0].Counters, name); got != want {
			t.Errorf("%s = %d, want %d", name, got, want)
		}
	}
	want := []Counter{{"expect_new", 10}, {"expect_create", 11}, {"expect_delete", 12}}
	if !slices.Equal(expect[0].Counters, want) {
		t.Errorf("%v, want %v", expect[0].Counters, want)
	}
}
