package main

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"time"
)

// Where a document takes the report on conntrackd.
const (
	ctdBegin = "<!-- bench conntrackd:begin -->"
	ctdEnd   = "<!-- bench conntrackd:end -->"
)

// ctdResult is one measurement, or the median of several. What there is of each node is in
// the nodes' order.
type ctdResult struct {
	wall    time.Duration
	cpu     []time.Duration
	rss     []int64
	peak    []int64
	arrived int
	missing int // of what should have arrived
	packets int
	note    string
}

// ctdLine is a row of the table; a result is nil if there is none.
type ctdLine struct {
	work    string
	results []*ctdResult // in the order of the programs
}

// summary returns the medians of the measurements, and of what is missing the most.
func summary(all []ctdResult) *ctdResult {
	if len(all) == 0 {
		return nil
	}
	s := ctdResult{
		wall:    medianBy(all, func(r *ctdResult) time.Duration { return r.wall }),
		packets: medianBy(all, func(r *ctdResult) int { return r.packets }),
		note:    all[len(all)-1].note,
	}
	for i := range all[0].cpu {
		s.cpu = append(s.cpu, medianBy(all, func(r *ctdResult) time.Duration { return r.cpu[i] }))
		s.rss = append(s.rss, medianBy(all, func(r *ctdResult) int64 { return r.rss[i] }))
		s.peak = append(s.peak, medianBy(all, func(r *ctdResult) int64 { return r.peak[i] }))
	}
	for i := range all {
		s.missing = max(s.missing, all[i].missing)
	}
	return &s
}

func medianBy[V int | int64 | time.Duration](all []ctdResult, value func(*ctdResult) V) V {
	var values []V
	for i := range all {
		values = append(values, value(&all[i]))
	}
	slices.Sort(values)
	return values[len(values)/2]
}

func (r *ctdResult) String() string {
	if r == nil {
		return "failed"
	}
	parts := []string{duration(r.wall)}
	if r.missing != 0 {
		parts = append(parts, fmt.Sprintf("**%d missing**", r.missing))
	}
	if r.packets > 0 {
		parts = append(parts, fmt.Sprintf("%d packets", r.packets))
	}
	parts = append(parts, "CPU "+joined(r.cpu, func(d time.Duration) string { return fmt.Sprintf("%.2f s", d.Seconds()) }))
	parts = append(parts, joined(r.rss, func(n int64) string { return fmt.Sprintf("%.0f", mebibytes(n)) })+
		" (peak "+joined(r.peak, func(n int64) string { return fmt.Sprintf("%.0f", mebibytes(n)) })+") MiB")
	if r.note != "" {
		parts = append(parts, r.note)
	}
	return strings.Join(parts, ", ")
}

func joined[V any](values []V, text func(V) string) string {
	var parts []string
	for _, v := range values {
		parts = append(parts, text(v))
	}
	return strings.Join(parts, " / ")
}

// report is the table, as Markdown.
func (c *ctd) report() string {
	var out strings.Builder
	fmt.Fprintf(&out, "%s: Linux %s, %d CPUs, %s, medians of %d runs.\n\n",
		time.Now().Format(time.DateOnly), kernelRelease(), runtime.NumCPU(), runtime.Version(), c.runs)
	head := []string{"work"}
	for _, p := range c.programs {
		head = append(head, p.name)
	}
	head = append(head, "time", "CPU", "memory")
	t := [][]string{head}
	for _, l := range c.lines {
		row := []string{l.work}
		for _, r := range l.results {
			row = append(row, r.String())
		}
		t = append(t, append(row, l.ratios()...))
	}
	writeTable(&out, t)
	return out.String()
}

// ratios are ours against the reference: of time, CPU of all nodes, memory of all nodes.
func (l *ctdLine) ratios() []string {
	none := []string{"–", "–", "–"}
	if len(l.results) != 2 || l.results[0] == nil || l.results[1] == nil {
		return none
	}
	a, b := l.results[0], l.results[1]
	sum := func(d []time.Duration) (n float64) {
		for _, v := range d {
			n += v.Seconds()
		}
		return n
	}
	bytes := func(d []int64) (n float64) {
		for _, v := range d {
			n += float64(v)
		}
		return n
	}
	ratio := func(a, b float64) string {
		if b == 0 {
			return "–"
		}
		return fmt.Sprintf("%.2f", a/b)
	}
	time := ratio(a.wall.Seconds(), b.wall.Seconds())
	if b.missing != 0 {
		time = "–" // it has not done it
	}
	return []string{time, ratio(sum(a.cpu), sum(b.cpu)), ratio(bytes(a.rss), bytes(b.rss))}
}
