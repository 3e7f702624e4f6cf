package e2e

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// rest matches any further lines.
const rest = "..."

// A matcher compares lines with placeholders. It remembers what the upper-case ones matched.
type matcher struct {
	version string // what {v} stands for
	bound   map[string]string
	start   time.Time // of the scenario
}

var placeholder = regexp.MustCompile(`\{([a-z]+|[A-Z]+[0-9]*|[0-9]+\.\.[0-9]+)\}`)

// result is what a command did.
type result struct {
	stdout, stderr string
	status         int
}

// compare returns how a result differs from what was expected, or "".
func (m *matcher) compare(want expected, got result) string {
	var b strings.Builder
	if d := m.lines(want.stdout, got.stdout); d != "" {
		fmt.Fprintf(&b, "stdout differs:\n%s", d)
	}
	if d := m.lines(want.stderr, got.stderr); d != "" {
		fmt.Fprintf(&b, "stderr differs:\n%s", d)
	}
	if want.status != got.status {
		fmt.Fprintf(&b, "exit status: want %d, got %d\n", want.status, got.status)
	}
	return b.String()
}

// lines compares a stream; when it differs it returns both sides.
func (m *matcher) lines(want []wanted, stream string) string {
	got := splitLines(stream)
	open := slices.ContainsFunc(want, func(w wanted) bool { return w.text == rest })
	if m.align(want, got) && (open || len(got) == len(want)) {
		return ""
	}
	var b strings.Builder
	for _, w := range want {
		fmt.Fprintf(&b, "    want  %s\n", w.text)
	}
	for _, line := range got {
		fmt.Fprintf(&b, "    got   %s\n", line)
	}
	if len(got) == 0 {
		b.WriteString("    got   nothing\n")
	}
	return b.String()
}

// align finds a line of got for each that is wanted, in order except for the groups that may come in any order.
func (m *matcher) align(want []wanted, got []string) bool {
	skip := false // further lines are allowed here
	for len(want) > 0 {
		w := want[0]
		switch {
		case w.text == rest:
			skip, want = true, want[1:]
			continue
		case w.anyOrder:
			n := slices.IndexFunc(want, func(w wanted) bool { return !w.anyOrder || w.text == rest })
			if n < 0 {
				n = len(want)
			}
			if len(got) < n {
				return false
			}
			pool := slices.Clone(got)
			if !skip && (len(want) == n || want[n].text != rest) {
				pool = pool[:n]
			}
			for _, w := range want[:n] {
				i := slices.IndexFunc(pool, func(line string) bool { return m.line(w.text, line) })
				if i < 0 {
					return false
				}
				pool = slices.Delete(pool, i, i+1)
			}
			want, got, skip = want[n:], got[n:], false
			continue
		}
		i := 0
		for i < len(got) && !m.line(w.text, got[i]) {
			if !skip {
				return false
			}
			i++
		}
		if i == len(got) {
			return false
		}
		want, got, skip = want[1:], got[i+1:], false
	}
	return skip || len(got) == 0
}

// line compares one line and binds its placeholders when it matches.
func (m *matcher) line(pattern, line string) bool {
	var b strings.Builder
	var names []string
	b.WriteString("^")
	at := 0
	for _, loc := range placeholder.FindAllStringSubmatchIndex(pattern, -1) {
		b.WriteString(regexp.QuoteMeta(pattern[at:loc[0]]))
		name := pattern[loc[2]:loc[3]]
		at = loc[1]
		switch {
		case name == "v":
			b.WriteString(regexp.QuoteMeta(m.version))
			continue
		case name == "word":
			b.WriteString(`\S+`)
			continue
		case name == "any":
			b.WriteString(`.*`)
			continue
		case m.bound[name] != "":
			b.WriteString(m.bound[name])
			continue
		}
		b.WriteString(`([0-9]+)`)
		names = append(names, name)
	}
	b.WriteString(regexp.QuoteMeta(pattern[at:]) + "$")
	found := regexp.MustCompile(b.String()).FindStringSubmatch(line)
	if found == nil {
		return false
	}
	for i, name := range names {
		if low, high, ok := strings.Cut(name, ".."); ok && !m.between(found[i+1], low, high) {
			return false
		}
	}
	for i, name := range names {
		if name[0] >= 'A' && name[0] <= 'Z' {
			m.bound[name] = found[i+1]
		}
	}
	return true
}

// between reports whether a decimal number is in a range. Most ranges are for seconds that run down: on a slow
// machine, where a scenario has been running for a while, a range of at least slowRange begins that much earlier.
func (m *matcher) between(number, low, high string) bool {
	n, err := strconv.ParseInt(number, 10, 64)
	l, errLow := strconv.ParseInt(low, 10, 64)
	h, errHigh := strconv.ParseInt(high, 10, 64)
	if h-l >= slowRange && !m.start.IsZero() {
		l -= int64(time.Since(m.start) / time.Second)
	}
	return err == nil && errLow == nil && errHigh == nil && l <= n && n <= h
}

// slowRange is the least width of a range that is for seconds.
const slowRange = 10

// splitLines splits a stream into lines and marks a last line without a newline.
func splitLines(stream string) []string {
	if stream == "" {
		return nil
	}
	whole, ok := strings.CutSuffix(stream, "\n")
	lines := strings.Split(whole, "\n")
	if !ok {
		lines[len(lines)-1] += ` \ no newline`
	}
	return lines
}
