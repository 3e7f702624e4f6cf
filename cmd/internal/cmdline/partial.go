package cmdline

import (
	"slices"
	"strings"
)

// Partial is what is known of a classic command line of which some words have
// been typed.
type Partial struct {
	Command Command
	Table   Table
	// Protocols are those that -p named so far.
	Protocols []*Protocol
	// Given are the options so far, without the command.
	Given []Occurrence
	// Open is the option, or command, whose value the next word may be, nil if
	// there is none. Missing: it must be.
	Open    *Word
	Missing bool
}

// ParsePartial reads the words that have been typed. What is wrong with them is
// ignored.
func ParsePartial(args []string) *Partial {
	p := &Partial{}
	if at, ok := loadFile(append(slices.Clip(args), "FILE")); ok {
		p.Command = CmdLoad
		if at == len(args)-1 {
			p.Open, p.Missing = &loadWord, true
			return p
		}
		s := &scanner{args: slices.Concat(args[:at], args[at+2:]), handler: (*partialHandler)(p)}
		_ = s.scan()
		p.Open, p.Missing = s.open, s.missing
		return p
	}
	s := &scanner{args: args, handler: (*partialHandler)(p)}
	_ = s.scan() // fails for a missing value, which Missing reports
	p.Open, p.Missing = s.open, s.missing
	return p
}

// loadWord is -R, which is an option in the first word of a line only.
var loadWord = Word{Long: "load-file", Short: 'R', Argument: NeedArgument, Command: CmdLoad}

// Find returns the option that a long name means after the words so far, nil if
// there is none.
func (p *Partial) Find(long string) *Word { return findLong(long, p.Protocols) }

// Has reports whether an option was given.
func (p *Partial) Has(w *Word) bool {
	for i := range p.Given {
		if p.Given[i].Word.same(w) {
			return true
		}
	}
	return false
}

// partialHandler takes the options of a Partial.
type partialHandler Partial

func (p *partialHandler) find(long string) *Word { return (*Partial)(p).Find(long) }

func (*partialHandler) letter(c byte) *Word { return findShort(c) }

func (p *partialHandler) option(o Occurrence) error {
	if o.Word.Command != CmdNone {
		p.Command = o.Word.Command
		if t, err := TableByName(o.Value); err == nil && o.HasValue {
			p.Table = t
		}
		return nil
	}
	if o.Word.Protocol == 0 && o.Word.Option == OptProtoNum {
		for name := range strings.SplitSeq(strings.TrimPrefix(o.Value, "!"), ",") {
			if proto, ok := ProtocolByName(name); ok {
				p.Protocols = append(p.Protocols, proto)
			}
		}
	}
	p.Given = append(p.Given, o)
	return nil
}

func (*partialHandler) unknown(string) error { return nil }
