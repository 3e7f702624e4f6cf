package cmd

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/gonntrack/gonntrack/cmd/internal/action"
	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
	"github.com/gonntrack/gonntrack/internal/printable"
)

// Completion of the words of a command line, for the shells that cobra writes
// scripts for. Package cmdline knows what the value of an option can be.

// completeFlags lets cobra complete the values of a command's options. given are
// those before.
func completeFlags(c *cobra.Command, given *[]cmdline.Occurrence) {
	for _, w := range cmdline.AllWords() {
		if w.Argument == cmdline.NoArgument || c.Flags().Lookup(w.Long) == nil {
			continue
		}
		_ = c.RegisterFlagCompletionFunc(w.Long, func(_ *cobra.Command, args []string, typed string) (
			[]cobra.Completion, cobra.ShellCompDirective) {
			expect := len(args) > 0 && strings.HasPrefix("expect", args[0])
			return candidates(cmdline.NewCompleter(*given, expect, action.NetNSNames).Value(w, typed))
		})
	}
	if c.ValidArgs == nil && c.ValidArgsFunction == nil {
		c.ValidArgsFunction = cobra.NoFileCompletions
	}
}

// completeKeys completes the keys that are an argument.
func completeKeys(_ *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return candidates(cmdline.Keys(typed))
}

// completeHelp lets help complete topics too, which cobra hides.
func completeHelp(root *cobra.Command) {
	root.InitDefaultHelpCmd()
	var words []string
	for _, c := range root.Commands() {
		if !c.Hidden {
			words = append(words, c.Name()+"\t"+c.Short)
		}
	}
	for _, topic := range helpTopics {
		words = append(words, topic.name+"\t"+topic.short)
	}
	for _, c := range root.Commands() {
		if c.Name() == "help" {
			c.ValidArgsFunction = func(_ *cobra.Command, _ []string, typed string) (
				[]cobra.Completion, cobra.ShellCompDirective) {
				return candidates(cmdline.Matching(typed, words))
			}
		}
	}
}

// candidates returns candidates in cobra's form. Names that cannot be shown on a
// terminal are left out: what a shell shows of them would not be what it inserts.
func candidates(c cmdline.Candidates) ([]cobra.Completion, cobra.ShellCompDirective) {
	if c.Files {
		return nil, cobra.ShellCompDirectiveDefault
	}
	words := slices.DeleteFunc(slices.Clone(c.Words), func(w string) bool {
		name, text, _ := strings.Cut(w, "\t")
		return !printable.Is(name) || !printable.Is(text)
	})
	return words, cobra.ShellCompDirectiveNoFileComp
}

// writeCandidates writes candidates as cobra's scripts read them.
func writeCandidates(w io.Writer, c cmdline.Candidates, descriptions bool) {
	words, directive := candidates(c)
	for _, word := range words {
		if !descriptions {
			word, _, _ = strings.Cut(word, "\t")
		}
		fmt.Fprintln(w, word)
	}
	fmt.Fprintf(w, ":%d\n", directive)
}
