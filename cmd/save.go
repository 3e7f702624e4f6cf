package cmd

import (
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/format"
	"github.com/gonntrack/gonntrack/internal/atomicfile"
)

// A saved file is one that -R reads: comments, and a command for each entry.
// The first line tells `load' that we wrote it; the last ones tell what of the
// entries it does not hold.
const (
	savedMark = "# conntrack save: "
	lossMark  = "#! "
)

// newSave is `list' with -o save, into a file.
func (p *program) newSave() *cobra.Command {
	c := p.newCommand(&treeCommand{name: "save", command: cmdList, short: "Write entries to a file that `load' restores",
		example: "conntrack save table\nconntrack save table -p tcp --state ESTABLISHED\nconntrack save - | ssh other conntrack load -"})
	c.Use = "save FILE"
	c.Long = saveHelp
	c.Args = cobra.ExactArgs(1)
	c.ValidArgsFunction = nil // files
	for _, o := range notSaved {
		if f := c.Flags().Lookup(o.name()); f != nil {
			f.Hidden = true
		}
	}
	list := c.RunE
	c.RunE = func(c *cobra.Command, args []string) error {
		for _, o := range notSaved {
			if f := c.Flags().Lookup(o.name()); f != nil && f.Changed {
				return illegal(o.name())
			}
		}
		if err := c.Flags().Set("output", "save"); err != nil {
			return err
		}
		p.saving = args[0]
		return list(c, nil)
	}
	return c
}

// notSaved are options of `list' that say how entries are shown.
var notSaved = []option{optOutput, optZero, optAllNetNS, optBy, optColumns, optSort, optLimit}

// name is the option's long name.
func (o option) name() string {
	if o := o.own(); o != nil {
		return o.long
	}
	return optionNames[o]
}

// save writes the entries that match to the file that p.saving names, whole or
// not at all, and tells what of them it does not hold.
func (p *program) save(r *Request) error {
	o := p.out
	var file *atomicfile.File
	if p.saving != "-" {
		if p.isTable(p.saving) {
			return usagef("%s is the table file itself: save writes a list of commands to another file", p.saving)
		}
		var err error
		if file, err = atomicfile.Create(p.saving, atomicfile.Options{ExitOnSignal: true}); err != nil {
			return failuref("cannot write %s: %s", p.saving, systemText(err))
		}
		defer file.Discard()
		o = newOutput(file)
	}
	o.buf = fmt.Appendf(o.buf, "%sthe connection tracking table of %s\n# To restore it: conntrack load FILE\n",
		savedMark, time.Now().UTC().Format(time.RFC3339))
	options := r.Output
	options.Complete = true
	printer, context := format.NewPrinter(options), format.Context{Verb: 'A'}
	var losses format.Losses
	n := 0
	bar := p.startProgress("saving", "entries", 0, p.saving == "-")
	defer bar.stop()
	for f, err := range bar.flows(p.matching(r)) {
		if err != nil {
			return r.refused(err)
		}
		losses.Add(f)
		o.buf = printer.AppendFlow(o.buf, f, &context)
		n++
		if err := o.spill(); err != nil {
			return err
		}
	}
	lines := p.lossLines(r, &losses)
	for _, line := range lines {
		o.buf = append(append(append(o.buf, lossMark...), line...), '\n')
	}
	if err := o.flush(); err != nil {
		return err
	}
	if file != nil {
		if err := file.Commit(); err != nil {
			return failuref("cannot write %s: %s", p.saving, systemText(err))
		}
	}
	p.say("%d flow entries have been saved.", n)
	p.tellLosses("A load cannot restore the following (with the number of entries affected):", lines)
	return nil
}

// isTable tells whether a path leads to the file that the table is in.
func (p *program) isTable(path string) bool {
	if p.file == nil {
		return false
	}
	if resolved, err := atomicfile.Resolve(path); err == nil && resolved == p.file.Path() {
		return true
	}
	table, err := os.Stat(p.file.Path())
	if err != nil {
		return false
	}
	target, err := os.Stat(path)
	return err == nil && os.SameFile(table, target)
}

// lossLines are the lines that tell what is not saved. Expectations are not,
// when the whole table is.
func (p *program) lossLines(r *Request, losses *format.Losses) []string {
	var lines []string
	for line := range losses.Lines() {
		lines = append(lines, line)
	}
	if r.chooses() {
		return lines
	}
	n := 0
	for _, err := range p.table.DumpExpect(ctnetlink.FamilyAny) {
		if err != nil {
			return lines // a table without expectations
		}
		n++
	}
	if n > 0 {
		lines = append(lines, fmt.Sprintf("%d  expectations: save does not store them", n))
	}
	return lines
}

// tellLosses prints lines that begin with a number, aligned below a title.
func (p *program) tellLosses(title string, lines []string) {
	if len(lines) == 0 {
		return
	}
	width := 0
	for _, line := range lines {
		n, _, _ := strings.Cut(line, " ")
		width = max(width, len(n))
	}
	p.say("%s", title)
	for _, line := range lines {
		n, what, _ := strings.Cut(line, " ")
		fmt.Fprintf(p.stderr, "  %*s %s\n", width, n, what)
	}
}
