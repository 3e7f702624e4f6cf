package action

import (
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
	"github.com/gonntrack/gonntrack/cmd/internal/console"
	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/format"
	"github.com/gonntrack/gonntrack/internal/atomicfile"
)

// A saved file is one that -R reads: comments, and a command for each entry.
// savedMark begins its first line, by which `load' knows it. lossMark begins the
// last lines, which list what the file does not hold of the entries.
const (
	savedMark = "# conntrack save: "
	lossMark  = "#! "
)

// save writes the entries that match to the file that the request names, whole or
// not at all, and reports what the file does not hold of them.
func save(e *Env, r *cmdline.Request) error {
	o := e.Out
	var file *atomicfile.File
	if r.SaveTo != "-" {
		if err := console.MayOpen(r.SaveTo); err != nil {
			return err
		}
		if isTable(e, r.SaveTo) {
			return cmdline.Usagef("%s is the table file itself: save writes a list of commands to another file", r.SaveTo)
		}
		var err error
		if file, err = atomicfile.Create(r.SaveTo, atomicfile.Options{ExitOnSignal: true}); err != nil {
			return cmdline.Failuref("cannot write %s: %s", r.SaveTo, console.ErrorText(err))
		}
		defer file.Discard()
		o = console.NewOutput(file)
	}
	o.Buf = fmt.Appendf(o.Buf, "%sthe connection tracking table of %s\n# To restore it: conntrack load FILE\n",
		savedMark, time.Now().UTC().Format(time.RFC3339))
	options := r.Output
	options.Complete = true
	printer, context := format.NewPrinter(options), format.Context{Verb: 'A'}
	var losses format.Losses
	n := 0
	task := console.Task{Verb: "saving", Unit: "entries", Prints: r.SaveTo == "-"}
	for f, err := range console.Track2(e.Streams, task, matching(e, r, &context)) {
		if err != nil {
			return refused(r, err)
		}
		losses.Add(f)
		o.Buf = printer.AppendFlow(o.Buf, f, &context)
		n++
		if err := o.Spill(); err != nil {
			return err
		}
	}
	lines := lossLines(e, r, &losses)
	for _, line := range lines {
		o.Buf = append(append(append(o.Buf, lossMark...), line...), '\n')
	}
	if err := o.Flush(); err != nil {
		return err
	}
	if file != nil {
		if err := file.Commit(); err != nil {
			return cmdline.Failuref("cannot write %s: %s", r.SaveTo, console.ErrorText(err))
		}
	}
	e.say("%d flow entries have been saved.", n)
	printLosses(e, "A load cannot restore the following (with the number of entries affected):", lines)
	return nil
}

// isTable reports whether a path leads to the file that the table is in.
func isTable(e *Env, path string) bool {
	file := e.table().File
	if file == nil {
		return false
	}
	if resolved, err := atomicfile.Resolve(path); err == nil && resolved == file.Path() {
		return true
	}
	table, err := os.Stat(file.Path())
	if err != nil {
		return false
	}
	target, err := os.Stat(path)
	return err == nil && os.SameFile(table, target)
}

// lossLines returns the lines that report what is not saved. Expectations are not,
// which counts when the whole table is saved.
func lossLines(e *Env, r *cmdline.Request, losses *format.Losses) []string {
	var lines []string
	for line := range losses.Lines() {
		lines = append(lines, line)
	}
	if r.Selects() {
		return lines
	}
	if n, err := countExpectations(e, ctnetlink.FamilyAny); err == nil && n > 0 { // an error: the table has none
		lines = append(lines, fmt.Sprintf("%d  expectations: save does not store them", n))
	}
	return lines
}

// printLosses prints lines that begin with a number, aligned below a title.
func printLosses(e *Env, title string, lines []string) {
	if len(lines) == 0 {
		return
	}
	width := 0
	for _, line := range lines {
		n, _, _ := strings.Cut(line, " ")
		width = max(width, len(n))
	}
	e.say("%s", title)
	for _, line := range lines {
		n, what, _ := strings.Cut(line, " ")
		e.Err.Printf("  %*s %s\n", width, n, what)
	}
}
