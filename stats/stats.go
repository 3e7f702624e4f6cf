// Package stats counts. It names the counters that the kernel keeps for each
// CPU, reads them from /proc where netlink refuses them, writes the classic
// line, and tells what in a [Report] of them should worry someone.
//
// A [Summary] counts many entries by the values of keys, a [Sorted] keeps the
// first of many in an order. Neither knows what an entry is: values come as
// bytes that the Append functions write.
package stats

import (
	"iter"
	"strconv"
	"strings"
)

// Counter is a counter's name and value.
type Counter struct {
	Name  string
	Value uint64
}

// names are the conntrack counters by attribute number (enum ctattr_stats_cpu
// of nfnetlink_conntrack.h). What a newer kernel adds is unknown1 to unknown4.
var names = []string{1: "searched", "found", "new", "invalid", "ignore", "delete",
	"delete_list", "insert", "insert_failed", "drop", "early_drop", "error",
	"search_restart", "clash_resolve", "chaintoolong",
	"unknown1", "unknown2", "unknown3", "unknown4"}

// expectNames are the expectation counters (enum ctattr_expect_stats).
var expectNames = []string{1: "expect_new", "expect_create", "expect_delete"}

// Name returns the name of a conntrack counter, "" for a number past them all.
func Name(attr uint16) string { return at(names, attr) }

// ExpectName returns the name of an expectation counter, "" for an unknown one.
func ExpectName(attr uint16) string { return at(expectNames, attr) }

func at(names []string, i uint16) string {
	if int(i) >= len(names) {
		return ""
	}
	return names[i]
}

// AppendLine appends the classic line of a CPU's counters: the number padded
// to four, a tab, then each counter and a blank.
func AppendLine(dst []byte, cpu int, counters []Counter) []byte {
	dst = append(dst, "cpu="...)
	start := len(dst)
	dst = strconv.AppendInt(dst, int64(cpu), 10)
	for len(dst) < start+4 {
		dst = append(dst, ' ')
	}
	dst = append(dst, '\t')
	for _, c := range counters {
		dst = append(dst, c.Name...)
		dst = append(dst, '=')
		dst = strconv.AppendUint(dst, c.Value, 10)
		dst = append(dst, ' ')
	}
	return append(dst, '\n')
}

// ParseProc reads the text of /proc/net/stat/nf_conntrack: a line of names,
// then for each CPU a line of hexadecimal values. It yields the CPU's place in
// the file and its counters. Values that are not numbers are passed over.
func ParseProc(text string) iter.Seq2[int, []Counter] {
	return func(yield func(int, []Counter) bool) {
		head, rest, _ := strings.Cut(text, "\n")
		names := strings.Fields(head)
		cpu := 0
		for line := range strings.Lines(rest) {
			var counters []Counter
			for i, value := range strings.Fields(line) {
				n, err := strconv.ParseUint(value, 16, 64)
				if err == nil && i < len(names) {
					counters = append(counters, Counter{names[i], n})
				}
			}
			if len(counters) == 0 {
				continue
			}
			if !yield(cpu, counters) {
				return
			}
			cpu++
		}
	}
}
