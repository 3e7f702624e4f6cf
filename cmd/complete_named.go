package cmd

import (
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/gonntrack/gonntrack/cmd/internal/action"
	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
)

// Completion in the grammar with names.

// completeCommand completes the name of a command.
func (p *program) completeCommand(typed string) cmdline.Candidates {
	var words []string
	for _, c := range p.newTree("help").Commands() {
		words = append(words, c.Name()+"\t"+c.Short)
	}
	return cmdline.Matching(typed, words)
}

// completeNamed completes typed after the words before it, which follow the name
// of a command.
func (p *program) completeNamed(name string, before []string, typed string) cmdline.Candidates {
	root := p.newTree(name)
	i := 0
	for i < len(root.Commands()) && root.Commands()[i].Name() != name {
		i++
	}
	if i == len(root.Commands()) {
		return cmdline.Candidates{} // a request of a shell's script
	}
	l := &partialNamed{command: root.Commands()[i]}
	l.read(before)
	switch {
	case l.open != nil:
		return l.value(l.open, typed)
	case l.ended || !strings.HasPrefix(typed, "-") || typed == "-" && name == "load":
		return p.completeArgument(l, typed)
	case strings.HasPrefix(typed, "--") && strings.ContainsRune(typed, '='):
		option, value, _ := strings.Cut(typed[2:], "=")
		if f := l.command.Flags().Lookup(option); f != nil {
			return l.value(f, value)
		}
		return cmdline.Candidates{}
	}
	return l.options(typed)
}

// partialNamed is what is known of a command line with a name of which some words
// have been typed.
type partialNamed struct {
	command *cobra.Command
	args    []string
	given   []cmdline.Occurrence
	open    *pflag.Flag // whose value the next word is; nil: none
	ended   bool        // by --
}

// read reads words as pflag does. What is wrong with them is ignored.
func (l *partialNamed) read(words []string) {
	for _, word := range words {
		switch {
		case l.open != nil:
			l.note(l.open, word)
			l.open = nil
		case l.ended || word == "-" || !strings.HasPrefix(word, "-"):
			l.args = append(l.args, word)
		case word == "--":
			l.ended = true
		case strings.HasPrefix(word, "--"):
			name, value, attached := strings.Cut(word[2:], "=")
			l.option(l.command.Flags().Lookup(name), value, attached)
		default:
			l.letters(word[1:])
		}
	}
}

// letters reads the letters of a word.
func (l *partialNamed) letters(word string) {
	for i := range len(word) {
		f := l.command.Flags().ShorthandLookup(word[i : i+1])
		rest := word[i+1:]
		value, attached := strings.CutPrefix(rest, "=")
		switch {
		case f == nil:
			return
		case attached, rest != "" && f.NoOptDefVal == "":
			l.note(f, value)
			return
		}
		l.option(f, "", false)
	}
}

// option reads an option, nil if it is unknown.
func (l *partialNamed) option(f *pflag.Flag, value string, attached bool) {
	switch {
	case f == nil:
	case attached || f.NoOptDefVal != "":
		l.note(f, value)
	default:
		l.open = f
	}
}

func (l *partialNamed) note(f *pflag.Flag, value string) {
	f.Changed = true
	if x, ok := f.Value.(*flag); ok {
		l.given = append(l.given, cmdline.Occurrence{Word: x.word, Value: value, HasValue: true})
	}
}

// value completes the value of an option.
func (l *partialNamed) value(f *pflag.Flag, typed string) cmdline.Candidates {
	x, ok := f.Value.(*flag)
	if !ok {
		return cmdline.Candidates{Files: f.Value.Type() == "file"}
	}
	if x.word.Argument == cmdline.NoArgument {
		return cmdline.Candidates{}
	}
	k := &cmdline.Completer{Command: x.flags.command, NetNS: action.NetNSNames}
	if x.flags.command == cmdline.CmdGroups {
		k.By = defaultKeys
		if len(l.args) > 0 {
			k.By = l.args[0]
		}
	} else if len(l.args) > 0 && strings.HasPrefix("expect", l.args[0]) {
		k.Table = cmdline.TableExpect
	}
	k.Note(l.given)
	return k.Value(x.word, typed)
}

// options completes the name of an option.
func (l *partialNamed) options(typed string) cmdline.Candidates {
	var list []string
	for _, f := range append(shownFlags(l.command), helpFlag) {
		if f.Changed {
			continue
		}
		list = append(list, "--"+f.Name+"\t"+f.Usage)
		if f.Shorthand != "" && len(typed) <= 2 {
			list = append(list, "-"+f.Shorthand+"\t"+f.Usage)
		}
	}
	return cmdline.Matching(typed, list)
}

// helpFlag is the option that every command has.
var helpFlag = &pflag.Flag{Name: "help", Shorthand: "h", Usage: "print this help"}

// completeArgument completes a word that is not an option.
func (p *program) completeArgument(l *partialNamed, typed string) cmdline.Candidates {
	if len(l.args) > 0 {
		return cmdline.Candidates{}
	}
	switch l.command.Name() {
	case "summary":
		return cmdline.Keys(typed)
	case "save", "load", "man":
		return cmdline.Candidates{Files: true}
	case "help":
		words := p.completeCommand("").Words
		for _, topic := range helpTopics {
			words = append(words, topic.name+"\t"+topic.short)
		}
		return cmdline.Matching(typed, words)
	}
	return cmdline.Matching(typed, l.command.ValidArgs)
}
