package cmd

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
)

// The classic grammar is not cobra's: what the shell's script asks for is
// answered here, with the option tables.

// isClassicCompletion reports whether a request of a shell's script is about a
// line of the classic grammar. Its words follow the command's name, and the last
// is to be completed.
func isClassicCompletion(args []string) bool {
	return len(args) > 1 && (args[0] == cobra.ShellCompRequestCmd || args[0] == cobra.ShellCompNoDescRequestCmd) &&
		strings.HasPrefix(args[1], "-")
}

// completeClassic answers such a request.
func (p *program) completeClassic(args []string) error {
	var b strings.Builder
	completeLine(args[1:len(args)-1], args[len(args)-1]).print(&b, args[0] == cobra.ShellCompRequestCmd)
	return p.Out.Print(b.String())
}

// completeLine completes typed after the words before it.
func completeLine(before []string, typed string) completion {
	l := cmdline.ParsePartial(before)
	k := &known{expect: l.Table == cmdline.TableExpect}
	for i := range l.Given {
		k.note(l.Given[i].Word, l.Given[i].Value)
	}
	switch {
	case l.Open != nil && (l.Missing || !strings.HasPrefix(typed, "-")):
		return completeValue(l, k, typed)
	case l.Command == cmdline.CmdLoad:
		return matching(typed, []string{"--keep-going", "--dry-run"})
	case strings.HasPrefix(typed, "--") && strings.ContainsRune(typed, '='):
		name, value, _ := strings.Cut(typed[2:], "=")
		if w := l.Find(name); w != nil && w.Argument != cmdline.NoArgument && w.Command == cmdline.CmdNone {
			return k.value(w, value)
		}
	case strings.HasPrefix(typed, "-"):
		return completeOption(l, typed)
	}
	return nothing
}

// completeValue completes the value of the option that is open.
func completeValue(l *cmdline.Partial, k *known, typed string) completion {
	switch l.Open.Command {
	case cmdline.CmdNone:
		return k.value(l.Open, typed)
	case cmdline.CmdLoad:
		return files
	}
	i := slices.IndexFunc(treeCommands, func(t treeCommand) bool { return t.command == l.Open.Command })
	if i < 0 {
		return nothing
	}
	return matching(typed, treeCommands[i].tables)
}

// completeOption completes the name of an option: those that go with the command
// and were not given yet, or commands where there is none yet.
func completeOption(l *cmdline.Partial, typed string) completion {
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
		return matching(typed, list)
	}
	for i := range cmdline.Words {
		w := &cmdline.Words[i]
		if w.Command == cmdline.CmdNone && !isAlias(w) && !l.Has(w) && w.Option != cmdline.OptNATRange &&
			cmdline.Takes(l.Command, l.Table, w.Option) {
			offer(w, w.Help().Text)
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
				list = append(list, "--"+w.Long+"\t"+w.Help().Text)
			}
		}
	}
	return matching(typed, unique(list))
}

// commandText describes a command.
func commandText(c cmdline.Command) string {
	i := slices.IndexFunc(treeCommands, func(t treeCommand) bool { return t.command == c })
	switch {
	case i >= 0:
		return strings.ToLower(treeCommands[i].short[:1]) + treeCommands[i].short[1:]
	case c == cmdline.CmdVersion:
		return "print the version"
	}
	return "print the help"
}
