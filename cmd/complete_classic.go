package cmd

import (
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// The classic grammar is not cobra's: what the shell's script asks for is
// answered here, with the option tables and getopt's rules.

// isClassicCompletion tells whether a request of a shell's script (its words
// after the command's name, the last of which is to be completed) is about a
// line of the classic grammar.
func isClassicCompletion(args []string) bool {
	return len(args) > 1 && (args[0] == cobra.ShellCompRequestCmd || args[0] == cobra.ShellCompNoDescRequestCmd) &&
		strings.HasPrefix(args[1], "-")
}

// completeClassic answers such a request.
func (p *program) completeClassic(args []string) error {
	var b strings.Builder
	completeLine(args[1:len(args)-1], args[len(args)-1]).print(&b, args[0] == cobra.ShellCompRequestCmd)
	return p.print(b.String())
}

// classicLine is what the words before say.
type classicLine struct {
	known
	parser  *parser
	command Command
	table   Table
	given   optionSet
	own     protoOptionSet
	// awaits is the option whose value the next word is, tables the command
	// whose table it may be; nil and cmdNone for neither.
	awaits *word
	tables Command
}

// completeLine completes typed behind the words before it.
func completeLine(before []string, typed string) completion {
	if len(before) > 0 && (before[0] == "-R" || before[0] == "--load-file") {
		if len(before) == 1 {
			return files
		}
		return matching(typed, []string{"--keep-going", "--dry-run"})
	}
	l := &classicLine{parser: newParser(io.Discard)}
	for _, w := range before {
		l.take(w)
	}
	l.parser.protocols = l.protocols
	switch {
	case l.awaits != nil && (l.awaits.argument == needArgument || !strings.HasPrefix(typed, "-")):
		return l.value(l.awaits, typed)
	case strings.HasPrefix(typed, "--") && strings.ContainsRune(typed, '='):
		name, value, _ := strings.Cut(typed[2:], "=")
		if w := l.parser.findLong(name); w != nil && w.argument != noArgument && w.command == cmdNone {
			return l.value(w, value)
		}
		return nothing
	case strings.HasPrefix(typed, "-"):
		return l.options(typed)
	case l.tables != cmdNone:
		for i := range treeCommands {
			if treeCommands[i].command == l.tables {
				return matching(typed, treeCommands[i].tables)
			}
		}
	}
	return nothing
}

// take reads a word that stands before.
func (l *classicLine) take(w string) {
	l.parser.protocols = l.protocols
	if l.awaits != nil && (l.awaits.argument == needArgument || !strings.HasPrefix(w, "-") && !strings.HasPrefix(w, "!")) {
		l.note(l.awaits, w)
		l.awaits, l.tables = nil, cmdNone
		return
	}
	if l.tables != cmdNone && !strings.HasPrefix(w, "-") {
		if t, err := tableByName(w); err == nil {
			l.table, l.expect = t, t == tableExpect
		}
	}
	l.awaits, l.tables = nil, cmdNone
	switch {
	case strings.HasPrefix(w, "--"):
		name, value, attached := strings.Cut(w[2:], "=")
		if o := l.parser.findLong(name); o != nil {
			l.give(o, value, attached)
		}
	case len(w) > 1 && w[0] == '-':
		for i := 1; i < len(w); i++ {
			o := findShort(w[i])
			if o == nil {
				return
			}
			l.give(o, w[i+1:], o.argument == needArgument && i+1 < len(w))
			if o.argument == needArgument {
				return
			}
		}
	}
}

// give notes an option, and what its next word is.
func (l *classicLine) give(w *word, value string, attached bool) {
	switch {
	case w.command != cmdNone:
		l.command, l.tables = w.command, w.command
	case w.protocol != 0:
		l.own |= 1 << w.protocol
	default:
		l.given |= 1 << w.option
	}
	if w.command != cmdNone || w.argument == noArgument {
		return
	}
	if attached {
		l.note(w, value)
		return
	}
	l.awaits = w
}

// options are the options that go with the command, or commands where there is
// none yet; each once.
func (l *classicLine) options(typed string) completion {
	var list []string
	offer := func(w *word, text string) {
		if text != "" {
			text = "\t" + text
		}
		if w.long != "" {
			list = append(list, "--"+w.long+text)
		}
		// A letter is a word of its own: more of it is a cluster.
		if isLetter(w.short) && len(typed) <= 2 && !strings.HasPrefix(typed, "--") {
			list = append(list, "-"+string(rune(w.short))+text)
		}
	}
	if l.command == cmdNone {
		for i := range words {
			if w := &words[i]; w.command != cmdNone {
				offer(w, commandText(w.command))
			}
		}
		list = append(list, "-R\trun the commands of a file", "--load-file\trun the commands of a file")
		return matching(typed, list)
	}
	for i := range words {
		w := &words[i]
		if w.command == cmdNone && !isAlias(w) && !l.given.has(w.option) && w.option != optNATRange && l.legal(w.option) {
			offer(w, optionHelp(w))
		}
	}
	for i := range ownOptions {
		if o := &ownOptions[i]; !l.given.has(o.option) && o.takes(l.command, l.table) {
			offer(&o.word, o.help.text)
		}
	}
	for _, proto := range l.protocols {
		if proto.legal == nil {
			continue
		}
		row := strings.ReplaceAll(proto.legal.row(l.command, l.table), " ", "")
		for i, o := range proto.options {
			if i < len(row) && row[i] != '.' && !l.own.has(o) {
				list = append(list, "--"+protoOptionNames[o][0]+"\t"+protoOptionHelp[o].text)
			}
		}
	}
	return matching(typed, unique(list))
}

// legal tells whether the command takes a classic option on its table.
func (l *classicLine) legal(o option) bool {
	table := l.table
	if table == tableDying || table == tableUnconfirmed {
		table = tableConntrack
	}
	row := strings.ReplaceAll(legalityRow(l.command, table), " ", "")
	return int(o) < len(row) && row[o] != '.'
}

// commandText says what a command does.
func commandText(c Command) string {
	i := slices.IndexFunc(treeCommands, func(t treeCommand) bool { return t.command == c })
	switch {
	case i >= 0:
		return strings.ToLower(treeCommands[i].short[:1]) + treeCommands[i].short[1:]
	case c == cmdVersion:
		return "print the version"
	}
	return "print the help"
}
