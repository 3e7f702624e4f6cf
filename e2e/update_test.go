package e2e

import (
	"errors"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// An update replaces the expectation below a command, lines from to to-1 of the scenario's file, counted from 0.
type update struct {
	from, to int
	lines    []string
}

// Numbers that are different in every run, and the placeholders for them.
var variable = []struct {
	what *regexp.Regexp
	with string
}{
	{regexp.MustCompile(`conntrack v1\.4\.9 \(conntrack-tools\)`), "conntrack {v}"},
	{
		regexp.MustCompile(`^((?: *\[(?:NEW|UPDATE)\] )?(?:ipv[46] +\d+ )?\S+ +\d+ )\d+( (?:[A-Z0-9_]+ )?src=)`),
		"${1}{secs}$2",
	},
	{regexp.MustCompile(`\bid=\d+`), "id={id}"},
}

// update returns the expectation that the result got would meet. Lines that match a result are kept with their
// placeholders.
func (m *matcher) update(s step, got result) (update, error) {
	if !s.contiguous {
		return update{}, errors.New("the expectation has a condition or is not directly below the command")
	}
	if slices.ContainsFunc(slices.Concat(s.want.stdout, s.want.stderr), func(w wanted) bool { return w.text == rest }) {
		return update{}, errors.New("the expectation has a line of any further lines")
	}
	u := update{from: s.wantFrom, to: s.wantTo}
	u.lines = append(u.lines, m.updateLines(">", s.want.stdout, got.stdout)...)
	u.lines = append(u.lines, m.updateLines("!", s.want.stderr, got.stderr)...)
	if got.status != 0 {
		u.lines = append(u.lines, "? "+strconv.Itoa(got.status))
	}
	return u, nil
}

// updateLines returns the expected lines for one stream.
func (m *matcher) updateLines(kind string, want []wanted, stream string) (lines []string) {
	for _, line := range splitLines(stream) {
		mark, text := kind, line
		if i := slices.IndexFunc(want, func(w wanted) bool { return m.line(w.text, line) }); i >= 0 {
			if text = want[i].text; want[i].anyOrder {
				mark = "~"
			}
			want = slices.Delete(slices.Clone(want), i, i+1)
		} else {
			for _, v := range variable {
				text = v.what.ReplaceAllString(text, v.with)
			}
		}
		if text != "" {
			mark += " " + text
		}
		lines = append(lines, mark)
	}
	return lines
}

// writeUpdates changes the scenario's file as the run has found.
func (run *scenarioRun) writeUpdates() error {
	if len(run.updates) == 0 {
		return nil
	}
	text, err := os.ReadFile(run.file)
	if err != nil {
		return err
	}
	return os.WriteFile(run.file, []byte(applyUpdates(string(text), run.updates)), 0o644)
}

// applyUpdates replaces lines of text.
func applyUpdates(text string, updates []update) string {
	lines := strings.Split(text, "\n")
	slices.SortFunc(updates, func(a, b update) int { return b.from - a.from }) // the last first: it moves no other
	for _, u := range updates {
		lines = slices.Replace(lines, u.from, u.to, u.lines...)
	}
	return strings.Join(lines, "\n")
}
