package cmd

import (
	"slices"
	"strings"

	"github.com/gonntrack/gonntrack/cmd/internal/action"
	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
)

// Completion in the classic grammar, with the option tables.

// completeLine completes typed after the words before it.
func completeLine(before []string, typed string) cmdline.Candidates {
	l := cmdline.ParsePartial(before)
	k := &cmdline.Completer{Command: l.Command, Table: l.Table, NetNS: action.NetNSNames}
	k.Note(l.Given)
	switch {
	case l.Open != nil && (l.Missing || !strings.HasPrefix(typed, "-")):
		return completeValue(l, k, typed)
	case l.Command == cmdline.CmdLoad:
		return completeLoad(l, typed)
	case strings.HasPrefix(typed, "--") && strings.ContainsRune(typed, '='):
		name, value, _ := strings.Cut(typed[2:], "=")
		if w := l.Find(name); w != nil && w.Argument != cmdline.NoArgument && w.Command == cmdline.CmdNone {
			return k.Value(w, value)
		}
	case strings.HasPrefix(typed, "-"):
		return completeOption(l, typed)
	}
	return cmdline.Candidates{}
}

// completeValue completes the value of the option that is open.
func completeValue(l *cmdline.Partial, k *cmdline.Completer, typed string) cmdline.Candidates {
	switch l.Open.Command {
	case cmdline.CmdNone:
		return k.Value(l.Open, typed)
	case cmdline.CmdLoad:
		return cmdline.Candidates{Files: true}
	}
	if l.Open.Command == cmdline.CmdCount {
		return cmdline.Matching(typed, []string{"conntrack", "expect"})
	}
	i := slices.IndexFunc(treeCommands, func(t treeCommand) bool { return t.command == l.Open.Command })
	if i < 0 {
		return cmdline.Candidates{}
	}
	return cmdline.Matching(typed, treeCommands[i].tables)
}

// completeLoad completes the name of an option beside -R FILE.
func completeLoad(l *cmdline.Partial, typed string) cmdline.Candidates {
	var list []string
	for _, o := range cmdline.LoadOptions {
		if w := o.Word(); !l.Has(w) {
			list = append(list, "--"+w.Long+"\t"+w.HelpFor(cmdline.CmdLoad).Text)
		}
	}
	return cmdline.Matching(typed, list)
}

// completeOption completes the name of an option: those that go with the command
// and were not given yet, or commands where there is none yet.
func completeOption(l *cmdline.Partial, typed string) cmdline.Candidates {
	var list []string
	offer := func(w *cmdline.Word, text string) {
		if text != "" {
			text = "\t" + text
		}
		if w.Long != "" {
			list = append(list, "--"+w.Long+text)
		}
		// A letter is a word of its own: more of it is a cluster.
		if isLetter(w.Short) && len(typed) <= 2 && !strings.HasPrefix(typed, "--") {
			list = append(list, "-"+string(rune(w.Short))+text)
		}
	}
	if l.Command == cmdline.CmdNone {
		for i := range cmdline.Words {
			if w := &cmdline.Words[i]; w.Command != cmdline.CmdNone {
				offer(w, commandText(w.Command))
			}
		}
		list = append(list, "-R\trun the commands of a file", "--load-file\trun the commands of a file")
		return cmdline.Matching(typed, list)
	}
	for i := range cmdline.Words {
		w := &cmdline.Words[i]
		if w.Command == cmdline.CmdNone && !isAlias(w) && !l.Has(w) && w.Option != cmdline.OptNATRange &&
			cmdline.Takes(l.Command, l.Table, w.Option) {
			offer(w, w.HelpFor(l.Command).Text)
		}
	}
	for i := range cmdline.Extensions {
		if o := &cmdline.Extensions[i]; !l.Has(&o.Word) && o.TakenBy(l.Command, l.Table) {
			offer(&o.Word, o.Help.Text)
		}
	}
	for _, proto := range l.Protocols {
		words := proto.Words()
		for i := range words {
			if w := &words[i]; !isAlias(w) && !l.Has(w) && proto.Takes(l.Command, l.Table, w.Protocol) {
				list = append(list, "--"+w.Long+"\t"+w.HelpFor(l.Command).Text)
			}
		}
	}
	return cmdline.Matching(typed, cmdline.Unique(list))
}

// commandText describes a command.
func commandText(c cmdline.Command) string {
	i := slices.IndexFunc(treeCommands, func(t treeCommand) bool { return t.command == c })
	switch {
	case i >= 0:
		return strings.ToLower(treeCommands[i].short[:1]) + treeCommands[i].short[1:]
	case c == cmdline.CmdCount:
		return "print the number of entries"
	case c == cmdline.CmdVersion:
		return "print the version"
	}
	return "print the help"
}
