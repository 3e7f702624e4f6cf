package cmd

import (
	"fmt"
	"strings"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// flush empties the table, or removes one family's entries.
func (p *program) flush(r *Request) error {
	if r.has(optDryRun) {
		return p.wouldDelete(r)
	}
	if p.asks(r) {
		n, _, err := p.table.Count()
		if err != nil {
			return r.refused(err)
		}
		question := fmt.Sprintf("Delete all %d flow entries%s?", n, p.ofNetNS())
		if r.Family != ctnetlink.FamilyAny {
			question = fmt.Sprintf("Delete all IPv%d flow entries%s? (There are %d of both families.)",
				ipVersion(r.Family), p.ofNetNS(), n)
		}
		if n > 0 && !p.confirm(question) {
			return p.unconfirmed()
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
	if r.has(optDryRun) {
		return p.wouldFlushExpect(r)
	}
	if p.asks(r) {
		n := 0
		for _, err := range p.table.DumpExpect(ctnetlink.FamilyAny) {
			if err != nil {
				return r.refused(err)
			}
			n++
		}
		if n > 0 && !p.confirm(fmt.Sprintf("Delete all %d expectations%s?", n, p.ofNetNS())) {
			return p.unconfirmed()
		}
	}
	if err := p.table.FlushExpect(); err != nil {
		return r.refused(err)
	}
	p.say("expectation table%s has been emptied.", p.ofNetNS())
	return nil
}

// asks tells whether somebody is there to be asked before a table is emptied:
// who typed `flush' on a terminal. -F never asks.
func (p *program) asks(r *Request) bool {
	return r.byName && !r.has(optYes) && isTerminal(p.stdin) && isTerminal(p.stderr)
}

// confirm asks a question on stderr; yes is an answer that begins with a y.
func (p *program) confirm(question string) bool {
	_ = p.out.flush() // the failure is kept, and reported at the end
	fmt.Fprintf(p.stderr, "%s [y/N] ", question)
	var answer []byte
	var b [1]byte
	for { // byte by byte: what follows the line is not ours
		n, err := p.stdin.Read(b[:])
		if n == 0 && err != nil || n > 0 && b[0] == '\n' {
			break
		}
		answer = append(answer, b[:n]...)
	}
	return hasPrefixFold(strings.TrimSpace(string(answer)), "y")
}

// unconfirmed ends a command that was not confirmed.
func (p *program) unconfirmed() error {
	p.say("nothing was deleted.")
	return errQuiet
}

// ofNetNS names the network namespace whose table is meant, where there are
// several.
func (p *program) ofNetNS() string {
	if name := p.netns(); name != "" {
		return " of network namespace `" + name + "'"
	}
	return ""
}
