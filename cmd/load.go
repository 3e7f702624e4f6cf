package cmd

import (
	"bytes"
	"io"
	"iter"
	"os"
	"runtime"
	"strings"
	"sync"

	"github.com/spf13/cobra"
)

// load runs the commands of a file, or of stdin for "-". All lines are read and
// judged before the first runs; the first refusal by the table ends it.
//
// A request takes far more room than its line. So the lines are read twice: by
// all processors to judge them, and again while the table is busy with the
// ones before.
//
// With keepGoing a refusal is reported, and the lines behind it run all the
// same. With dryRun none is run.
func (p *program) load(path string, o loadOptions) error {
	if o.hasTable {
		if err := judgeTableName(o.table); err != nil {
			return err
		}
	}
	text, err := p.readFile(path)
	if err != nil {
		return err
	}
	if err := p.judgeLines(o.netns, text); err != nil {
		return err
	}
	if err := p.openTable(o.request()); err != nil {
		return err
	}
	if o.hasNetNS {
		leave, err := p.enterNamespaces(&Request{given: 1 << optNetNS, NetNS: o.netns})
		if err != nil {
			return err
		}
		defer leave()
	}
	p.loading = true
	requests, stop := readAhead(o.netns, text)
	defer stop()
	bar := p.startProgress("loading", "lines", strings.Count(text, "\n"), false)
	if o.dryRun {
		err = p.rehearse(bar.requests(requests), o.keepGoing)
		bar.stop()
		return p.inNamespace(err)
	}
	if o.keepGoing {
		err = p.loadAll(bar.requests(requests))
	} else {
		err = p.loadUntilRefused(bar.requests(requests))
	}
	bar.stop()
	if err == nil && p.telling {
		p.tellSaved(text, !o.keepGoing)
	}
	p.tellUnrestored()
	return p.inNamespace(err)
}

// loadUntilRefused runs requests up to the first that the table refuses.
func (p *program) loadUntilRefused(requests iter.Seq[*Request]) error {
	for r := range requests {
		if err := p.run(r); err != nil {
			return err
		}
	}
	return nil
}

// newLoad is -R by name.
func (p *program) newLoad() *cobra.Command {
	var o loadOptions
	c := &cobra.Command{
		Use:     "load FILE",
		Short:   "Run the commands of a file, or of stdin for -",
		Long:    loadHelp,
		Args:    cobra.ExactArgs(1),
		Example: indent("conntrack save table\nconntrack load table"),
		RunE: func(c *cobra.Command, args []string) error {
			p.telling = true
			o.hasNetNS, o.hasTable = c.Flags().Changed("netns"), c.Flags().Changed(optTable.name())
			return p.load(args[0], o)
		},
	}
	c.Flags().BoolVar(&o.keepGoing, "keep-going", false, "report refused lines and go on")
	c.Flags().BoolVar(&o.dryRun, "dry-run", false, "tell what would become of each line, and change nothing")
	c.Flags().StringVar(&o.table, optTable.name(), "", optTable.own().help.text)
	c.Flags().StringVar(&o.netns, "netns", "", optNetNS.own().help.text)
	return c
}

// judgeLines reads and judges every line, in pieces at the same time, and
// returns what is wrong with the first line that is not right.
func (p *program) judgeLines(netns, text string) error {
	pieces := splitText(text, runtime.GOMAXPROCS(0))
	judged := make([]judgement, len(pieces))
	var wait sync.WaitGroup
	for i, piece := range pieces {
		wait.Go(func() { judged[i].judge(netns, piece) })
	}
	wait.Wait()
	// Warnings and mistakes come as if the lines had been read in turn.
	for i := range judged {
		_, _ = p.stderr.Write(judged[i].warnings.Bytes())
		if judged[i].wrong != nil {
			return judged[i].wrong
		}
	}
	for i := range judged {
		if judged[i].misplaced != nil {
			return judged[i].misplaced
		}
	}
	for i := range judged {
		if judged[i].unfit != nil {
			return judged[i].unfit
		}
	}
	return nil
}

// judgement is what is found in a piece of the text.
type judgement struct {
	warnings bytes.Buffer
	// wrong is the first line that cannot be read; misplaced the first whose
	// command may not stand there, which is told only when all can be read;
	// unfit the first whose options would be refused when it is run.
	wrong, misplaced, unfit error
}

func (j *judgement) judge(netns, text string) {
	for r, err := range readLines(netns, text, &j.warnings) {
		switch {
		case err != nil:
			j.wrong = err
			return
		case j.misplaced == nil && !r.loadable():
			j.misplaced = usagef("Cannot use command `%s' with --load-file", r.classicName())
		case j.unfit == nil:
			if j.unfit = r.judgeFilter(); j.unfit == nil {
				j.unfit = r.judgeInFile()
			}
		}
	}
}

// readLines streams the requests of a text's lines, up to the first that
// cannot be read. netns is the network namespace that they are loaded into, ""
// if none was named.
func readLines(netns, text string, stderr io.Writer) iter.Seq2[*Request, error] {
	return func(yield func(*Request, error) bool) {
		words := make([]string, 0, maxWords)
		n := 0
		for line := range strings.Lines(text) {
			n++
			words, err := splitLine(line, words[:0])
			if err != nil {
				yield(nil, err)
				return
			}
			if len(words) == 0 {
				continue
			}
			r, err := parseClassicIn(netns, words, stderr)
			if err == nil {
				r.line, r.text = n, line
			}
			if !yield(r, err) || err != nil {
				return
			}
		}
	}
}

// readAhead reads lines that were judged before, a few hundred ahead of who
// takes the requests. stop ends it.
func readAhead(netns, text string) (requests iter.Seq[*Request], stop func()) {
	const batch = 64
	ready := make(chan []*Request, 4)
	stopped := make(chan struct{})
	go func() {
		defer close(ready)
		list := make([]*Request, 0, batch)
		send := func() bool {
			select {
			case ready <- list:
				list = make([]*Request, 0, batch)
				return true
			case <-stopped:
				return false
			}
		}
		for r, err := range readLines(netns, text, io.Discard) {
			if err != nil {
				break // judged before: it cannot be
			}
			if list = append(list, r); len(list) == batch && !send() {
				return
			}
		}
		send()
	}()
	return func(yield func(*Request) bool) {
		for list := range ready {
			for _, r := range list {
				if !yield(r) {
					return
				}
			}
		}
	}, func() { close(stopped) }
}

// splitText cuts a text at line ends into about n pieces. Small texts stay
// whole.
func splitText(text string, n int) []string {
	var pieces []string
	size := max(len(text)/n+1, 64<<10)
	for len(text) > size {
		end := strings.IndexByte(text[size:], '\n')
		if end < 0 {
			break
		}
		pieces = append(pieces, text[:size+end+1])
		text = text[size+end+1:]
	}
	return append(pieces, text)
}

func (p *program) readFile(path string) (string, error) {
	var text []byte
	var err error
	if path == "-" {
		text, err = io.ReadAll(p.stdin)
	} else {
		text, err = os.ReadFile(path)
	}
	if err != nil {
		return "", usagef("Failed to open file %s for reading", path)
	}
	return string(text), nil
}

// loadable tells whether a file may hold the command.
func (r *Request) loadable() bool {
	return r.Table == tableConntrack && oneOf(r.Command, cmdCreate, cmdAdd, cmdUpdate, cmdDelete, cmdFlush)
}

// classicName is what the classic command calls a command in this message:
// -I expect is -C expect there.
func (r *Request) classicName() string {
	c := r.Command
	if c == cmdNone {
		return "unknown"
	}
	if r.Table != tableExpect || oneOf(c, cmdHelp, cmdVersion) {
		return "-" + string(rune(c))
	}
	if c == cmdCreate {
		c = cmdCount
	}
	return "-" + string(rune(c)) + " expect"
}
