package cmd

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/ctnetlink/tablefile"
	"github.com/gonntrack/gonntrack/format"
)

// program is a run of the command: where it reads and writes, and its table.
type program struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	table          *ctnetlink.Conn
	// file is the table's, where it is in one; held waits for what is told of it.
	file *tablefile.File
	held *heldOutput
	out  *output
	// loading: the command is a line of a -R file, which prints no counts.
	loading    bool
	unrestored unrestored
	// telling: the command that loads was typed by name. It goes on without
	// labels that the table has no room for, and says what is not restored.
	telling bool
	// saving is the file that a list goes to, "" if it is shown.
	saving string
	// completing: a shell asks for words.
	completing bool
	// spaces are the network namespaces of --all-netns, where is the one that
	// table is in, nil if none was named; shown is what is told of entries, and
	// each the action that is done in all of them (netns.go).
	spaces []*namespace
	where  *namespace
	shown  *format.Context
	each   *each
	// progress is the line of a long run, nil if there is none.
	progress *progress
}

// Main runs the command line and returns the exit status.
func Main() int {
	p := &program{stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, table: ctnetlink.Open()}
	defer func() { p.table.Close() }()
	return p.main(os.Args[1:])
}

// main chooses the grammar: the first word is a command's name, or the line is
// the classic grammar.
func (p *program) main(args []string) int {
	p.out = newOutput(p.stdout)
	var err error
	switch {
	case len(args) > 0 && isCommandName(args[0]):
		err = p.tree(args)
	case len(args) > 1 && (args[0] == "-R" || args[0] == "--load-file"):
		// Further words are ignored, but for this program's own.
		err = p.loadFile(args[1], args[2:])
	default:
		err = p.classic(args)
	}
	return p.end(err)
}

// end writes what is left of the output and reports the error.
func (p *program) end(err error) int {
	if ferr := p.out.flush(); err == nil {
		err = ferr
	}
	err = p.closeTable(err)
	return report(p.stderr, err)
}

// classic runs a classic command line.
func (p *program) classic(args []string) error {
	r, err := parseClassic(args, p.stderr)
	if err != nil {
		return err
	}
	return p.run(r)
}

func parseClassic(args []string, stderr io.Writer) (*Request, error) {
	return parseClassicIn("", args, stderr)
}

// parseClassicIn is parseClassic for a line of a file that is loaded into a
// network namespace, whose names of labels count.
func parseClassicIn(netns string, args []string, stderr io.Writer) (*Request, error) {
	parser := newParser(stderr)
	parser.req.NetNS = netns
	if err := parser.classic(args); err != nil {
		return nil, err
	}
	if err := parser.judge(); err != nil {
		return nil, err
	}
	return parser.req, nil
}

// run carries a request out.
func (p *program) run(r *Request) error {
	if p.loading {
		return p.perform(r) // on the table of the whole file, whatever it is
	}
	if err := p.openTable(r); err != nil {
		return err
	}
	if !r.has(optNetNS) && !r.has(optAllNetNS) {
		return p.perform(r)
	}
	leave, err := p.enterNamespaces(r)
	if err != nil {
		return err
	}
	defer leave()
	return p.inNamespace(p.perform(r))
}

// perform carries a request out on the tables that are meant.
func (p *program) perform(r *Request) error {
	switch r.Command {
	case cmdEvents:
		return p.events(r)
	case cmdVersion:
		return p.print(compatVersion + "\n")
	case cmdNone, cmdHelp:
		return p.print(helpText)
	}
	if err := r.judgeFilter(); err != nil {
		return err
	}
	p.dress(r)
	if p.spaces != nil && (r.Command != cmdList || r.Table == tableExpect) {
		return p.inEach(r)
	}
	return p.act(r)
}

// act carries a request out on one table.
func (p *program) act(r *Request) error {
	expect := r.Table == tableExpect
	switch r.Command {
	case cmdList:
		if expect {
			return p.listExpect(r)
		}
		return p.list(r)
	case cmdGet:
		if expect {
			return p.getExpect(r)
		}
		return p.get(r)
	case cmdCreate:
		if expect {
			return p.createExpect(r)
		}
		return p.create(r)
	case cmdAdd:
		return p.add(r)
	case cmdUpdate:
		return p.update(r)
	case cmdDelete:
		if expect {
			return p.deleteExpect(r)
		}
		return p.delete(r)
	case cmdFlush:
		if expect {
			return p.flushExpect(r)
		}
		return p.flush(r)
	case cmdCount:
		return p.count(r)
	}
	if r.writesReport() {
		return p.report(r)
	}
	return p.stats(r)
}

func (p *program) print(s string) error {
	p.out.buf = append(p.out.buf, s...)
	return p.out.flush()
}

// say prints a message on stderr, after the output so far.
func (p *program) say(form string, args ...any) {
	_ = p.out.flush() // the failure is kept, and reported at the end
	fmt.Fprintf(p.stderr, compatVersion+": "+form+"\n", args...)
}

// counted prints how many entries a command acted on, and is a failure when it
// should have found one.
func (p *program) counted(n int, form string, needed bool) error {
	if err := p.out.flush(); err != nil {
		return err
	}
	if p.loading {
		return nil
	}
	if p.each != nil {
		p.each.count(n, form, needed)
		return nil
	}
	p.say(form, n)
	if needed && n == 0 {
		return errQuiet
	}
	return nil
}

// refused wraps an error of the table in the words of the command.
func (r *Request) refused(err error) error {
	if err == nil {
		return nil
	}
	return &refusal{r.Command, r.Table, err}
}

// flowPrinter prints entries as a request wants them.
type flowPrinter struct {
	*format.Printer
	out     *output
	context format.Context
	framed  bool // a header goes before the first and a footer after the last
	opened  bool // the header was written
	held    bool // more entries follow, of other network namespaces
	n       int
}

// flows returns the printer for a command's entries. -D and -U show neither
// XML's header lines nor time stamps, -D no labels.
func (p *program) flows(r *Request) *flowPrinter {
	if p.each != nil && p.each.printer != nil {
		return p.each.printer
	}
	o := r.Output
	w := &flowPrinter{out: p.out, context: format.Context{Now: time.Now(), Verb: 'A'}}
	switch r.Command {
	case cmdDelete:
		o.KTimestamp, o.Labels = false, false
		w.context.Verb = 'D'
		w.framed = o.Style != format.StyleXML
	case cmdUpdate:
		o.KTimestamp = false
		w.framed = o.Style != format.StyleXML
	case cmdEvents:
		o.Events, w.framed = true, true
		if o.Style == format.StyleJSON {
			o.Style = format.StyleJSONL // a document that has no end
		}
	default:
		w.framed = true
	}
	o.Expect = r.Table == tableExpect
	w.Printer = format.NewPrinter(o)
	p.shown, w.context.NetNS = &w.context, p.netns()
	if p.each != nil {
		p.each.printer, w.held = w, true
	}
	return w
}

func (w *flowPrinter) flow(f *ctnetlink.Flow) error {
	w.open()
	w.out.buf = w.append(w.AppendSeparator(w.out.buf, w.n), f)
	w.n++
	return w.out.spill()
}

// open writes the header, once.
func (w *flowPrinter) open() {
	if w.framed && !w.opened {
		w.out.buf = w.AppendHeader(w.out.buf)
		w.opened = true
	}
}

// append appends an entry's line; its age is counted until now.
func (w *flowPrinter) append(dst []byte, f *ctnetlink.Flow) []byte {
	if f.Has(ctnetlink.AttrTimestamp) {
		w.context.Now = time.Now()
	}
	return w.AppendFlow(dst, f, &w.context)
}

// line prints an entry whose line was made before.
func (w *flowPrinter) line(line []byte) error {
	w.open()
	w.out.buf = append(w.AppendSeparator(w.out.buf, w.n), line...)
	w.n++
	return w.out.spill()
}

func (w *flowPrinter) expect(x *ctnetlink.Expect) error {
	w.open()
	w.out.buf = w.AppendExpect(w.AppendSeparator(w.out.buf, w.n), x, &w.context)
	w.n++
	return w.out.spill()
}

// end writes the footer, or what stands for a list without an entry. A command
// that fails leaves it out, so that no reader takes a part for the whole.
func (w *flowPrinter) end() {
	switch {
	case w.held:
	case w.opened:
		w.out.buf = w.AppendFooter(w.out.buf)
	case w.framed:
		w.out.buf = w.AppendEmpty(w.out.buf)
	}
}

// isCommandName tells whether a word is the name of a command of the tree. Any
// other first word is the classic grammar's, which ignores it.
func isCommandName(s string) bool {
	if strings.HasPrefix(s, "-") {
		return false
	}
	return slices.Contains(commandNames, s)
}
