package cmd

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
	"github.com/gonntrack/gonntrack/internal/printable"
	"github.com/spf13/cobra"
)

// The second grammar: commands with names. It has the options of the classic
// one, in pflag's manner, and fills the same Request.

// treeCommand is a command of the tree. Which options it has follows from the
// legality tables.
type treeCommand struct {
	name    string
	command cmdline.Command
	short   string
	tables  []string // of the optional argument
	example string
}

var treeCommands = []treeCommand{
	{"list", cmdline.CmdList, "List the entries of a table", []string{"conntrack", "expect", "dying", "unconfirmed"},
		"conntrack list -p tcp --dport 443 --state ESTABLISHED\n" +
			"conntrack list -s 10.0.0.0/8 -o extended,id\nconntrack list expect"},
	{"get", cmdline.CmdGet, "Show one entry", []string{"conntrack", "expect"},
		"conntrack get -p udp -s 10.0.0.2 -d 192.0.2.1 --sport 4000 --dport 53"},
	{"create", cmdline.CmdCreate, "Create an entry; fail if it exists", []string{"conntrack", "expect"},
		"conntrack create -p tcp -s 10.0.0.2 -d 192.0.2.1 --sport 4000 --dport 80 \\\n" +
			"    --state ESTABLISHED -t 600 -u SEEN_REPLY,ASSURED"},
	{"add", cmdline.CmdAdd, "Create an entry, or update it if it exists", []string{"conntrack"},
		"conntrack add -p udp -s 10.0.0.2 -d 192.0.2.1 --sport 4000 --dport 53 \\\n    -t 60 -m 7"},
	{"update", cmdline.CmdUpdate, "Change the entries that match", []string{"conntrack"},
		"conntrack update -p tcp --dport 443 -m 7\nconntrack update -s 10.0.0.2 -t 30"},
	{"delete", cmdline.CmdDelete, "Delete the entries that match", []string{"conntrack", "expect"},
		"conntrack delete -s 10.0.0.2\nconntrack delete -p tcp --dport 80 -u UNREPLIED"},
	{"flush", cmdline.CmdFlush, "Empty a table", []string{"conntrack", "expect"},
		"conntrack flush\nconntrack flush -f ipv6"},
	{"events", cmdline.CmdEvents, "Print events as they happen", []string{"conntrack", "expect"},
		"conntrack events -e NEW,DESTROY -o timestamp\nconntrack events -p tcp --dport 22 -e NEW"},
	{"stats", cmdline.CmdStats, "Show how full a table is, and the counters of each CPU", []string{"conntrack", "expect"},
		"conntrack stats"},
}

// commandNames are the first words that choose this grammar.
var commandNames = []string{"list", "get", "create", "add", "update", "delete", "flush",
	"explain", "events", "count", "stats", "summary", "save", "load", "version", "help", "completion", "man",
	cobra.ShellCompRequestCmd, cobra.ShellCompNoDescRequestCmd}

// named runs a command line of the second grammar.
func (p *program) named(args []string) error {
	if isCompletion(args) {
		return p.complete(args)
	}
	root := p.newTree(args[0])
	if sub, _, err := root.Find(args[:1]); err == nil && sub != root {
		words, err := attachValues(sub, args[1:])
		if err != nil {
			return hinted(err, sub)
		}
		args = append([]string{args[0]}, words...)
	}
	root.SetArgs(args)
	c, err := root.ExecuteC()
	var ran *runError
	var usage *cmdline.UsageError
	if errors.As(err, &ran) {
		err = ran.err
	} else if err != nil && !errors.As(err, &usage) {
		// The error is one of cobra or pflag.
		return &cmdline.UsageError{Text: printable.String(err.Error()), Hint: helpHint(c)}
	}
	return hinted(err, c)
}

// hinted returns an error, with the help of a command as its hint if it is one of
// the command line.
func hinted(err error, c *cobra.Command) error {
	var usage *cmdline.UsageError
	if errors.As(err, &usage) {
		usage.Hint = helpHint(c)
	}
	return err
}

// helpHint returns what to type for the help of a command.
func helpHint(c *cobra.Command) string { return "'" + c.CommandPath() + " --help'" }

// runError is the error of a command, unlike one of cobra about its words.
type runError struct{ err error }

func (e *runError) Error() string { return e.err.Error() }

// running returns a function for cobra that runs a command with its arguments.
func running(run func(args []string) error) func(*cobra.Command, []string) error {
	return func(_ *cobra.Command, args []string) error {
		if err := run(args); err != nil {
			return &runError{err}
		}
		return nil
	}
}

// wholeTree are the commands that look at the others.
var wholeTree = []string{"help", "man"}

// newTree builds the command that is named and no other: the options of all of
// them take longer than the work of a short command. For a name in wholeTree it
// builds every command.
func (p *program) newTree(name string) *cobra.Command {
	root := &cobra.Command{
		Use:           "conntrack",
		Short:         "Show and change the connection tracking table",
		Long:          helpText,
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetIn(p.In)
	root.SetOut(p.Out)
	root.SetErr(p.Err.Writer())
	whole := slices.Contains(wholeTree, name)
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetHelpCommand(&cobra.Command{Hidden: true}) // not cobra's
	root.SetHelpFunc(func(c *cobra.Command, _ []string) { _ = p.Out.Print(commandHelp(c)) })
	root.SetFlagErrorFunc(flagError)
	add := func(n string, build func() *cobra.Command) {
		if whole || n == name {
			root.AddCommand(build())
		}
	}
	for i := range treeCommands {
		t := &treeCommands[i]
		add(t.name, func() *cobra.Command { return p.newCommand(t) })
	}
	add("count", p.newCount)
	add("explain", p.newExplain)
	add("summary", p.newSummary)
	add("save", p.newSave)
	add("load", p.newLoad)
	for i := range externals {
		add(externals[i].name, externals[i].command)
	}
	add("man", p.newMan)
	add("version", p.newVersion)
	add("help", p.newHelp)
	add("completion", p.newCompletion)
	return root
}

func (p *program) newVersion() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version, and the version of conntrack-tools it is compatible with",
		Args:  noMore(0),
		RunE: running(func([]string) error {
			return p.Out.Print(fmt.Sprintf("gonntrack %s\ncompatible with %s\n", buildVersion(), cmdline.CompatVersion))
		}),
	}
}

// parse reads the options and the arguments of a named command.
type parse func(args []string) (*cmdline.Request, error)

// newCommand makes the command of the tree that runs a classic one.
func (p *program) newCommand(t *treeCommand) *cobra.Command {
	c, parse := p.newOptions(t)
	c.RunE = running(func(args []string) error {
		r, err := parse(args)
		if err != nil {
			return err
		}
		return p.perform(r)
	})
	return c
}

// newOptions makes a command of the tree with the options of a classic command,
// and the function that reads them. The argument is the name of a table.
func (p *program) newOptions(t *treeCommand) (*cobra.Command, parse) {
	c := &cobra.Command{
		Use:       t.name,
		Short:     t.short,
		Example:   indent(t.example),
		Long:      t.longHelp(),
		ValidArgs: t.tables,
		Args:      noMore(1),
	}
	if len(t.tables) > 1 {
		c.Use += " [TABLE]"
	}
	f := newFlags(c, t.shows())
	for i := range cmdline.Words {
		if w := &cmdline.Words[i]; w.Command == cmdline.CmdNone && w.Option != cmdline.OptNATRange && t.takes(w.Option) {
			f.add(w, t.optionHelp(w))
		}
	}
	for i := range cmdline.FamilyWords {
		if w := &cmdline.FamilyWords[i]; t.takes(w.Option) {
			f.add(w, t.optionHelp(w))
		}
	}
	for i := range cmdline.Extensions {
		o := &cmdline.Extensions[i]
		if t.takesExtension(o.Option) {
			f.add(&o.Word, t.optionHelp(&o.Word))
		}
	}
	if t.takes(cmdline.OptProtoNum) {
		for _, proto := range cmdline.Protocols {
			words := proto.Words()
			for i := range words {
				w := &words[i]
				if proto.Takes(t.command, cmdline.TableConntrack, w.Protocol) ||
					t.onExpect() && proto.Takes(t.command, cmdline.TableExpect, w.Protocol) {
					f.add(w, t.optionHelp(w))
				}
			}
		}
	}
	return c, func(args []string) (*cmdline.Request, error) {
		table := ""
		if len(args) > 0 {
			table = args[0]
			if _, err := cmdline.TableByName(table); err != nil || table == "" {
				return nil, unknownTable(t, table)
			}
		}
		return cmdline.ParseNamed(t.command, table, f.given, p.Err)
	}
}

// onExpect reports whether the command works on the table of expectations.
func (t *treeCommand) onExpect() bool { return slices.Contains(t.tables, "expect") }

// takes reports whether the command takes a classic option on one of its tables.
func (t *treeCommand) takes(o cmdline.Option) bool {
	if o == cmdline.OptOutput {
		return cmdline.TakesOutput(t.command) // some forms are extensions
	}
	return cmdline.Takes(t.command, cmdline.TableConntrack, o) ||
		t.onExpect() && cmdline.Takes(t.command, cmdline.TableExpect, o)
}

// longHelp returns the help text of a command, "" where its options say enough.
func (t *treeCommand) longHelp() string {
	if t.name == "stats" {
		return statsHelp
	}
	return ""
}

// takesExtension reports whether the command takes an extension on one of its
// tables.
func (t *treeCommand) takesExtension(o cmdline.Option) bool {
	x := o.Extension()
	return x.TakenBy(t.command, cmdline.TableConntrack) || t.onExpect() && x.TakenBy(t.command, cmdline.TableExpect)
}

// shows returns the command that decides about the forms of output.
func (t *treeCommand) shows() cmdline.Command {
	switch t.name {
	case "summary":
		return cmdline.CmdGroups
	case "count":
		return cmdline.CmdCount
	}
	return t.command
}

// optionHelp returns the help of an option of the command.
func (t *treeCommand) optionHelp(w *cmdline.Word) cmdline.OptionText {
	return w.HelpFor(t.shows())
}

func indent(s string) string { return "  " + strings.ReplaceAll(s, "\n", "\n  ") }
