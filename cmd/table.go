package cmd

import (
	"errors"
	"fmt"
	"os"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/ctnetlink/tablefile"
	"github.com/gonntrack/gonntrack/format"
)

// Which table a command is about: the kernel's, or one in a file. Everything
// else here asks p.table and does not know.

// envTable names the file whose table every command is about, unless --table
// names another one. Empty: the kernel's.
const envTable = "CONNTRACK_TABLE"

// tableChoice says which table is meant.
type tableChoice struct {
	path string // "": the kernel's
	// optional: the file need not exist to be read.
	optional bool
}

// tableChoice returns the table that a request means. A network namespace is the
// kernel's.
func (r *Request) tableChoice() (tableChoice, error) {
	path, named := r.TableFile, r.has(optTable)
	if !named && !r.has(optNetNS) && !r.has(optAllNetNS) {
		path = os.Getenv(envTable)
	}
	if path == "" {
		return defaultTable()
	}
	return tableChoice{path: path}, nil
}

// judgeTableName refuses an empty name: behind --table "$FILE" stands a variable
// that is not set, and the kernel's table is not what was meant.
func judgeTableName(name string) error {
	if name == "" {
		return usagef("--table requires a file name")
	}
	return nil
}

// openTable makes the table that a request means the program's, once: the lines
// of a file are all about the same.
func (p *program) openTable(r *Request) error {
	if p.file != nil || oneOf(r.Command, cmdNone, cmdHelp, cmdVersion) {
		return nil
	}
	if err := r.judgeNetNS(); err != nil {
		return err
	}
	if r.Output.Style == format.StyleNetlink && isTerminal(p.stdout) {
		return usagef("-o netlink writes binary data: redirect it to a file or a pipe")
	}
	choice, err := r.tableChoice()
	if err != nil || choice.path == "" {
		return err
	}
	if choice.optional && isTerminal(p.stderr) {
		fmt.Fprintf(p.stderr, "NOTICE: this system has no connection tracking table of its own; using the one in %s\n", choice.path)
	}
	file, err := tablefile.Open(choice.path, tablefile.Options{Optional: choice.optional})
	if err != nil {
		return failuref("%s", tableFileText(err))
	}
	p.file = file
	p.table = ctnetlink.NewConn(file.Dial)
	p.holdOutput()
	return nil
}

// judgeTable refuses -o netlink where it cannot make a table file.
func (r *Request) judgeTable() error {
	if r.Output.Style != format.StyleNetlink {
		return nil
	}
	switch {
	case r.Table == tableExpect:
		return usagef("-o netlink cannot be used with expectations alone: -L -o netlink writes them with their connections")
	case r.Command == cmdEvents:
		return usagef("-o netlink cannot be used with -E: events lack attributes")
	case !oneOf(r.Command, cmdList, cmdGet):
		return usagef("-o netlink can only be used with -L and -G")
	}
	return nil
}

// appendExpectations lets the expectations follow the entries in a table file,
// when it is to hold the whole table.
func (p *program) appendExpectations(r *Request, w *flowPrinter) error {
	if r.Output.Style != format.StyleNetlink || r.chooses() {
		return nil
	}
	w.open()
	for x, err := range p.table.DumpExpect(ctnetlink.FamilyAny) {
		if err != nil {
			return r.refused(err)
		}
		w.out.buf = w.AppendExpect(w.out.buf, x, &w.context)
		if err := w.out.spill(); err != nil {
			return err
		}
	}
	return nil
}

// tableFileText says what is wrong with a table file, "" when the error is about
// something else.
func tableFileText(err error) string {
	var file *tablefile.Error
	if !errors.As(err, &file) {
		return ""
	}
	return fmt.Sprintf("table file %s: %s", file.Path, file.Err)
}

// closeTable makes what was changed last, and lets what was said about it out. A
// failure to do so goes before the command's own.
func (p *program) closeTable(err error) error {
	if p.file == nil {
		return err
	}
	serr := p.held.settle()
	p.stderr = p.held.stderr
	switch {
	case p.held.failed != nil:
		return failuref("%s; changes that were not reported are lost", tableFileText(p.held.failed))
	case err == nil:
		return writeFailure(serr)
	}
	return err
}
