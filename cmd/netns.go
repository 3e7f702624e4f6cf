package cmd

import (
	"errors"
	"fmt"
	"os"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/format"
	"github.com/gonntrack/gonntrack/stats"
)

// currentNetNS is the name of the namespace in which the program runs. No
// namespace of ip-netns(8) can have it.
const currentNetNS = "."

// namespace is a network namespace whose table is meant.
type namespace struct {
	name  string
	file  *os.File // what it is entered by; nil: it is the current one
	table *ctnetlink.Conn
	names *processNames // of its sockets; nil: not asked for yet
}

// close gives up what the namespace was reached by.
func (ns *namespace) close() {
	_ = ns.table.Close()
	if ns.file != nil {
		_ = ns.file.Close()
	}
}

// judgeNetNS refuses namespaces beside what has no place for their names.
func (r *Request) judgeNetNS() error {
	switch all := r.has(optAllNetNS); {
	case !all && !r.has(optNetNS):
	case all && r.has(optNetNS):
		return usagef("--netns cannot be used with --all-netns")
	case r.has(optTable):
		return usagef("--table cannot be used with --netns: a file holds one table")
	case all && oneOfStyles(r.Output.Style, format.StyleSave, format.StyleNetlink):
		return usagef("-o save and -o netlink cannot be used with --all-netns: use --netns for each namespace")
	}
	return nil
}

// enterNamespaces makes the request one about the namespaces that --netns or
// --all-netns names. leave makes it the program's own again.
func (p *program) enterNamespaces(r *Request) (leave func(), err error) {
	home := p.table
	var spaces []*namespace
	leave = func() {
		p.table, p.where, p.spaces = home, nil, nil
		for _, ns := range spaces {
			ns.close()
		}
	}
	if r.has(optAllNetNS) {
		if spaces, err = p.allNamespaces(); err != nil {
			return nil, err
		}
		p.spaces = spaces
		r.Output.NetNS = true
		return leave, nil
	}
	ns, err := openNamespace(r.NetNS)
	if err != nil {
		return nil, err
	}
	spaces = []*namespace{ns}
	p.where, p.table = ns, ns.table
	return leave, nil
}

// visit calls do in each of the namespaces that are meant until it returns
// false: in the current one when none was named.
func (p *program) visit(do func() bool) {
	if p.spaces == nil || p.each != nil {
		do()
		return
	}
	for _, ns := range p.spaces {
		p.enter(ns)
		if !do() {
			return
		}
	}
}

// enter makes a namespace's table the one that is acted on, and its name that
// of what is shown.
func (p *program) enter(ns *namespace) {
	p.where, p.table = ns, ns.table
	if p.shown != nil {
		p.shown.NetNS = ns.name
	}
}

// netns returns the name that what is shown goes under: none where there is
// one namespace only.
func (p *program) netns() string {
	if p.spaces == nil || p.where == nil {
		return ""
	}
	return p.where.name
}

// atHome tells whether the files of /proc are those of the table.
func (p *program) atHome() bool { return p.file == nil && (p.where == nil || p.where.file == nil) }

// inNamespace names the namespace in an error. What was told already stays
// silent.
func (p *program) inNamespace(err error) error {
	var usage *usageError
	if err == nil || p.where == nil || errors.Is(err, errQuiet) || errors.As(err, &usage) {
		return err
	}
	return fmt.Errorf("network namespace `%s': %w", format.AppendName(nil, p.where.name), err)
}

// each is one action in every namespace, told as one.
type each struct {
	printer *flowPrinter
	records *format.Records
	reports []*stats.Report
	counted bool
	n       int
	form    string
	needed  bool
}

// count takes in what an action counted: the printer of all of them goes on
// counting, others count their own.
func (e *each) count(n int, form string, needed bool) {
	if e.printer == nil {
		n += e.n
	}
	e.counted, e.n, e.form, e.needed = true, n, form, needed
}

// failed ends what failed in one namespace: what was changed in those before is
// counted.
func (e *each) failed(p *program, r *Request, err error) error {
	if !e.counted || !oneOf(r.Command, cmdDelete, cmdUpdate) {
		return err
	}
	if e.printer != nil {
		e.n = e.printer.n
	}
	p.each = nil
	_ = p.counted(e.n, e.form, false) // the failure in the namespace is the one to tell
	return err
}

// inEach carries a request out in each namespace. Where it is about one entry,
// not every namespace must have it.
func (p *program) inEach(r *Request) error {
	e := &each{}
	p.each = e
	defer func() { p.each = nil }()
	found := false
	var missing error
	for _, ns := range p.spaces {
		p.enter(ns)
		err := p.act(r)
		if errors.Is(err, ctnetlink.ENOENT) && (r.Command == cmdGet || r.Table == tableExpect) {
			missing = err
			continue
		}
		if err != nil {
			return e.failed(p, r, err)
		}
		found = true
	}
	if !found && missing != nil {
		p.where = nil // it is in none of them
		return missing
	}
	p.each = nil
	if e.printer != nil {
		e.printer.held = false
		e.printer.end()
	}
	if e.records != nil {
		p.out.buf = e.records.AppendEnd(p.out.buf)
	}
	if e.reports != nil {
		return p.printReports(r, e.reports)
	}
	if e.counted {
		return p.counted(e.n, e.form, e.needed)
	}
	return p.out.flush()
}

// newRecords returns the records that -C or -S writes: of all namespaces, one
// list.
func (p *program) newRecords(r *Request, list bool) *format.Records {
	switch {
	case p.each == nil:
		return format.NewRecords(r.Output.Style, list)
	case p.each.records == nil:
		p.each.records = format.NewRecords(r.Output.Style, true)
	}
	return p.each.records
}

// endRecords ends the records, unless there are more to come.
func (p *program) endRecords(w *format.Records) {
	if p.each == nil {
		p.out.buf = w.AppendEnd(p.out.buf)
	}
}

// withNetNS adds the namespace's name to a record.
func (p *program) withNetNS(values []format.Value) []format.Value {
	if name := p.netns(); name != "" {
		return append(values, format.Text("netns", name))
	}
	return values
}

// netnsField is the end of a line that names its namespace, like an entry's.
func (p *program) netnsField() string {
	if name := p.netns(); name != "" {
		return string(format.AppendName([]byte(" netns="), name))
	}
	return ""
}
