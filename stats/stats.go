// Package stats counts and orders entries, and names and explains the kernel's
// counters.
//
// A [Summary] counts entries, packets and bytes by the values of keys. A
// [Sorted] orders records, and with a limit keeps only the first of them. Both
// take values as bytes, which the Append functions write, and know nothing
// else of an entry.
//
// [ParseProc] reads the counters in /proc/net/stat/nf_conntrack, which need no
// privilege, and [Report.Warnings] explains the counters that are a sign of a
// problem.
package stats

import (
	"iter"
	"strconv"
	"strings"
)

// Counter is a counter with its name.
type Counter struct {
	Name  string
	Value uint64
}

// AppendLine appends the line that `conntrack -S' prints for a CPU: its number,
// left-aligned in four columns, a tab, then each counter followed by a space.
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
// then a line of hexadecimal values for each CPU. It yields the number of the
// line, from 0, and its counters. It skips values that are not numbers.
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
