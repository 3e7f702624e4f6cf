package config

import (
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"strings"

	"github.com/gonntrack/gonntrack/internal/printable"
)

// maxFile is the greatest size of a configuration file in bytes.
const maxFile = 1 << 24

// Read reads a configuration file. The messages are in their order; if one of them is
// fatal it is the last, and the configuration is nil.
func Read(path string) (*Config, []Message) {
	name := printable.String(path)
	f, err := os.Open(path)
	if err != nil {
		return nil, []Message{{Level: Error, Text: "can't open config file `" + name + "'", Fatal: true}}
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(text) > maxFile {
		err = fmt.Errorf("it has more than %d bytes", maxFile)
	}
	if err != nil {
		return nil, []Message{{Level: Error, Text: fmt.Sprintf("can't read config file `%s': %v", name, err), Fatal: true}}
	}
	return Parse(text)
}

// Parse is Read of the text of a file.
func Parse(text []byte) (*Config, []Message) {
	p := &parser{lexer: lexer{rest: text, line: 1}, config: defaults(), modes: make(map[Mode]bool)}
	if !p.file() || !p.finish() {
		return nil, p.messages
	}
	return p.config, p.messages
}

// parser reads a file. Its methods return false after a fatal mistake, with the message
// in messages.
type parser struct {
	lexer
	token    token // the next word, if have
	have     bool
	config   *Config
	messages []Message

	sync, stats bool // such a section was there
	modes       map[Mode]bool

	generalFacility, statsFacility bool // a facility was told
	defaultLink                    int  // index of the link that is used first
}

// peek returns the next word without taking it.
func (p *parser) peek() token {
	if !p.have {
		p.token, p.have = p.next(), true
		// Wherever it is.
		if p.token.kind == keyword && strings.EqualFold(p.token.text, "nack") {
			p.warn(p.token.line, "Now `nack' mode is called `ftfw'. Please, update your conntrackd.conf file.\n")
		}
	}
	return p.token
}

// take returns the next word.
func (p *parser) take() token {
	t := p.peek()
	p.have = false
	return t
}

// warn adds a warning.
func (p *parser) warn(line int, format string, a ...any) {
	p.messages = append(p.messages, Message{Level: Warning, Line: line, Text: fmt.Sprintf(format, a...)})
}

// fatal adds the message that ends the reading, and returns false.
func (p *parser) fatal(line int, format string, a ...any) bool {
	p.messages = append(p.messages, Message{Level: Error, Line: line, Text: fmt.Sprintf(format, a...), Fatal: true})
	return false
}

// syntax says that the next word is wrong.
func (p *parser) syntax() bool {
	t := p.peek()
	return p.fatal(t.line, "parsing config file in line (%d), symbol '%s': syntax error", t.line, printable.String(t.text))
}

// accept takes the next word if it is the keyword or character.
func (p *parser) accept(text string) bool {
	if !p.peek().is(text) {
		return false
	}
	p.have = false
	return true
}

// expect takes the next word, which must be of the kind.
func (p *parser) expect(k kind) (token, bool) {
	if p.peek().kind != k {
		return token{}, p.syntax()
	}
	return p.take(), true
}

// brace takes an opening brace.
func (p *parser) brace() bool { return p.accept("{") || p.syntax() }

// clauses are the clauses of a section by keyword. The word is taken before the call, t is it.
type clauses map[string]func(p *parser, t token) bool

// block reads a section in braces.
func (p *parser) block(c clauses) bool {
	if !p.brace() {
		return false
	}
	seen := make(map[string]int)
	for !p.accept("}") {
		p.twice(seen)
		if !p.clause(c) {
			return false
		}
	}
	return true
}

// twice notes a clause that a section has twice. Its last value is used.
func (p *parser) twice(seen map[string]int) {
	t := p.peek()
	if t.kind != keyword && t.kind != word || repeated[t.text] {
		return
	}
	if line := seen[t.text]; line > 0 {
		p.config.told = append(p.config.told, Message{Level: Warning, Line: t.line,
			Text: fmt.Sprintf("`%s' is in line %d already, the last one is used", t.text, line)})
	}
	seen[t.text] = t.line
}

// repeated are the clauses that may be there several times.
var repeated = map[string]bool{
	"Mode": true, "Multicast": true, "UDP": true, "TCP": true, "Options": true, "UNIX": true, "Scheduler": true,
	"Filter": true, "Protocol": true, "Address": true, "State": true, "Type": true, "Policy": true,
}

// clause reads one clause.
func (p *parser) clause(c clauses) bool {
	t := p.peek()
	f := c[t.text]
	if f == nil || t.kind != keyword && !(t.kind == word && own[t.text]) {
		return p.syntax()
	}
	p.config.lines[t.text] = t.line
	return f(p, p.take())
}

// own are the clauses that conntrack-tools does not know. They are keywords only where a
// clause begins.
var own = map[string]bool{"KeyFile": true, "Encrypt": true, "Extensions": true, "Metrics": true}

// file reads all.
func (p *parser) file() bool {
	for p.peek().kind != end {
		if !p.clause(sections) {
			return false
		}
	}
	return true
}

// sections are the sections of a file.
var sections = clauses{
	"Sync": func(p *parser, t token) bool {
		return p.block(syncClauses) && p.section(&p.sync, t)
	},
	"Stats": func(p *parser, t token) bool {
		return p.block(statsClauses) && p.section(&p.stats, t)
	},
	"General": func(p *parser, _ token) bool { return p.block(generalClauses) },
	"Helper":  func(p *parser, _ token) bool { return p.block(helperClauses) },
}

// section notes that one of the sections that exclude each other was there.
func (p *parser) section(seen *bool, t token) bool {
	*seen = true
	if p.sync && p.stats {
		return p.fatal(t.line, "cannot use both `Stats' and `Sync' clauses in conntrackd.conf")
	}
	return true
}

// flag returns a clause whose value is on or off.
func flag(set func(*Config, bool)) func(*parser, token) bool {
	return func(p *parser, _ token) bool {
		v, ok := p.expect(boolean)
		if ok {
			set(p.config, v.on())
		}
		return ok
	}
}

// on reports whether a boolean is on.
func (t token) on() bool { return strings.EqualFold(t.text, "on") || strings.EqualFold(t.text, "yes") }

// count returns a clause whose value is a number.
func count(set func(*Config, int)) func(*parser, token) bool {
	return func(p *parser, _ token) bool {
		n, ok := p.number()
		if ok {
			set(p.config, n)
		}
		return ok
	}
}

// number takes a number.
func (p *parser) number() (int, bool) {
	t, ok := p.expect(number)
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseInt(t.text, 10, 32)
	if err != nil {
		p.warn(t.line, "the number %s is too large, using %d", t.text, math.MaxInt32)
	}
	return int(n), true
}
