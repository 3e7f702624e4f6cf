package action

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"strings"

	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
	"github.com/gonntrack/gonntrack/cmd/internal/console"
	"github.com/gonntrack/gonntrack/ctnetlink/snapshot"
	"github.com/gonntrack/gonntrack/internal/printable"
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
	var text string
	var err error
	if r.LoadTable {
		text, err = tableLines(r.LoadFrom)
	} else {
		text, err = readFile(s.In, r.LoadFrom)
	}
	if err != nil {
		return nil, err
	}
	if snapshot.IsSnapshot(text) {
		return nil, isTableFile(r.LoadFrom)
	}
	var at func(line int) string
	if namesLines(r) {
		at = func(line int) string { return place(r, line) }
	}
	if r.ByName {
		err = cmdline.ValidateWhole(text)
	}
	if err == nil {
		err = cmdline.ValidateLines(s.Err, r.NetNS, text, at)
	}
	if wrong := (*cmdline.LineError)(nil); errors.As(err, &wrong) && at != nil {
		return nil, atLine(r, wrong.Line, wrong.Err)
	}
	if err != nil {
		return nil, err
	}
	return &loading{r, text}, nil
}

// namesLines reports whether messages about lines of the file name the line: the
// classic -R does not.
func namesLines(r *cmdline.Request) bool {
	return r.ByName || r.Has(cmdline.OptKeepGoing) || r.Has(cmdline.OptDryRun)
}

// atLine names the line of the loaded file in an error about it.
func atLine(load *cmdline.Request, line int, err error) error { return atPlace(place(load, line), err) }

// place returns FILE:LINE. The lines made of a table file are not numbered,
// because nobody can look them up.
func place(load *cmdline.Request, line int) string {
	if load.LoadTable {
		return printable.String(load.LoadFrom)
	}
	return lineOf(load.LoadFrom, line)
}

// lineOf returns FILE:LINE.
func lineOf(path string, line int) string {
	name := printable.String(path)
	if path == "-" {
		name = "stdin"
	}
	return fmt.Sprintf("%s:%d", name, line)
}

// atPlace names a place in a file in an error about it.
func atPlace(place string, err error) error {
	var usage *cmdline.UsageError
	if errors.As(err, &usage) {
		return &cmdline.UsageError{Text: place + ": " + usage.Text, Hint: usage.Hint}
	}
	return fmt.Errorf("%s: %w", place, err)
}

// readFile returns the text of a file, or of stdin for "-".
func readFile(stdin io.Reader, path string) (string, error) {
	// A Builder holds the text once; converting bytes would hold it twice.
	var text strings.Builder
	if path == "-" && stdin == os.Stdin && console.InputClosed() {
		return "", cmdline.Usagef("Failed to open file /dev/stdin for reading")
	}
	err := readInto(&text, stdin, path)
	if errors.Is(err, console.ErrElevated) {
		return "", err
	}
	if err != nil {
		return "", cmdline.Usagef("Failed to open file %s for reading", path)
	}
	return text.String(), nil
}

func readInto(text *strings.Builder, stdin io.Reader, path string) error {
	if path != "-" {
		file, err := console.OpenNamed(path)
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
	lines.Zones, lines.Batch = new(zoneIndex), e.conn().NewBatch()
	defer lines.Batch.Close()
	requests, stop := cmdline.ReadAhead(r.NetNS, l.text)
	defer stop()
	task := console.Task{Verb: "loading", Unit: "lines", Total: strings.Count(l.text, "\n")}
	requests = console.Track(e.Streams, task, lines.Zones.watch(requests))
	var err error
	switch {
	case r.Has(cmdline.OptDryRun):
		return runDry(&lines, requests, keepGoing)
	case keepGoing:
		err = loadAll(&lines, l.request, requests)
	default:
		err = loadUntilRefused(&lines, l.request, requests)
	}
	if err == nil && r.ByName {
		printSaved(e, l.text, !keepGoing)
	}
	lines.Unrestored.print(e)
	return err
}

// loadUntilRefused runs the requests of a file up to the first that the table
// refuses.
func loadUntilRefused(e *Env, load *cmdline.Request, requests iter.Seq[*cmdline.Request]) error {
	for r := range requests {
		err := runLine(e, r)
		var refused *refusal
		switch {
		case err == nil:
		case load.ByName && errors.As(err, &refused):
			return refusedLine(load, r, err)
		default:
			return err
		}
	}
	return nil
}

// refusedLine names a line of a file, which the table refused, in the error.
func refusedLine(load, r *cmdline.Request, err error) error {
	return fmt.Errorf("%s: %w: %s", place(load, r.Line), err, lineText(r))
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

// lineText returns the line of a request as a message shows it.
func lineText(r *cmdline.Request) string {
	return strings.ReplaceAll(strings.Trim(r.Text, " \t\r\n"), "\t", " ")
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
