// Command testreport reads the output of `go test -json` on stdin. It prints a
// line for each package, the output of tests that failed and of no others, and
// the lines of the remaining tests that -keep selects.
//
//	go test -json ./... | testreport [-keep REGEXP] [-totals FILE]
//
// With -totals it writes three numbers to FILE: how many tests passed, failed
// and were skipped. A test that has subtests is not counted itself. The exit
// status is 1 if something failed.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"regexp"
)

func main() {
	keep := flag.String("keep", `^\*\*\* `, "also print output lines of tests that passed, if they match `REGEXP`")
	totals := flag.String("totals", "", "write the numbers of passed, failed and skipped tests to `FILE`")
	flag.Parse()
	r := newReport(os.Stdout, regexp.MustCompile(*keep))
	err := r.read(os.Stdin)
	if err == nil {
		err = r.writeTotals(*totals)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "testreport:", err)
		os.Exit(1)
	}
	if r.failed > 0 {
		os.Exit(1)
	}
}

// An event is a line of `go test -json` (go doc test2json).
type event struct {
	Action      string
	Package     string
	ImportPath  string // of build-output
	Test        string
	Elapsed     float64
	Output      string
	FailedBuild string
}

// read reports the events until the end of in.
func (r *report) read(in io.Reader) error {
	lines := bufio.NewReader(in)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 {
			var e event
			if jsonErr := json.Unmarshal(line, &e); jsonErr != nil {
				fmt.Fprintf(r.out, "%s", line) // of go itself
			} else {
				r.add(&e)
			}
		}
		if err == io.EOF {
			return r.finish()
		}
		if err != nil {
			return err
		}
	}
}

// writeTotals writes the numbers to a file, if there is one.
func (r *report) writeTotals(file string) error {
	if file == "" {
		return nil
	}
	return os.WriteFile(file, fmt.Appendf(nil, "%d %d %d\n", r.passed, r.failed, r.skipped), 0o644)
}
