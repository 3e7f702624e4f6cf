package main

import (
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// How many lines of one failed test are printed: a panic is at the beginning,
// what a test found last at the end.
const (
	firstLines = 60
	lastLines  = 100
)

// A report collects the results of packages.
type report struct {
	out                     io.Writer
	keep                    *regexp.Regexp
	packages                map[string]*testedPackage
	builds                  map[string][]string // output of the compiler, by package
	failures                []string            // names of what failed
	passed, failed, skipped int
}

// A testedPackage is a package whose tests run.
type testedPackage struct {
	tests  map[string]*test
	output []string // of no test
	kept   []string
}

// A test is a test or subtest.
type test struct {
	result string // pass, fail, skip, or "" while it runs
	output []string
}

func newReport(out io.Writer, keep *regexp.Regexp) *report {
	return &report{out: out, keep: keep, packages: map[string]*testedPackage{}, builds: map[string][]string{}}
}

// add adds one event.
func (r *report) add(e *event) {
	if e.Action == "build-output" {
		r.builds[e.ImportPath] = append(r.builds[e.ImportPath], e.Output)
		return
	}
	if e.Package == "" {
		return
	}
	p := r.packages[e.Package]
	if p == nil {
		p = &testedPackage{tests: map[string]*test{}}
		r.packages[e.Package] = p
	}
	if e.Test != "" {
		p.addTest(r.keep, e)
		return
	}
	switch e.Action {
	case "output":
		p.output = append(p.output, e.Output)
		if r.keep.MatchString(e.Output) {
			p.kept = append(p.kept, e.Output)
		}
	case "pass", "fail", "skip":
		r.end(e, p)
		delete(r.packages, e.Package)
	}
}

// addTest adds an event of a test.
func (p *testedPackage) addTest(keep *regexp.Regexp, e *event) {
	t := p.tests[e.Test]
	if t == nil {
		t = new(test)
		p.tests[e.Test] = t
	}
	switch e.Action {
	case "output":
		if keep.MatchString(e.Output) {
			p.kept = append(p.kept, e.Output)
		}
		if !framing.MatchString(e.Output) {
			t.output = append(t.output, e.Output)
		}
	case "pass", "fail", "skip":
		if t.result = e.Action; e.Action == "pass" {
			t.output = nil
		}
	}
}

// framing are the lines of the testing package around the output of a test.
var framing = regexp.MustCompile(`^(=== (RUN|PAUSE|CONT|NAME)|\s*--- (PASS|FAIL|SKIP): )`)

// noise are the lines of a package that repeat what is printed anyway.
var noise = regexp.MustCompile(`^(FAIL|PASS|ok|\?)\s|^(FAIL|PASS)$|^coverage: |^exit status |^\s+\(cached\)`)

// end reports a package that has ended.
func (r *report) end(e *event, p *testedPackage) {
	passed, skipped := 0, 0
	var failed, skips []string
	for _, name := range slices.Sorted(maps.Keys(p.tests)) {
		t := p.tests[name]
		leaf := !p.hasSubtests(name)
		switch {
		case t.result == "pass" && leaf:
			passed++
		case t.result == "skip" && leaf:
			skipped++
			skips = append(skips, fmt.Sprintf("    skipped: %s: %s\n", name, reason(t.output)))
		case t.result == "fail" && (leaf || !p.subtestFailed(name)), t.result == "" && e.Action == "fail" && leaf:
			failed = append(failed, name)
		}
	}
	r.passed += passed
	r.skipped += skipped
	name := e.Package
	if e.Action == "fail" {
		r.failed += max(len(failed), 1)
		fmt.Fprintf(r.out, "FAIL  %s (%.1f s)\n", name, e.Elapsed)
		r.explain(e, p, failed)
		return
	}
	if len(p.tests) == 0 {
		return // no tests
	}
	fmt.Fprintf(r.out, "ok    %s (%.1f s): %d passed, %d skipped\n", name, e.Elapsed, passed, skipped)
	for _, line := range skips {
		fmt.Fprint(r.out, line)
	}
	for _, line := range p.kept {
		fmt.Fprint(r.out, "    ", line)
	}
}

// explain prints why a package failed.
func (r *report) explain(e *event, p *testedPackage, failed []string) {
	if len(failed) == 0 {
		r.failures = append(r.failures, e.Package)
	}
	printLines(r.out, r.builds[e.FailedBuild])
	printLines(r.out, slices.DeleteFunc(p.output, noise.MatchString))
	for _, name := range failed {
		r.failures = append(r.failures, e.Package+" "+name)
		state := "failed"
		if p.tests[name].result == "" {
			state = "did not end"
		}
		fmt.Fprintf(r.out, "--- %s %s; alone: go test %s -run '%s'\n", name, state, e.Package, pattern(name))
		printLines(r.out, p.tests[name].output)
	}
}

// pattern returns the argument of -run for one test.
func pattern(name string) string {
	return strings.ReplaceAll(regexp.QuoteMeta(name), "/", "$/") + "$"
}

// printLines prints the first and the last lines.
func printLines(out io.Writer, lines []string) {
	if n := len(lines) - firstLines - lastLines; n > 0 {
		lines = slices.Concat(lines[:firstLines], []string{fmt.Sprintf("… %d lines …", n)}, lines[firstLines+n:])
	}
	for _, line := range lines {
		fmt.Fprintf(out, "    %s\n", strings.TrimSuffix(line, "\n"))
	}
}

// reason returns the message of a skip without its position.
func reason(output []string) string {
	for _, line := range slices.Backward(output) {
		if line = strings.TrimSpace(line); line != "" {
			return position.ReplaceAllString(line, "")
		}
	}
	return "no reason given"
}

var position = regexp.MustCompile(`^[A-Za-z0-9_]+\.go:\d+: `)

// hasSubtests reports whether there is a test below name.
func (p *testedPackage) hasSubtests(name string) bool {
	for other := range p.tests {
		if strings.HasPrefix(other, name+"/") {
			return true
		}
	}
	return false
}

// subtestFailed reports whether a test below name failed or did not end.
func (p *testedPackage) subtestFailed(name string) bool {
	for other, t := range p.tests {
		if strings.HasPrefix(other, name+"/") && (t.result == "fail" || t.result == "") {
			return true
		}
	}
	return false
}

// finish reports what has no end: a run that was interrupted.
func (r *report) finish() error {
	for _, name := range slices.Sorted(maps.Keys(r.packages)) {
		r.end(&event{Action: "fail", Package: name}, r.packages[name])
	}
	if len(r.failures) > 0 {
		fmt.Fprintln(r.out, "\nfailed:")
		for _, name := range r.failures {
			fmt.Fprintln(r.out, "   ", name)
		}
	}
	return nil
}
