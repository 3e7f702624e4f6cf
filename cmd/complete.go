package cmd

import (
	_ "embed" // the script for bash
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
	"github.com/gonntrack/gonntrack/internal/printable"
)

// Completion of the words of a command line. The scripts of the shells call
// `conntrack __complete WORD...', whose last word is what has been typed of the
// one to complete. Package cmdline knows what the value of an option can be.

// The scripts need nothing but their shell, and run nothing that has been typed.
// Those of cobra do: a $(command) in the line is run by a tab.
var (
	//go:embed completion/conntrack.bash
	bashScript string
	//go:embed completion/conntrack.zsh
	zshScript string
	//go:embed completion/conntrack.fish
	fishScript string
)

var shells = []string{"bash", "zsh", "fish", "powershell"}

// newCompletion makes the command that prints the script for a shell.
func (p *program) newCompletion() *cobra.Command {
	c := &cobra.Command{
		Use:   "completion SHELL",
		Short: "Print the completion script for bash, zsh, fish or powershell",
		Long: "Print a script that completes commands, options and values in a shell: bash,\n" +
			"zsh, fish or powershell. For the current shell:\n\n" +
			"  bash         . <(conntrack completion bash)\n" +
			"  zsh          . <(conntrack completion zsh), after compinit\n" +
			"  fish         conntrack completion fish | source\n" +
			"  powershell   conntrack completion powershell | Out-String | Invoke-Expression\n\n" +
			"For every shell of a machine, write it to a file:\n\n" +
			"  bash         /usr/share/bash-completion/completions/conntrack; without the\n" +
			"               package bash-completion, load the script in ~/.bashrc\n" +
			"  zsh          _conntrack in a directory of $fpath\n" +
			"  fish         /usr/share/fish/vendor_completions.d/conntrack.fish",
		ValidArgs: shells,
		Args:      exactlyOne("a shell: " + strings.Join(shells, ", ")),
	}
	plain := c.Flags().Bool("no-descriptions", false, "complete without descriptions")
	c.RunE = running(func(args []string) error {
		command := cobra.ShellCompRequestCmd
		if *plain {
			command = cobra.ShellCompNoDescRequestCmd
		}
		switch args[0] {
		case "bash":
			return p.Out.Print(strings.ReplaceAll(bashScript, "@COMMAND@", command))
		case "zsh":
			return p.Out.Print(strings.ReplaceAll(zshScript, "@COMMAND@", command))
		case "fish":
			return p.Out.Print(strings.ReplaceAll(fishScript, "@COMMAND@", command))
		case "powershell":
			if *plain {
				return c.Root().GenPowerShellCompletion(p)
			}
			return c.Root().GenPowerShellCompletionWithDesc(p)
		}
		return cmdline.Failuref("no completion for `%s'; the shells are %s", args[0], strings.Join(shells, ", "))
	})
	return c
}

// Write writes to standard output.
func (p *program) Write(b []byte) (int, error) {
	return len(b), p.Out.Print(string(b))
}

// isCompletion reports whether a shell's script asks for words.
func isCompletion(args []string) bool {
	return len(args) > 1 && (args[0] == cobra.ShellCompRequestCmd || args[0] == cobra.ShellCompNoDescRequestCmd)
}

// complete answers the script of a shell. The words of the line follow the
// request's name, and the last one is to be completed.
func (p *program) complete(args []string) error {
	found := p.candidatesFor(args[1:len(args)-1], args[len(args)-1])
	writeCandidates(p.Out, found, args[0] == cobra.ShellCompRequestCmd)
	return p.Out.Flush()
}

// candidatesFor completes typed after the words of a line before it.
func (p *program) candidatesFor(before []string, typed string) cmdline.Candidates {
	before = nameFirst(before)
	switch {
	case cmdline.TargetWords(before) == len(before) && !strings.HasPrefix(typed, "-"):
		return p.completeCommand(typed)
	case len(before) > 0 && isCommandName(before[0]):
		return p.completeNamed(before[0], before[1:], typed)
	case len(before) > 0 && externalNamed(before[0]) != nil:
		return p.completeExternal(externalNamed(before[0]), before[1:], typed)
	}
	return completeLine(before, typed)
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

// writeCandidates writes candidates as the scripts read them.
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
