package cmd

import (
	"os"
	"strings"
	"sync"
)

// classic reads a command line of the classic grammar.
func (p *parser) classic(args []string) error { return p.firstMistake(p.words(args)) }

// words reads a command line with GNU getopt_long's rules (getopt(3)):
// options and other words in any order, `--' ends the options, letters
// cluster, a long name may be cut to any unambiguous beginning. Other words
// are ignored.
func (p *parser) words(args []string) error {
	_, posix := os.LookupEnv("POSIXLY_CORRECT")
	line := &line{args: args}
	for line.more() {
		w := line.take()
		var err error
		switch {
		case w == "--":
			return nil
		case strings.HasPrefix(w, "--"):
			err = p.long(w, line)
		case len(w) > 1 && w[0] == '-':
			err = p.letters(w, line)
		case posix:
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// line is what is left of a command line.
type line struct{ args []string }

func (l *line) more() bool { return len(l.args) > 0 }

func (l *line) take() string {
	w := l.args[0]
	l.args = l.args[1:]
	return w
}

// optional takes the next word if it can be an optional value.
func (l *line) optional() (value string, ok bool) {
	if !l.more() || strings.HasPrefix(l.args[0], "-") || strings.HasPrefix(l.args[0], "!") {
		return "", false
	}
	return l.take(), true
}

// negation tells whether the next word is the negation of an address.
func (l *line) negation() bool {
	return l.more() && strings.HasPrefix(l.args[0], "!") && strings.ContainsAny(l.args[0], ".:")
}

// long reads a word that begins with two dashes.
func (p *parser) long(typed string, l *line) error {
	name, value, attached := strings.Cut(typed[2:], "=")
	w := p.findLong(name)
	if w == nil || attached && w.argument == noArgument {
		return usagef("unknown option `%s'", typed)
	}
	if w.argument == needArgument && !attached {
		if !l.more() {
			return usagef("option `%s' requires an argument", typed)
		}
		value = l.take()
	}
	if attached && w.argument == wordArgument {
		return p.giveAttached(w, value)
	}
	return p.give(w, value, l)
}

// letters reads a word of one dash and letters.
func (p *parser) letters(typed string, l *line) error {
	for i := 1; i < len(typed); i++ {
		w := findShort(typed[i])
		if w == nil {
			return usagef("unknown option `%s'", typed)
		}
		rest := typed[i+1:]
		switch {
		case w.argument == needArgument && rest != "":
			return p.give(w, rest, l)
		case w.argument == needArgument && !l.more():
			return usagef("option `%s' requires an argument", typed)
		case w.argument == needArgument:
			return p.give(w, l.take(), l)
		case rest == "":
			return p.give(w, "", l)
		}
		if w.argument == wordArgument && !w.clusters {
			return p.giveAttached(w, rest)
		}
		// Only the last letter of a word sees the next word.
		if err := p.give(w, "", &line{}); err != nil {
			return err
		}
	}
	return nil
}

// give hands an option to the parser, with the next word where it takes one.
func (p *parser) give(w *word, value string, l *line) error {
	hasValue := w.argument == needArgument
	if w.argument == wordArgument || w.command != cmdNone {
		value, hasValue = l.optional()
	}
	if !hasValue && w.isNAT() && l.negation() {
		return p.natNegation(w.option, l.take())
	}
	switch {
	case w.command != cmdNone:
		return p.command(w.command, value, hasValue)
	case w.protocol != 0:
		return p.protoOption(w.protocol, value)
	}
	return p.option(w.option, value, hasValue)
}

// giveAttached hands on an option with what is attached to it, where the value
// is optional. The classic command drops it: so is a table here. But without
// its address a translation chooses every translated entry, and without its
// names --label-del removes all labels.
func (p *parser) giveAttached(w *word, value string) error {
	if w.command != cmdNone {
		return p.command(w.command, "", false)
	}
	return p.option(w.option, value, true)
}

func findShort(letter byte) *word {
	for i := range words {
		if words[i].short == letter {
			return &words[i]
		}
	}
	return nil
}

// exactLong maps the long names of every command line to their words.
var exactLong = sync.OnceValue(func() map[string]*word {
	m := make(map[string]*word, len(words))
	for i := range words {
		m[words[i].long] = &words[i]
	}
	for i := range ownOptions {
		m[ownOptions[i].long] = &ownOptions[i].word
	}
	return m
})

// findLong finds a long option by its name, or by a beginning of it that
// belongs to no other option. Those of protocols exist once -p was read.
func (p *parser) findLong(name string) *word {
	if w := exactLong()[name]; w != nil {
		return w
	}
	var found *word
	ambiguous := false
	look := func(list []word) bool {
		for i := range list {
			w := &list[i]
			switch {
			case w.long == name:
				found = w
				return true
			case !strings.HasPrefix(w.long, name):
			case found == nil:
				found = w
			case !found.same(w):
				ambiguous = true
			}
		}
		return false
	}
	// An exact name wins over any beginning: the protocols' come first.
	for _, proto := range p.protocols {
		if look(proto.words()) {
			return found
		}
	}
	look(words)
	if found == nil {
		for i := range ownOptions {
			look([]word{ownOptions[i].word})
		}
	}
	if ambiguous {
		return nil
	}
	return found
}
