package action

import (
	"errors"
	"io"
	"iter"
	"os"
	"strings"

	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
	"github.com/gonntrack/gonntrack/cmd/internal/console"
)

// loading is a file whose lines are commands.
type loading struct {
	request *cmdline.Request
	text    string
}

// openLoad reads the file of a request, or stdin for "-", and validates all its
// lines: none runs unless all are right.
//
// A request takes far more memory than its line. So the lines are read twice: by
// all processors to validate them, and again while the table is busy with those
// before.
func openLoad(s *console.Streams, r *cmdline.Request) (*loading, error) {
	text, err := readFile(s.In, r.LoadFrom)
	if err != nil {
		return nil, err
	}
	if err := cmdline.ValidateLines(s.Err, r.NetNS, text); err != nil {
		return nil, err
	}
	return &loading{r, text}, nil
}

// readFile returns the text of a file, or of stdin for "-".
func readFile(stdin io.Reader, path string) (string, error) {
	// A Builder holds the text once; converting bytes would hold it twice.
	var text strings.Builder
	err := readInto(&text, stdin, path)
	if err != nil {
		return "", cmdline.Usagef("Failed to open file %s for reading", path)
	}
	return text.String(), nil
}

func readInto(text *strings.Builder, stdin io.Reader, path string) error {
	if path != "-" {
		file, err := os.Open(path)
		if err != nil {
			return err
		}
		defer file.Close()
		if info, err := file.Stat(); err == nil && info.Mode().IsRegular() {
			text.Grow(int(info.Size()))
		}
		stdin = file
	}
	_, err := io.Copy(text, stdin)
	return err
}

// run runs the lines. The first refusal by the table ends the load; with
// --keep-going it is reported and the lines behind it run all the same. With
// --dry-run none is run.
func (l *loading) run(e *Env, r *cmdline.Request) error {
	keepGoing := r.Has(cmdline.OptKeepGoing)
	lines := *e
	lines.Report = &quiet{}
	lines.Unrestored = &unrestored{anyLabels: r.ByName}
	requests, stop := cmdline.ReadAhead(r.NetNS, l.text)
	defer stop()
	task := console.Task{Verb: "loading", Unit: "lines", Total: strings.Count(l.text, "\n")}
	requests = console.Track(e.Streams, task, requests)
	var err error
	switch {
	case r.Has(cmdline.OptDryRun):
		return runDry(&lines, requests, keepGoing)
	case keepGoing:
		err = loadAll(&lines, requests)
	default:
		err = loadUntilRefused(&lines, requests)
	}
	if err == nil && r.ByName {
		printSaved(e, l.text, !keepGoing)
	}
	lines.Unrestored.print(e)
	return err
}

// loadUntilRefused runs requests up to the first that the table refuses.
func loadUntilRefused(e *Env, requests iter.Seq[*cmdline.Request]) error {
	for r := range requests {
		if err := runLine(e, r); err != nil {
			return err
		}
	}
	return nil
}

// runLine runs the request of a line. The line is right, so whatever is wrong is
// a refusal.
func runLine(e *Env, r *cmdline.Request) error {
	err := perform(e, r)
	var usage *cmdline.UsageError
	if errors.As(err, &usage) {
		return refused(r, errors.New(usage.Text))
	}
	return err
}

// printSaved prints what a saved file does not hold of its entries, which is
// written in the file; with count, after how many lines were loaded.
func printSaved(e *Env, text string, count bool) {
	if !strings.HasPrefix(text, savedMark) {
		return
	}
	n := 0
	var lost []string
	for line := range strings.Lines(text) {
		if what, ok := strings.CutPrefix(line, lossMark); ok {
			lost = append(lost, strings.TrimSpace(what))
		} else if !strings.HasPrefix(line, "#") && strings.TrimSpace(line) != "" {
			n++
		}
	}
	if count {
		e.say("%d lines have been loaded.", n)
	}
	printLosses(e,
		"The file does not restore the following (with the number of entries affected when it was saved):", lost)
}
