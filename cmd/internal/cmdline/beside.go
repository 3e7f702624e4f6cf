package cmdline

import (
	"slices"

	"github.com/gonntrack/gonntrack/cmd/internal/console"
)

// BesideOption is an option of a program beside conntrack that `list' does not have,
// or has with another meaning.
type BesideOption struct {
	Name  string
	Short byte
	Value string // the placeholder of its value, "" if it has none
	Text  string
	// Several: it can be given more than once.
	Several bool
}

// BesideWords returns the options for the reader of command lines.
func BesideWords(options []BesideOption) []Word {
	list := make([]Word, len(options))
	for i, o := range options {
		list[i].Long, list[i].Short = o.Name, o.Short
		if o.Value != "" {
			list[i].Argument = NeedArgument
		}
	}
	return list
}

// Beside is the command line of a program beside conntrack: its own options, those
// of a command by name, in any order, and arguments. Names are not abbreviated.
type Beside struct {
	// Own are the program's own options, by their long names. They come before
	// the command's of the same name.
	Own []Word
	// Refused are options of the command that have no meaning for the program.
	Refused []Option
	// Numbers are letters of the command, with the own option that a plain number
	// after one of them is the value of: the number does not belong to the letter.
	Numbers map[byte]string
	// Live: rates are known, and what is not sorted otherwise has the largest first;
	// see Request.Live.
	Live bool

	// Given are the program's own options as they were given, Arguments the words
	// that are not options.
	Given     []Occurrence
	Arguments []string

	command []Occurrence
}

// Scan reads a command line.
func (b *Beside) Scan(args []string) error {
	s := &scanner{args: args, handler: b, argument: func(w string) { b.Arguments = append(b.Arguments, w) }}
	if b.Numbers != nil {
		s.number = func(letter byte) *Word {
			if name, ok := b.Numbers[letter]; ok {
				return b.find(name)
			}
			return nil
		}
	}
	return s.scan()
}

// Request returns the request of the command with the options that were given.
func (b *Beside) Request(c Command, stderr *console.Messages) (*Request, error) {
	p := newParser(stderr)
	p.req.Live = b.Live
	return parseNamed(p, c, "", b.command)
}

// FilterWords returns the options of the command that select entries, as words of a
// command line.
func (b *Beside) FilterWords() []string {
	var words []string
	for _, o := range b.command {
		w := o.Word
		if w.Protocol == 0 && uint64(selectingOptions)>>w.Option&1 == 0 && w.Option != OptLabelMap {
			continue
		}
		name := "--" + w.Long
		if w.Long == "" {
			name = "-" + string(rune(w.Short))
		}
		switch {
		case !o.HasValue:
			words = append(words, name)
		case w.Argument == NeedArgument:
			words = append(words, name, o.Value)
		default: // a value that may be missing
			words = append(words, name+"="+o.Value)
		}
	}
	return words
}

// Takes reports whether the program takes an option of the command.
func (b *Beside) Takes(w *Word, c Command) bool {
	switch {
	case w.Command != CmdNone, slices.ContainsFunc(b.Own, func(own Word) bool { return own.Long == w.Long }),
		w.Protocol == 0 && slices.Contains(b.Refused, w.Option):
		return false
	case w.Protocol != 0:
		return slices.ContainsFunc(Protocols, func(p *Protocol) bool { return p.Takes(c, TableConntrack, w.Protocol) })
	case w.Option >= NumClassic:
		return w.Option.Extension().TakenBy(c, TableConntrack)
	}
	return Takes(c, TableConntrack, w.Option)
}

func (b *Beside) find(long string) *Word {
	for i := range b.Own {
		if b.Own[i].Long == long {
			return &b.Own[i]
		}
	}
	w := findLong(long, Protocols)
	if w == nil {
		for i := range FamilyWords {
			if FamilyWords[i].Long == long {
				return &FamilyWords[i]
			}
		}
		return nil
	}
	if w.Long != long || w.Command != CmdNone || w.Protocol == 0 && slices.Contains(b.Refused, w.Option) {
		return nil
	}
	return w
}

func (b *Beside) letter(c byte) *Word {
	for _, list := range [][]Word{b.Own, FamilyWords} {
		for i := range list {
			if list[i].Short == c {
				return &list[i]
			}
		}
	}
	w := findShort(c)
	if w == nil || w.Command != CmdNone || w.Protocol == 0 && slices.Contains(b.Refused, w.Option) {
		return nil
	}
	return w
}

func (b *Beside) option(o Occurrence) error {
	if slices.ContainsFunc(b.Own, func(w Word) bool { return w.Long == o.Word.Long && w.Short == o.Word.Short }) {
		b.Given = append(b.Given, o)
		return nil
	}
	b.command = append(b.command, o)
	return nil
}

func (b *Beside) unknown(word string) error { return Usagef("unknown option `%s'", word) }
