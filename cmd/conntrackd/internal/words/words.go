// Package words parses conntrackd's command line, which is not one of getopt: the
// second letter of a word decides.
package words

import (
	"fmt"
	"strings"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/control"
)

// DefaultConfig is the configuration file that is read if none is named.
const DefaultConfig = "/etc/conntrackd/conntrackd.conf"

// Action is what a command line asks for.
type Action uint8

// The actions.
const (
	Run     Action = iota // the daemon, in the foreground
	Detach                // -d: the daemon, in the background
	Request               // a request to the daemon that runs
	Check                 // --check: judge the configuration
	Print                 // -v, -h: Text is printed, exit status 0
)

// Line is a command line.
type Line struct {
	Action Action
	// Config is the path of the configuration file.
	Config string
	// Request is the request that is sent to the daemon.
	Request control.Request
	// Text is what Print prints.
	Text string
	// Warnings are messages that change nothing, without the prefix of the log.
	Warnings []string
}

// Error is a wrong command line.
type Error struct {
	// Usage is printed to standard output after the message; it may be empty.
	Usage string
	// Text is the message, without the prefix of the log.
	Text string
}

func (e *Error) Error() string { return e.Text }

// parser walks the words of a command line.
type parser struct {
	Line
	name  string   // of the program
	words []string // those that are left
	given bool     // a request of conntrack-tools was given
	own   bool     // a request of our own was given
}

// Parse parses a command line, the program's name first. Line is never nil: its warnings
// come before an error, which is an *Error.
func Parse(args []string) (*Line, error) {
	p := parser{name: "conntrackd"}
	if len(args) > 0 {
		p.name, p.words = args[0], args[1:]
	}
	for len(p.words) > 0 && p.Action != Print {
		word := p.words[0]
		p.words = p.words[1:]
		err := p.ours(word)
		if err == errNotOurs {
			err = p.word(word)
		}
		if err != nil {
			return &p.Line, err
		}
	}
	if p.Config == "" {
		p.Config = DefaultConfig
	}
	return &p.Line, nil
}

// word takes a word by its second letter.
func (p *parser) word(word string) error {
	if len(word) < 2 {
		return p.wrong("Unknown option: " + word)
	}
	letter := word[1]
	switch letter {
	case 'C':
		if len(p.words) == 0 {
			return p.wrong("Missing config filename")
		}
		p.Config, p.words = p.words[0], p.words[1:]
		return nil
	case 'd':
		if p.given || p.own {
			return p.invalid()
		}
		p.Action = Detach
		return nil
	case 'v':
		p.Action, p.Text = Print, Version()
		return nil
	case 'h':
		p.Action, p.Text = Print, Usage(p.name)
		return nil
	case 'x':
		x, ok := xml[p.Request]
		if !ok || !p.given {
			return p.invalid()
		}
		p.Request = x
		return nil
	}
	o, ok := options[letter]
	if !ok {
		return p.wrong("Unknown option: " + word)
	}
	if p.Action == Detach || p.own {
		return p.invalid()
	}
	p.Action, p.given, p.Request = Request, true, o.none
	return p.value(letter, o)
}

// value takes the value of an option, if the next word is one. Of several values that a
// word begins, the first counts.
func (p *parser) value(letter byte, o option) error {
	if len(o.values) == 0 || len(p.words) == 0 || strings.HasPrefix(p.words[0], "-") {
		return nil
	}
	for _, v := range o.values {
		if !strings.HasPrefix(v.name, p.words[0]) {
			continue
		}
		if v.name == "multicast" {
			p.Warnings = append(p.Warnings, "use `link' instead of `multicast' as parameter.")
		}
		p.Request, p.words = v.request, p.words[1:]
		return nil
	}
	if o.strict {
		return &Error{Text: fmt.Sprintf("unknown parameter `%s' for option `-%c'", p.words[0], letter)}
	}
	// The word is read as the next option, and this one is spoilt: conntrack-tools sends
	// a number then that is no request.
	p.Request = control.None
	return nil
}

// wrong is an error with the usage.
func (p *parser) wrong(text string) error { return &Error{Usage: Usage(p.name), Text: text} }

func (p *parser) invalid() error { return p.wrong("Invalid parameters") }
