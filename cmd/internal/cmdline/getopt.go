package cmdline

import (
	"os"
	"strings"
	"sync"
)

// Occurrence is an option as it occurs in a command line.
type Occurrence struct {
	Word  *Word
	Value string
	// HasValue is false for a flag, and where an optional value is missing.
	HasValue bool
	// ignored: the value is the next word, which the classic command does not
	// take for a value and ignores.
	ignored bool
}

// An optionHandler takes the options of a classic command line, in order.
type optionHandler interface {
	// find returns the option that a long name means, nil if there is none. The
	// options that were taken before decide which protocols' options there are.
	find(long string) *Word
	// letter returns the option of a letter, nil if there is none.
	letter(c byte) *Word
	option(o Occurrence) error
	// unknown takes a word whose option does not exist.
	unknown(word string) error
}

// scanner reads a command line with the rules of GNU getopt_long (getopt(3)):
// options and other words in any order, `--' ends the options, letters cluster, a
// long name may be cut to any unambiguous beginning. Other words are ignored,
// unless argument takes them.
type scanner struct {
	args     []string // what is left
	handler  optionHandler
	argument func(word string)
	// number, unless it is nil, returns the option that a plain number after a letter
	// is the value of, nil if the number is the letter's own value.
	number func(letter byte) *Word
	// open is the option at the end of the line whose value may be the next word.
	// missing: it must be.
	open    *Word
	missing bool
}

func (s *scanner) scan() error {
	_, posix := os.LookupEnv("POSIXLY_CORRECT")
	for s.more() {
		s.open = nil
		w := s.take()
		var err error
		switch {
		case w == "--":
			for s.argument != nil && s.more() {
				s.argument(s.take())
			}
			return nil
		case strings.HasPrefix(w, "--"):
			err = s.long(w)
		case len(w) > 1 && w[0] == '-':
			err = s.letters(w)
		case s.argument != nil:
			s.argument(w)
		case posix:
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *scanner) more() bool { return len(s.args) > 0 }

// take returns the next word.
func (s *scanner) take() string {
	w := s.args[0]
	s.args = s.args[1:]
	return w
}

// isValue reports whether a word can be an optional value.
func isValue(word string) bool { return !strings.HasPrefix(word, "-") && !strings.HasPrefix(word, "!") }

// isNegation reports whether a word is the negation of an address.
func isNegation(word string) bool {
	return strings.HasPrefix(word, "!") && strings.ContainsAny(word, ".:")
}

// long reads a word that begins with two dashes.
func (s *scanner) long(typed string) error {
	name, value, attached := strings.Cut(typed[2:], "=")
	w := s.handler.find(name)
	switch {
	case w == nil || attached && w.Argument == NoArgument:
		return s.handler.unknown(typed)
	case attached && w.Command != CmdNone:
		return s.handler.option(Occurrence{Word: w}) // a table that is attached is dropped
	case attached:
		return s.handler.option(Occurrence{Word: w, Value: value, HasValue: true})
	}
	return s.next(w, typed)
}

// letters reads a word of one dash and letters.
//
// The value of a letter that needs one is the rest of the word, or the next word.
// The classic command drops what is attached to a letter whose value is optional.
// So is a table here. But without its address a translation would select every
// translated entry, and without its names --label-del would remove all labels.
func (s *scanner) letters(typed string) error {
	for i := 1; i < len(typed); i++ {
		w := s.handler.letter(typed[i])
		rest := typed[i+1:]
		if counted := s.numberAfter(typed[i], rest); counted.Word != nil {
			return s.handler.option(counted)
		}
		switch {
		case w == nil:
			return s.handler.unknown(typed)
		case rest == "":
			return s.next(w, typed)
		case w.Argument == NeedArgument, w.Argument == WordArgument && !w.clusters && w.Command == CmdNone:
			return s.handler.option(Occurrence{Word: w, Value: rest, HasValue: true})
		}
		// Only the last letter of a word can have the next word as its value.
		if err := s.handler.option(Occurrence{Word: w}); err != nil {
			return err
		}
		if w.Argument == WordArgument && !w.clusters {
			return nil
		}
	}
	return nil
}

// numberAfter returns the option that a plain number after a letter belongs to, with
// that number; rest is what follows the letter in its word.
func (s *scanner) numberAfter(letter byte, rest string) (o Occurrence) {
	if s.number == nil || rest == "" && !s.more() {
		return o
	}
	w := s.number(letter)
	switch {
	case w == nil:
	case rest != "" && isPlainNumber(rest):
		o = Occurrence{Word: w, Value: rest, HasValue: true}
	case rest == "" && isPlainNumber(s.args[0]):
		o = Occurrence{Word: w, Value: s.take(), HasValue: true}
	}
	return o
}

// isPlainNumber reports whether a word is digits, perhaps with a point among them and
// with a unit of time.
func isPlainNumber(word string) bool {
	digits := strings.Replace(strings.TrimRight(word, "mhs"), ".", "", 1)
	return digits != "" && strings.Trim(digits, "0123456789") == ""
}

// next hands on an option whose value may be the next word.
func (s *scanner) next(w *Word, typed string) error {
	o := Occurrence{Word: w}
	switch {
	case w.Argument == NoArgument && w.Command == CmdNone:
	case !s.more():
		s.open, s.missing = w, w.Argument == NeedArgument
		if s.missing {
			return Usagef("option `%s' requires an argument", typed)
		}
	case w.Argument == NeedArgument || isValue(s.args[0]) && (s.argument == nil || IsAddress(s.args[0])):
		o.Value, o.HasValue = s.take(), true
	case w.isNAT() && isNegation(s.args[0]):
		o.Value, o.ignored = s.take(), true
	}
	return s.handler.option(o)
}

// findShort returns the option of a letter, nil if there is none.
func findShort(letter byte) *Word {
	for i := range Words {
		if Words[i].Short == letter {
			return &Words[i]
		}
	}
	return nil
}

// exactLong maps the long names of every command line to their words.
var exactLong = sync.OnceValue(func() map[string]*Word {
	m := make(map[string]*Word, len(Words))
	for i := range Words {
		m[Words[i].Long] = &Words[i]
	}
	for i := range Extensions {
		m[Extensions[i].Long] = &Extensions[i].Word
	}
	return m
})

// findLong finds a long option by its name, or by a beginning of it that
// belongs to no other option. The options of protocols are those of -p so far.
func findLong(name string, protocols []*Protocol) *Word {
	if w := exactLong()[name]; w != nil {
		return w
	}
	var found *Word
	ambiguous := false
	look := func(list []Word) bool {
		for i := range list {
			w := &list[i]
			switch {
			case w.Long == name:
				found = w
				return true
			case !strings.HasPrefix(w.Long, name):
			case found == nil:
				found = w
			case !found.same(w):
				ambiguous = true
			}
		}
		return false
	}
	// An exact name wins over any beginning, so the protocols' come first.
	for _, proto := range protocols {
		if look(proto.Words()) {
			return found
		}
	}
	look(Words)
	if found == nil {
		for i := range Extensions {
			look([]Word{Extensions[i].Word})
		}
	}
	if ambiguous {
		return nil
	}
	return found
}
