package cmd

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// The second grammar: commands with names. It has the options of the classic
// one, in pflag's manner, and fills the same Request.

// treeCommand is a command of the tree. Which options it has follows from the
// legality tables.
type treeCommand struct {
	name    string
	command Command
	short   string
	tables  []string // of the optional argument
	example string
}

var treeCommands = []treeCommand{
	{"list", cmdList, "List the entries of a table", []string{"conntrack", "expect", "dying", "unconfirmed"},
		"conntrack list -p tcp --dport 443 --state ESTABLISHED\nconntrack list -s 10.0.0.0/8 -o extended,id\nconntrack list expect"},
	{"get", cmdGet, "Show one entry", []string{"conntrack", "expect"},
		"conntrack get -p udp -s 10.0.0.2 -d 192.0.2.1 --sport 4000 --dport 53"},
	{"create", cmdCreate, "Create an entry; fail if it exists", []string{"conntrack", "expect"},
		"conntrack create -p tcp -s 10.0.0.2 -d 192.0.2.1 --sport 4000 --dport 80 --state ESTABLISHED -t 600 -u SEEN_REPLY,ASSURED"},
	{"add", cmdAdd, "Create an entry, or update it if it exists", []string{"conntrack"},
		"conntrack add -p udp -s 10.0.0.2 -d 192.0.2.1 --sport 4000 --dport 53 -t 60 -m 7"},
	{"update", cmdUpdate, "Change the entries that match", []string{"conntrack"},
		"conntrack update -p tcp --dport 443 -m 7\nconntrack update -s 10.0.0.2 -t 30"},
	{"delete", cmdDelete, "Delete the entries that match", []string{"conntrack", "expect"},
		"conntrack delete -s 10.0.0.2\nconntrack delete -p tcp --dport 80 -u UNREPLIED"},
	{"flush", cmdFlush, "Empty a table", []string{"conntrack", "expect"},
		"conntrack flush\nconntrack flush -f ipv6"},
	{"events", cmdEvents, "Follow what happens", []string{"conntrack", "expect"},
		"conntrack events -e NEW,DESTROY -o timestamp\nconntrack events -p tcp --dport 22 -e NEW"},
	{"count", cmdCount, "Print the number of entries", []string{"conntrack", "expect"}, "conntrack count"},
	{"stats", cmdStats, "Show how full a table is, and the counters of each CPU", []string{"conntrack", "expect"}, "conntrack stats"},
}

// commandNames are the first words that choose this grammar.
var commandNames = []string{"list", "get", "create", "add", "update", "delete", "flush",
	"explain", "events", "count", "stats", "summary", "save", "load", "version", "help", "completion", "man",
	cobra.ShellCompRequestCmd, cobra.ShellCompNoDescRequestCmd}

// tree runs a command line of the second grammar.
func (p *program) tree(args []string) error {
	if isClassicCompletion(args) {
		return p.completeClassic(args)
	}
	p.completing = len(args) > 1 && strings.HasPrefix(args[0], cobra.ShellCompRequestCmd)
	root := p.newTree(args[0])
	root.SetArgs(args)
	c, err := root.ExecuteC()
	var usage *usageError
	var other *failure
	var refused *refusal
	switch {
	case err == nil:
		return nil
	case errors.As(err, &usage):
		usage.hint = "'" + c.CommandPath() + " --help'"
		return usage
	case errors.As(err, &other), errors.As(err, &refused), errors.Is(err, errQuiet):
		return err
	}
	// What is left is cobra's and pflag's.
	return &usageError{err.Error(), "'" + c.CommandPath() + " --help'"}
}

// wholeTree are the commands that look at the others.
var wholeTree = []string{"help", "completion", "man", cobra.ShellCompRequestCmd, cobra.ShellCompNoDescRequestCmd}

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
	root.SetIn(p.stdin)
	root.SetOut(p.stdout)
	root.SetErr(p.stderr)
	whole := slices.Contains(wholeTree, name)
	root.CompletionOptions.DisableDefaultCmd = !whole
	add := func(n string, build func() *cobra.Command) {
		if whole || n == name {
			root.AddCommand(build())
		}
	}
	for i := range treeCommands {
		t := &treeCommands[i]
		add(t.name, func() *cobra.Command { return p.newCommand(t) })
	}
	add("explain", p.newExplain)
	add("summary", p.newSummary)
	add("save", p.newSave)
	add("load", p.newLoad)
	add("man", p.newMan)
	add("version", p.newVersion)
	for _, topic := range helpTopics {
		add(topic.name, func() *cobra.Command {
			return &cobra.Command{Use: topic.name, Short: topic.short, Long: topic.text, Hidden: true}
		})
	}
	if p.completing {
		completeHelp(root)
	}
	return root
}

func (p *program) newVersion() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print this program's version and the one it is compatible with",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			return p.print(fmt.Sprintf("gonntrack %s\ncompatible with %s\n", buildVersion(), compatVersion))
		},
	}
}

// newCommand makes the command of the tree that runs a classic one.
func (p *program) newCommand(t *treeCommand) *cobra.Command {
	var given []occurrence
	c := &cobra.Command{
		Use:       t.name + " [table]",
		Short:     t.short,
		Example:   indent(t.example),
		Long:      t.longHelp(),
		ValidArgs: t.tables,
		Args:      cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			r, err := parseTree(t.command, args, given, p)
			if err != nil {
				return err
			}
			return p.run(r)
		},
	}
	flags := c.Flags()
	flags.SortFlags = false
	seen := map[string]bool{}
	add := func(w word) {
		if seen[w.long] {
			return
		}
		seen[w.long] = true
		v := &flag{word: w, given: &given}
		short := string(rune(w.short))
		if !isLetter(w.short) {
			short = ""
		}
		text := optionHelp(&w)
		if w.option == optOutput && w.protocol == 0 {
			text = t.outputHelp(text)
		}
		f := flags.VarPF(v, w.long, short, text)
		switch w.argument {
		case noArgument:
			f.NoOptDefVal = "true"
		case wordArgument:
			f.NoOptDefVal = anyNAT
			if w.option == optLabelDel {
				f.NoOptDefVal = allLabels
			}
		}
		f.Hidden = isAlias(&w)
	}
	for _, w := range words {
		if w.command == cmdNone && w.option != optNATRange && t.takes(w.option) {
			add(w)
		}
	}
	for i := range ownOptions {
		if o := &ownOptions[i]; o.takes(t.command, tableConntrack) || o.takes(t.command, tableExpect) {
			add(o.word)
		}
	}
	if t.takes(optProtoNum) {
		for _, proto := range protocols {
			for _, w := range proto.words() {
				if t.takesProto(proto, w.protocol) {
					add(w)
				}
			}
		}
	}
	if p.completing {
		completeFlags(c, &given)
	}
	return c
}

// takes tells whether an option is legal with the command on one of its tables.
func (t *treeCommand) takes(o option) bool {
	if o == optOutput && oneOf(t.command, cmdCount, cmdStats) {
		return true // for the forms that writesRecords tells
	}
	for i := range legality {
		row := &legality[i]
		if row.command != t.command {
			continue
		}
		if signs := strings.ReplaceAll(row.signs, " ", ""); int(o) < len(signs) && signs[o] != '.' {
			return true
		}
	}
	return false
}

func (t *treeCommand) takesProto(proto *protocol, o protoOption) bool {
	for _, table := range []Table{tableConntrack, tableExpect} {
		row := strings.ReplaceAll(proto.legal.row(t.command, table), " ", "")
		for i, own := range proto.options {
			if own == o && row != "" && row[i] != '.' {
				return true
			}
		}
	}
	return false
}

// What pflag hands over for an optional value that is not there, and help
// shows: no address and no label can be written so.
const (
	anyNAT    = "any"
	allLabels = "(all)"
)

// occurrence is an option as it came.
type occurrence struct {
	word  word
	value string
}

// flag is the pflag.Value of an option: it notes each occurrence.
type flag struct {
	word  word
	given *[]occurrence
}

func (f *flag) String() string { return "" }

func (f *flag) Type() string {
	if f.word.argument == noArgument {
		return "bool"
	}
	return optionValue(&f.word)
}

func (f *flag) Set(value string) error {
	if f.word.argument == noArgument && value != "true" {
		return fmt.Errorf("the option takes no value")
	}
	*f.given = append(*f.given, occurrence{f.word, value})
	return nil
}

// parseTree hands the occurrences to the parser, -p first: its options may
// stand before it here.
func parseTree(c Command, args []string, given []occurrence, p *program) (*Request, error) {
	parser := newParser(p.stderr)
	parser.req.byName = true
	table := ""
	if len(args) > 0 {
		table = args[0]
	}
	if err := parser.command(c, table, len(args) > 0); err != nil {
		return nil, err
	}
	for _, first := range []bool{true, false} {
		for _, o := range given {
			if (o.word.protocol == 0 && o.word.option == optProtoNum) != first {
				continue
			}
			if err := parser.occurrence(&o); err != nil {
				return nil, err
			}
		}
	}
	if err := parser.finishLists(); err != nil {
		return nil, err
	}
	if err := parser.judge(); err != nil {
		return nil, err
	}
	return parser.req, nil
}

func (p *parser) occurrence(o *occurrence) error {
	if o.word.protocol != 0 {
		if !p.knows(o.word.protocol) {
			return usagef("--%s needs -p with a protocol that has it", o.word.long)
		}
		return p.protoOption(o.word.protocol, o.value)
	}
	absent := o.word.argument == wordArgument && (o.value == anyNAT || o.value == allLabels)
	return p.option(o.word.option, o.value, !absent)
}

func (p *parser) knows(o protoOption) bool {
	for _, proto := range p.protocols {
		for _, own := range proto.options {
			if own == o {
				return true
			}
		}
	}
	return false
}

// isAlias tells whether an option has another name that help shows.
func isAlias(w *word) bool {
	if w.protocol != 0 {
		return w.long != protoOptionNames[w.protocol][0]
	}
	return w.option < numClassic && w.long != optionNames[w.option]
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

func indent(s string) string { return "  " + strings.ReplaceAll(s, "\n", "\n  ") }
