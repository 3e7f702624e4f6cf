package cmd

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/format"
)

// flush empties the table, or removes one family's entries.
func (p *program) flush(r *Request) error {
	switch {
	case p.toBeMade() && r.has(optDryRun):
		p.flows(r).end()
		return p.counted(0, "%d flow entries would have been deleted.", false)
	case r.has(optDryRun):
		return p.wouldDelete(r)
	case p.asks(r):
		n, _, err := p.table.Count()
		if err != nil {
			return r.refused(err)
		}
		question := fmt.Sprintf("Delete all %d flow entries%s?", n, p.ofNetNS())
		if r.Family != ctnetlink.FamilyAny {
			question = fmt.Sprintf("Delete all IPv%d flow entries%s? (There are %d of both families.)",
				ipVersion(r.Family), p.ofNetNS(), n)
		}
		if err := p.confirm(int(n), question); err != nil {
			return err
		}
	}
	if err := p.table.Flush(r.Family); err != nil {
		return r.refused(err)
	}
	p.say("connection tracking table%s has been emptied.", p.ofNetNS())
	return nil
}

func ipVersion(family uint8) int {
	if family == ctnetlink.FamilyIPv6 {
		return 6
	}
	return 4
}

// flushExpect removes all expectations.
func (p *program) flushExpect(r *Request) error {
	switch {
	case p.toBeMade() && r.has(optDryRun):
		p.flows(r).end()
		return p.counted(0, "%d expectations would have been deleted.", false)
	case r.has(optDryRun):
		return p.wouldFlushExpect(r)
	case p.asks(r):
		n := 0
		for _, err := range p.table.DumpExpect(ctnetlink.FamilyAny) {
			if err != nil {
				return r.refused(err)
			}
			n++
		}
		if err := p.confirm(n, fmt.Sprintf("Delete all %d expectations%s?", n, p.ofNetNS())); err != nil {
			return err
		}
	}
	if err := p.table.FlushExpect(); err != nil {
		return r.refused(err)
	}
	p.say("expectation table%s has been emptied.", p.ofNetNS())
	return nil
}

// toBeMade tells whether the table's file does not exist: to empty it makes it.
func (p *program) toBeMade() bool {
	if p.file == nil {
		return false
	}
	if _, err := os.Stat(p.file.Path()); !errors.Is(err, fs.ErrNotExist) {
		return false
	}
	_, err := os.Stat(filepath.Dir(p.file.Path()))
	return err == nil
}

// asks tells whether somebody is there to be asked before a table is emptied:
// who typed `flush' on a terminal. -F never asks. In a table that does not exist
// there is nothing to ask about.
func (p *program) asks(r *Request) bool {
	return r.byName && !r.has(optYes) && isTerminal(p.stdin) && !p.toBeMade()
}

// confirm asks whether n of something may be deleted, if there are any. It is
// asked on stderr, or on the terminal where stderr leads elsewhere. Yes is an
// answer that begins with a y; without one the command ends with the error.
func (p *program) confirm(n int, question string) error {
	if n == 0 {
		return nil
	}
	var to io.Writer = p.stderr
	if !isTerminal(p.stderr) {
		terminal, err := openTerminal()
		if err != nil {
			return usagef("flush asks for confirmation, but stderr is not a terminal: use --yes")
		}
		defer terminal.Close()
		to = terminal
	}
	_ = p.out.flush() // the failure is kept, and reported at the end
	fmt.Fprintf(to, "%s [y/N] ", question)
	if hasPrefixFold(strings.TrimSpace(p.answer()), "y") {
		return nil
	}
	p.say("nothing was deleted.")
	return errQuiet
}

// answer reads a line.
func (p *program) answer() string {
	var line []byte
	var b [1]byte
	for { // byte by byte: what follows the line is not ours
		n, err := p.stdin.Read(b[:])
		if n == 0 && err != nil || n > 0 && b[0] == '\n' {
			return string(line)
		}
		line = append(line, b[:n]...)
	}
}

// ofNetNS names the network namespace whose table is meant, where there are
// several.
func (p *program) ofNetNS() string {
	if name := p.netns(); name != "" {
		return " of network namespace `" + string(format.AppendName(nil, name)) + "'"
	}
	return ""
}
