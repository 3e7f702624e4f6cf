package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/olekukonko/tablewriter"
	"github.com/olekukonko/tablewriter/renderer"
	"github.com/olekukonko/tablewriter/tw"
	"golang.org/x/sys/unix"
)

// speedLine is a row of the table of times.
type speedLine struct {
	work             string
	ours, ref, limit *figures
	limitName        string
	goals            []goal
}

// eventLine is a row of the table of events.
type eventLine struct {
	work, output, program string
	runs                  []eventRun
	perEntry              int // events of each entry; 0: one
	goal                  string
	reached               func(eventRun) bool
}

func (f *figures) String() string {
	switch {
	case f == nil:
		return "–"
	case f.missing != "":
		return f.missing
	}
	var parts []string
	if f.wall > 0 {
		parts = append(parts, duration(f.wall))
	}
	if f.cpu > 0 {
		parts = append(parts, "CPU "+duration(f.cpu))
	}
	if f.peak > 0 {
		parts = append(parts, fmt.Sprintf("%.1f MiB", mebibytes(f.peak)))
	}
	return strings.Join(parts, ", ")
}

// report is both tables, as Markdown that is aligned for a terminal too.
func (b *bench) report() string {
	var out strings.Builder
	fmt.Fprintf(
		&out,
		"%s: Linux %s, %d CPUs, %s, %s entries, %s buckets, medians of %d runs. Each cell: wall, user and system time together, largest resident size.\n\n",
		time.Now().Format(
			time.DateOnly,
		),
		kernelRelease(),
		runtime.NumCPU(),
		runtime.Version(),
		count(b.entries),
		count(b.buckets),
		b.runs,
	)
	if len(b.speed) > 0 {
		t := [][]string{{"work", "ours", "reference", "limit", "ours / limit", "ours / reference", "goal", "reached"}}
		for _, l := range b.speed {
			limit := l.limit.String()
			if l.limitName != "" {
				limit = l.limitName + " " + limit
			}
			var goals, reached []string
			for _, g := range l.goals {
				goals, reached = append(goals, g.text), append(reached, g.reached)
			}
			t = append(t, []string{l.work, l.ours.String(), l.ref.String(), limit, ratio(l.ours, l.limit), ratio(l.ours, l.ref),
				dash(strings.Join(goals, "; ")), dash(strings.Join(reached, "; "))})
		}
		writeTable(&out, t)
	}
	if len(b.events) > 0 {
		t := [][]string{
			{
				"work",
				"output",
				"program",
				"created a second",
				"events",
				"seen",
				"lost",
				"told as dropped",
				"dropped by the kernel",
				"memory, MiB",
				"goal",
				"reached",
			},
		}
		for _, l := range b.events {
			t = append(t, l.cells())
		}
		writeTable(&out, t)
	}
	for _, n := range b.notes {
		fmt.Fprintf(&out, "- %s\n", n)
	}
	return out.String()
}

// cells are a row of the table of events, the runs side by side.
func (l *eventLine) cells() []string {
	head := []string{l.work, l.output, l.program}
	if len(l.runs) == 0 {
		return append(head, "not built", "–", "–", "–", "–", "–", "–", "–", "–")
	}
	each := func(value func(r eventRun) string) string {
		var values []string
		for _, r := range l.runs {
			values = append(values, value(r))
		}
		return strings.Join(values, " / ")
	}
	events := func(r eventRun) int { return r.created * max(1, l.perEntry) }
	goal, reached := "–", "–"
	if l.goal != "" {
		goal, reached = l.goal, "yes"
		if slices.ContainsFunc(l.runs, func(r eventRun) bool { return !l.reached(r) }) {
			reached = "no"
		}
	}
	return append(head,
		each(func(r eventRun) string { return fmt.Sprintf("%.0f", r.rate) }),
		strconv.Itoa(events(l.runs[0])),
		each(func(r eventRun) string { return strconv.Itoa(r.seen) }),
		each(func(r eventRun) string { return fmt.Sprintf("%.1f %%", 100*(1-float64(r.seen)/float64(events(r)))) }),
		each(func(r eventRun) string { return strconv.Itoa(r.dropped) }),
		each(func(r eventRun) string { return strconv.Itoa(r.drops) }),
		each(func(r eventRun) string { return fmt.Sprintf("%.0f", mebibytes(r.peak)) }),
		goal, reached)
}

// writeTable writes a Markdown table under the titles in its first row.
func writeTable(out *strings.Builder, t [][]string) {
	w := tablewriter.NewTable(out, tablewriter.WithRenderer(renderer.NewMarkdown()),
		tablewriter.WithHeaderAutoFormat(tw.Off), tablewriter.WithAlignment(tw.MakeAlign(len(t[0]), tw.AlignLeft)))
	w.Header(t[0])
	if err := errors.Join(w.Bulk(t[1:]), w.Render()); err != nil {
		fmt.Fprintf(out, "(the table could not be drawn: %v)\n", err)
	}
	out.WriteString("\n")
}

// Where a document takes the report.
const (
	beginMark = "<!-- bench:begin -->"
	endMark   = "<!-- bench:end -->"
)

// writeInto puts the report between the marks of a file.
func writeInto(path, report string) error { return writeBetween(path, beginMark, endMark, report) }

// writeBetween puts a report between two marks of a file.
func writeBetween(path, begin, end, report string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	before, rest, ok := bytes.Cut(text, []byte(begin))
	_, after, closed := bytes.Cut(rest, []byte(end))
	if !ok || !closed {
		return fmt.Errorf("%s has no lines %s and %s", path, begin, end)
	}
	return os.WriteFile(path, []byte(string(before)+begin+"\n"+report+end+string(after)), 0o644)
}

func ratio(a, b *figures) string {
	if !a.ok() || !b.ok() {
		return "–"
	}
	return fmt.Sprintf("%.2f", float64(a.wall)/float64(b.wall))
}

func duration(d time.Duration) string {
	switch {
	case d < time.Millisecond:
		return fmt.Sprintf("%d µs", d.Microseconds())
	case d < 10*time.Millisecond:
		return fmt.Sprintf("%.2f ms", d.Seconds()*1000)
	case d < 999500*time.Microsecond: // not "1000 ms"
		return fmt.Sprintf("%.0f ms", d.Seconds()*1000)
	}
	return fmt.Sprintf("%.2f s", d.Seconds())
}

func mebibytes(n int64) float64 { return float64(n) / (1 << 20) }

// count writes a number with blanks between the thousands.
func count(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + " " + s[i:]
	}
	return s
}

func dash(s string) string {
	if s == "" {
		return "–"
	}
	return s
}

func kernelRelease() string {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return "?"
	}
	return unix.ByteSliceToString(u.Release[:])
}
