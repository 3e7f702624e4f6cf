package format

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/gonntrack/gonntrack/internal/printable"
	"github.com/gonntrack/gonntrack/stats"
)

// AppendReports appends reports for people, each under the name of its network
// namespace if it has one.
func AppendReports(dst []byte, reports []*stats.Report, o Options) []byte {
	for i, r := range reports {
		if i > 0 {
			dst = append(dst, '\n')
		}
		if r.NetNS != "" {
			name := string(printable.Append([]byte("network namespace "), r.NetNS))
			if o.Color {
				name = paint(bold, name)
			}
			dst = append(append(dst, name...), '\n')
		}
		dst = appendReport(dst, r, o)
	}
	return dst
}

// appendReport appends a report: how full the table is, the counters of each CPU
// that are not all 0, and a sentence for each that indicates a problem. With
// o.Expect it has only expectations.
func appendReport(dst []byte, r *stats.Report, o Options) []byte {
	if o.Expect {
		return reportCPUs(reportExpectations(dst, r, o), r, r.ExpectCPUs, o)
	}
	dst = reportExpectations(reportEntries(dst, r, o), r, o)
	dst = reportCPUs(dst, r, r.CPUs, o)
	dst = reportCPUs(dst, r, r.ExpectCPUs, o)
	for _, w := range r.Warnings() {
		name := w.Name
		if o.Color {
			name = paint(yellow, name)
		}
		dst = append(append(dst, '\n'), name...)
		if w.Name == "entries" {
			dst = append(dst, "  "+percent(r.Entries, r.Maximum)...)
		} else {
			dst = appendChange(appendUint(append(dst, "  "...), w.Value), r.Change(w.Name))
		}
		dst = appendWrapped(append(dst, '\n'), "", reportIndent, textColumns(o.Width), w.Text)
	}
	return dst
}

// The columns where sentences begin, and the numbers of the table as a whole.
const (
	reportIndent = 2
	numberIndent = 14
)

// reportEntries appends the numbers of the table as a whole.
func reportEntries(dst []byte, r *stats.Report, o Options) []byte {
	dst = reportUsed(dst, "entries", r.Entries, r.Maximum, r.Change("entries"), o)
	if r.Buckets == 0 {
		return dst
	}
	text := fmt.Sprint(r.Buckets)
	if each := float64(r.Entries) / float64(r.Buckets); each >= 0.01 {
		text += fmt.Sprintf(", %.2f entries each", each)
	}
	return appendWrapped(dst, "buckets", numberIndent, textColumns(o.Width), text)
}

func reportExpectations(dst []byte, r *stats.Report, o Options) []byte {
	if r.NoExpectations {
		return dst
	}
	return reportUsed(dst, "expectations", r.Expectations, r.MaxExpectations, r.Change("expectations"), o)
}

// reportUsed appends a number, its share of the maximum, and how it has changed.
func reportUsed(dst []byte, name string, n, maximum uint64, change int64, o Options) []byte {
	text := fmt.Sprint(n)
	if maximum > 0 {
		text += fmt.Sprintf(" of %d, %s", maximum, percent(n, maximum))
	}
	text = string(appendChange([]byte(text), change))
	return appendWrapped(dst, name, numberIndent, textColumns(o.Width), text)
}

// appendChange appends the change of a number in parentheses, nothing for 0.
func appendChange(dst []byte, change int64) []byte {
	if change == 0 {
		return dst
	}
	return fmt.Appendf(dst, " (%+d)", change)
}

// reportCPUs appends a table of counters with a row for each CPU, one for the
// totals, and one for what has changed since the report before; several tables, one
// below the other, where it does not fit the width. A line below them names the
// counters that are 0 on every CPU.
func reportCPUs(dst []byte, r *stats.Report, cpus []stats.CPU, o Options) []byte {
	totals := stats.Totals(cpus)
	if len(totals) == 0 {
		return dst
	}
	var zero []string
	totals = slices.DeleteFunc(totals, func(c stats.Counter) bool {
		if c.Value == 0 {
			zero = append(zero, c.Name)
		}
		return c.Value == 0
	})
	for len(totals) > 0 {
		n := countersThatFit(r, totals, o.Width)
		dst = counterTable(r, cpus, totals[:n], o.Color).append(append(dst, '\n'))
		totals = totals[n:]
	}
	if len(zero) > 0 {
		dst = append(dst, '\n')
		const heading = "0 on every CPU:"
		dst = appendWrapped(dst, heading, len(heading)+1, textColumns(o.Width), strings.Join(zero, ", "))
	}
	return dst
}

// countersThatFit returns how many of the counters, at least one, have room in a
// table of a width, 0 for any.
func countersThatFit(r *stats.Report, totals []stats.Counter, width int) int {
	used := len("total")
	if r.Changes != nil {
		used = len("change")
	}
	for n, c := range totals {
		// A total is as wide as the widest of its parts.
		column := max(len(strconv.FormatUint(c.Value, 10)), len(fmt.Sprintf("%+d", r.Change(c.Name))))
		for line := range strings.SplitSeq(counterTitle(c.Name), "\n") {
			column = max(column, len(line))
		}
		if used += gap + column; width > 0 && used > width && n > 0 {
			return n
		}
	}
	return len(totals)
}

func counterTable(r *stats.Report, cpus []stats.CPU, totals []stats.Counter, color bool) *drawing {
	g := &drawing{color: color, titles: []string{"CPU"}, right: []bool{false}}
	sum, changed := []string{"total"}, []string{"change"}
	for _, c := range totals {
		g.titles = append(g.titles, counterTitle(c.Name))
		g.right = append(g.right, true)
		sum = append(sum, strconv.FormatUint(c.Value, 10))
		changed = append(changed, fmt.Sprintf("%+d", r.Change(c.Name)))
	}
	for _, cpu := range cpus {
		row := []string{strconv.Itoa(cpu.Number)}
		for _, c := range totals {
			row = append(row, strconv.FormatUint(stats.Lookup(cpu.Counters, c.Name), 10))
		}
		g.rows = append(g.rows, row)
	}
	g.rows = append(g.rows, sum)
	if r.Changes != nil {
		g.rows = append(g.rows, changed)
	}
	g.dress = func(row, _ int, cell string) string {
		if row >= len(cpus) {
			cell = paint(bold, cell)
		}
		return cell
	}
	return g
}

// counterTitle returns the name of a counter in two lines, so that all of them fit
// the width of a small terminal.
func counterTitle(name string) string {
	if name == "chaintoolong" {
		name = "chain_toolong"
	}
	return strings.ReplaceAll(strings.ToUpper(name), "_", "\n")
}
