package words

import (
	"errors"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/control"
)

var errNotOurs = errors.New("not a word of ours")

// ours takes a word that is exactly one of our own. They are judged before the rule of
// the second letter; conntrack-tools refuses each of them, since that letter is a dash.
func (p *parser) ours(word string) error {
	var r control.Request
	switch word {
	case "--check":
	case "--status":
		r = control.Status
	case "--diff":
		r = control.Diff
	case "--demote":
		r = control.Demote
	default:
		return errNotOurs
	}
	if p.Action != Run {
		return p.invalid()
	}
	p.own, p.Action, p.Request = true, Request, r
	if word == "--check" {
		p.Action = Check
	}
	if word == "--status" {
		return p.output()
	}
	return nil
}

// output takes -o json and -o prom behind --status.
func (p *parser) output() error {
	if len(p.words) == 0 || p.words[0] != "-o" {
		return nil
	}
	if len(p.words) < 2 {
		return p.wrong("Missing output form: json or prom")
	}
	switch form := p.words[1]; form {
	case "json":
		p.Request = control.StatusJSON
	case "prom":
		p.Request = control.StatusProm
	default:
		return p.wrong("Unknown output form: " + form)
	}
	p.words = p.words[2:]
	return nil
}
