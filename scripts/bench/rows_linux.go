package main

import (
	"fmt"
	"regexp"
	"strconv"
)

// row is a piece of work that is measured, by the name that --rows knows.
type row struct {
	name string
	run  func(b *bench) error
}

// rows are in the order in which the table changes least.
var rows = []row{
	{"count", (*bench).countRow}, // before there are dumps of a large table to wait for
	{"memory", (*bench).memoryRow},
	{"list", (*bench).listRow},
	{"src", (*bench).sourceRow},
	{"dport", (*bench).portRow},
	{"save", func(b *bench) error { return b.outputRow("save") }},
	{"xml", func(b *bench) error { return b.outputRow("xml") }},
	{"json", func(b *bench) error { return b.outputRow("json") }},
	{"summary", (*bench).summaryRow},
	{"engine", (*bench).engineRow},
	{"delete", (*bench).deleteRow},
	{"match", (*bench).matchRow},
	{"recreated", (*bench).recreatedRow},
	{"update", (*bench).updateRow},
	{"load", (*bench).loadRow},
	{"keep-going", (*bench).keepGoingRow},
	{"delete-lines", (*bench).deleteLinesRow},
	{"update-lines", (*bench).updateLinesRow},
	{"latency", (*bench).latencyRow},
	{"burst", (*bench).burstRow},
	{"slow", (*bench).slowRow},
	{"sustained", (*bench).sustainedRow},
	{"replay", (*bench).replayRow},
	{"track", (*bench).trackRow},
	{"top", (*bench).topRow},
	{"top-rest", (*bench).topRestRow},
	{"top-key", (*bench).topKeyRow},
	{"top-beside", (*bench).topBesideRow},
	{"top-rates", (*bench).topRatesRow},
}

// ours and theirs are contestants; theirs is missing without a reference.
func (b *bench) ours(args ...string) *contestant {
	return &contestant{argv: append([]string{b.program}, args...)}
}

func (b *bench) theirs(args ...string) *contestant {
	if b.reference == "" {
		return nil
	}
	return &contestant{argv: append([]string{b.reference}, args...), mayFail: true}
}

// race measures those that are there, in b.runs runs, with the same check.
func (b *bench) race(check func(outcome) error, cs ...*contestant) error {
	var there []*contestant
	for _, c := range cs {
		if c == nil {
			continue
		}
		if c.check == nil {
			c.check = check
		}
		there = append(there, c)
	}
	return b.sideBySide(b.runs, there...)
}

// result is what a contestant reached, nil when there was none.
func (c *contestant) result() *figures {
	if c == nil {
		return nil
	}
	return &c.figures
}

var countLine = regexp.MustCompile(`(\d+) flow entries have been \w+\.`)

// counts checks the number in a program's last line.
func counts(n int) func(outcome) error {
	return func(o outcome) error {
		m := countLine.FindStringSubmatch(o.stderr)
		if m == nil {
			return fmt.Errorf("it does not say how many entries: %q", o.stderr)
		}
		if m[1] != strconv.Itoa(n) {
			return fmt.Errorf("%s entries, not %d", m[1], n)
		}
		return nil
	}
}

// goal is what a row must reach.
type goal struct {
	text    string
	reached string // "yes", "no" with the figure, or "–"
}

// atMost is a goal on the time of ours against another's.
func atMost(most float64, of string, ours, other *figures) goal {
	g := goal{text: fmt.Sprintf("≤ %.2f × %s", most, of), reached: "–"}
	if ours.ok() && other.ok() {
		g.judge(float64(ours.wall)/float64(other.wall), most, "%.2f")
	}
	return g
}

// memoryGoal is a goal on the largest resident size.
func memoryGoal(most float64, ours *figures) goal {
	g := goal{text: fmt.Sprintf("≤ %.0f MiB", most), reached: "–"}
	if ours.missing == "" && ours.peak > 0 {
		g.judge(mebibytes(ours.peak), most, "%.1f")
	}
	return g
}

func (g *goal) judge(value, most float64, format string) {
	g.reached = "yes, "
	if value > most {
		g.reached = "no, "
	}
	g.reached += fmt.Sprintf(format, value)
}
