package ruleset

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/ctnetlink/engine"
)

// Options are what a ruleset depends on beside its text.
type Options struct {
	// Sysctls are the machine's. No rule depends on them so far. The zero value:
	// those of [engine.DefaultSysctls].
	Sysctls engine.Sysctls
}

// table is a table of rules.
type table struct {
	families string // ip, ip6 or inet
	name     string
	line     int
	chains   map[string]*chain
	sets     map[string]*namedSet
	helpers  map[string]*setHelper
	policies map[string]*setTimeouts
	order    []*chain
}

// covers reports whether the table's chains see packets of a family.
func (t *table) covers(f ctnetlink.Family) bool {
	switch t.families {
	case "ip":
		return f == ctnetlink.FamilyIPv4
	case "ip6":
		return f == ctnetlink.FamilyIPv6
	}
	return true
}

// parser reads a file of rules.
type parser struct {
	file   string
	tokens []token
	at     int
	o      Options
	tables []*table
	defs   map[string][]token
	jumps  []pendingJump
	// translations are the rules that translate.
	translations []translation
	t            *table // of the rule that is read
	c            *chain
}

// pendingJump is a jump to a chain that may be defined further down.
type pendingJump struct {
	table *table
	from  *chain
	to    string
	line  int
	set   func(*chain)
}

// Parse reads rules from text; name is that of the file, for errors. An error is
// an *[Error], which names the line.
func Parse(name string, text []byte, o Options) (*Ruleset, error) {
	if o.Sysctls == (engine.Sysctls{}) {
		o.Sysctls = engine.DefaultSysctls()
	}
	tokens, err := lex(name, string(text))
	if err != nil {
		return nil, err
	}
	p := &parser{file: name, tokens: tokens, o: o, defs: map[string][]token{}}
	for !p.done() {
		if err := p.command(); err != nil {
			return nil, err
		}
	}
	if err := p.link(); err != nil {
		return nil, err
	}
	if err := p.place(); err != nil {
		return nil, err
	}
	return p.assemble(), nil
}

func (p *parser) done() bool { return p.peek().text == "" && !p.peek().quoted }

// maxTokens bounds what definitions may expand to.
const maxTokens = 1 << 20

// peek returns the next token. The value of a definition takes the place of its
// name.
func (p *parser) peek() token {
	t := p.tokens[min(p.at, len(p.tokens)-1)]
	if t.quoted || len(t.text) < 2 || t.text[0] != '$' {
		return t
	}
	value, ok := p.defs[t.text[1:]]
	if !ok || len(p.tokens)+len(value) > maxTokens {
		return t
	}
	tokens := slices.Clone(value)
	for i := range tokens {
		tokens[i].line = t.line
	}
	p.tokens = slices.Replace(p.tokens, p.at, p.at+1, tokens...)
	return p.tokens[p.at]
}

func (p *parser) next() token {
	t := p.peek()
	if p.at < len(p.tokens)-1 {
		p.at++
	}
	return t
}

// accept reads the next token if it is text.
func (p *parser) accept(text string) bool {
	if p.peek().is(text) {
		p.next()
		return true
	}
	return false
}

// acceptAny reads the next token if it is one of the words.
func (p *parser) acceptAny(words ...string) (string, bool) {
	if t := p.peek(); !t.quoted && slices.Contains(words, t.text) {
		p.next()
		return t.text, true
	}
	return "", false
}

func (p *parser) expect(text string) error {
	if t := p.next(); !t.is(text) {
		return p.wrong(t, "%q is expected", text)
	}
	return nil
}

// word reads a name.
func (p *parser) word(what string) (string, error) {
	t := p.next()
	if t.isEnd() || !t.quoted && len(t.text) == 1 && t.text != "*" && strings.Contains(signs, t.text) {
		return "", p.wrong(t, "%s is expected", what)
	}
	return t.text, nil
}

func (p *parser) skipEnds() {
	for p.peek().is(endOfStatement) {
		p.next()
	}
}

// wrong returns an error at a token.
func (p *parser) wrong(t token, format string, a ...any) error {
	text := fmt.Sprintf(format, a...)
	if !t.isEnd() {
		text = fmt.Sprintf("%s, not %q", text, t.text)
	}
	return &Error{p.file, t.line, text}
}

// unknown returns the error for a word that this package does not read.
func (p *parser) unknown(t token) error {
	return &Error{p.file, t.line, fmt.Sprintf("%q is not supported here", t.text)}
}

// command reads a command at the top of the file.
func (p *parser) command() error {
	p.skipEnds()
	if p.done() {
		return nil
	}
	t := p.next()
	switch t.text {
	case "table":
		return p.table()
	case "define":
		return p.define()
	case "flush":
		if p.accept("ruleset") {
			p.tables, p.jumps, p.translations = nil, nil, nil
			return p.end()
		}
	case "delete", "destroy":
		if p.accept("table") {
			return p.deleteTable(t.text == "destroy")
		}
	case "add", "create":
		return p.add()
	}
	return p.unknown(t)
}

// end reads the end of a statement.
func (p *parser) end() error {
	if t := p.peek(); !t.isEnd() && !t.is("}") {
		return p.wrong(t, "the end of the statement is expected")
	}
	p.skipEnds()
	return nil
}

func (p *parser) define() error {
	t := p.next()
	if err := p.expect("="); err != nil {
		return err
	}
	var value []token
	for depth := 0; depth > 0 || !p.peek().isEnd(); {
		v := p.next()
		switch {
		case v.text == "" && !v.quoted:
			return p.wrong(v, "\"}\" is expected")
		case v.is(endOfStatement):
			continue
		case !v.quoted && strings.HasPrefix(v.text, "$"):
			return &Error{p.file, v.line, fmt.Sprintf("%s is not defined", v.text)}
		case v.is("{"):
			depth++
		case v.is("}"):
			depth--
		}
		value = append(value, v)
	}
	if len(value) == 0 {
		return p.wrong(t, "the definition has no value")
	}
	p.defs[t.text] = value
	return p.end()
}

// tableName reads a family, which may be left out, and a name.
func (p *parser) tableName() (families, name string, line int, err error) {
	families = "ip"
	t := p.peek()
	switch t.text {
	case "ip", "ip6", "inet":
		families = p.next().text
	case "arp", "bridge", "netdev":
		return "", "", 0, &Error{p.file, t.line, fmt.Sprintf("a table of the family %s does not take part in connection tracking: leave it out", t.text)}
	}
	name, err = p.word("the name of the table")
	return families, name, t.line, err
}

// open returns the table with a name, and makes it if there is none.
func (p *parser) open(families, name string, line int) *table {
	if i := p.index(families, name); i >= 0 {
		return p.tables[i]
	}
	t := &table{
		families: families, name: name, line: line, chains: map[string]*chain{}, sets: map[string]*namedSet{},
		helpers: map[string]*setHelper{}, policies: map[string]*setTimeouts{},
	}
	p.tables = append(p.tables, t)
	return t
}

func (p *parser) index(families, name string) int {
	return slices.IndexFunc(p.tables, func(t *table) bool { return t.families == families && t.name == name })
}

func (p *parser) deleteTable(quiet bool) error {
	families, name, line, err := p.tableName()
	if err != nil {
		return err
	}
	i := p.index(families, name)
	if i < 0 {
		if quiet {
			return p.end()
		}
		return &Error{p.file, line, fmt.Sprintf("there is no table %s %s", families, name)}
	}
	gone := p.tables[i]
	p.tables = slices.Delete(p.tables, i, i+1)
	p.jumps = slices.DeleteFunc(p.jumps, func(j pendingJump) bool { return j.table == gone })
	p.translations = slices.DeleteFunc(p.translations, func(t translation) bool { return t.chain.table == gone })
	return p.end()
}

// table reads a table and its block.
func (p *parser) table() error {
	families, name, line, err := p.tableName()
	if err != nil {
		return err
	}
	p.t = p.open(families, name, line)
	if !p.accept("{") {
		return p.end()
	}
	for p.skipEnds(); !p.accept("}"); p.skipEnds() {
		t := p.next()
		switch t.text {
		case "chain":
			err = p.chain()
		case "set":
			err = p.set()
		case "ct":
			err = p.object()
		case "comment":
			p.next()
			err = p.end()
		case "":
			return p.wrong(t, "\"}\" is expected")
		default:
			err = p.unknown(t)
		}
		if err != nil {
			return err
		}
	}
	return p.end()
}

// add reads what follows add.
func (p *parser) add() error {
	t := p.next()
	if t.is("table") {
		return p.table()
	}
	switch t.text {
	case "rule", "chain", "set", "ct", "element":
	default:
		return p.unknown(t)
	}
	kind := ""
	if t.is("ct") {
		kind = p.next().text
	}
	families, name, line, err := p.tableName()
	if err != nil {
		return err
	}
	i := p.index(families, name)
	if i < 0 {
		return &Error{p.file, line, fmt.Sprintf("there is no table %s %s", families, name)}
	}
	p.t = p.tables[i]
	switch t.text {
	case "chain":
		return p.chain()
	case "set":
		return p.set()
	case "ct":
		return p.objectOf(kind, t.line)
	case "element":
		return p.element()
	}
	at := p.peek()
	if name, err = p.word("the name of the chain"); err != nil {
		return err
	}
	if p.c = p.t.chains[name]; p.c == nil {
		return &Error{p.file, at.line, fmt.Sprintf("there is no chain %s in the table %s", name, p.t.name)}
	}
	return p.rule()
}
