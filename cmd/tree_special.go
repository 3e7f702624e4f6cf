package cmd

import (
	"github.com/spf13/cobra"

	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
)

// The commands whose arguments are not the name of a table.

// defaultKeys are the keys of `summary' without an argument.
const defaultKeys = "proto,condition"

// newSummary makes `list' with --by, whose keys are the argument.
func (p *program) newSummary() *cobra.Command {
	c, parse := p.newOptions(&treeCommand{
		name: "summary", command: cmdline.CmdList, short: "Count entries, packets and bytes by keys",
		example: "conntrack summary\nconntrack summary src --limit 10\n" +
			"conntrack summary src/24,dport -p tcp --sort -bytes\nconntrack summary nat -o json",
	})
	c.Use = "summary [KEYS]"
	c.Long = summaryHelp
	c.Flags().Lookup("by").Hidden = true // it can be given in place of the argument
	hide(c, cmdline.OptColumns, cmdline.OptProcesses, cmdline.OptCountOnly, cmdline.OptExplain)
	c.RunE = running(func(args []string) error {
		by := c.Flags().Lookup("by")
		switch {
		case len(args) > 0 && by.Changed:
			return cmdline.Usagef("the keys are given twice: as an argument and with --by")
		case len(args) > 0:
			if err := cmdline.CheckKeys(args[0]); err != nil {
				return err
			}
			if err := by.Value.Set(args[0]); err != nil {
				return err
			}
		case !by.Changed:
			if err := by.Value.Set(defaultKeys); err != nil {
				return err
			}
		}
		r, err := parse(nil)
		if err != nil {
			return err
		}
		return p.perform(r)
	})
	return c
}

// newExplain makes `list' with --explain.
func (p *program) newExplain() *cobra.Command {
	c, parse := p.newOptions(&treeCommand{
		name: "explain", command: cmdline.CmdList, short: "Explain entries in words",
		example: "conntrack explain -p tcp -s 10.0.0.2 -d 192.0.2.1 --sport 40296 --dport 8080\n" +
			"conntrack explain -i 1749003636\nconntrack explain --host 10.0.0.2 --sort -bytes --limit 3",
	})
	c.Use = "explain"
	c.Args = noMore(0)
	c.Long = "Explain entries in words: who opened the connection, what is translated, its\n" +
		"state and when it ends, and what its flags mean. Seen is what its packets did,\n" +
		"as far as the table shows it; Timeout which setting of the kernel has set it,\n" +
		"and when. The options select entries as for `list'. The first 10 are explained,\n" +
		"or as many as --limit says."
	hide(c, cmdline.OptExplain, cmdline.OptOutput, cmdline.OptBy, cmdline.OptColumns,
		cmdline.OptProcesses, cmdline.OptNames, cmdline.OptServices, cmdline.OptCountOnly, cmdline.OptZero,
		cmdline.OptWatch)
	c.RunE = running(func([]string) error {
		if err := c.Flags().Set("explain", "true"); err != nil {
			return err
		}
		r, err := parse(nil)
		if err != nil {
			return err
		}
		return p.perform(r)
	})
	return c
}

// newCount makes `list' with --count-only.
func (p *program) newCount() *cobra.Command {
	c, parse := p.newOptions(&treeCommand{
		name: "count", command: cmdline.CmdList, short: "Print the number of entries",
		tables:  []string{"conntrack", "expect", "dying", "unconfirmed"},
		example: "conntrack count\nconntrack count -p tcp --state ESTABLISHED\nconntrack count --unreplied --older 5m",
	})
	c.Long = "Print the number of entries in the table, or of those that match."
	hide(c, cmdline.OptExplain, cmdline.OptBy, cmdline.OptColumns, cmdline.OptProcesses,
		cmdline.OptNames, cmdline.OptServices, cmdline.OptSort, cmdline.OptLimit, cmdline.OptCountOnly, cmdline.OptZero)
	c.RunE = running(func(args []string) error {
		if err := c.Flags().Set("count-only", "true"); err != nil {
			return err
		}
		r, err := parse(args)
		if err != nil {
			return err
		}
		return p.perform(r)
	})
	return c
}

// newSave makes `list' with -o save, into a file.
func (p *program) newSave() *cobra.Command {
	c, parse := p.newOptions(&treeCommand{
		name: "save", command: cmdline.CmdList, short: "Write entries to a file for `load'",
		example: "conntrack save table\nconntrack save table -p tcp --state ESTABLISHED\n" +
			"conntrack save - | ssh other conntrack load -",
	})
	c.Use = "save FILE"
	c.Long = saveHelp
	c.Args = exactlyOne("a FILE; - is stdout")
	hide(c, notSaved...)
	c.RunE = running(func(args []string) error {
		if err := c.Flags().Set("output", "save"); err != nil {
			return err
		}
		r, err := parse(nil)
		if err != nil {
			return err
		}
		r.SaveTo = args[0]
		return p.perform(r)
	})
	return c
}

// notSaved are the options of `list' that say how entries are shown.
var notSaved = []cmdline.Option{
	cmdline.OptOutput, cmdline.OptZero, cmdline.OptAllNetNS, cmdline.OptBy, cmdline.OptColumns, cmdline.OptProcesses,
	cmdline.OptNames, cmdline.OptServices, cmdline.OptSort, cmdline.OptLimit,
	cmdline.OptCountOnly, cmdline.OptExplain, cmdline.OptWatch,
}

// newLoad makes -R by name.
func (p *program) newLoad() *cobra.Command {
	c := &cobra.Command{
		Use:     "load FILE",
		Short:   "Run the commands of a file; - is stdin",
		Long:    loadHelp,
		Example: indent("conntrack save table\nconntrack load table\nconntrack load --table-file table.nl"),
	}
	f := newFlags(c, cmdline.CmdLoad)
	for _, o := range cmdline.LoadOptions {
		w := o.Word()
		f.add(w, w.HelpFor(cmdline.CmdLoad))
	}
	table := &fileFlag{}
	c.Flags().Var(table, "table-file", "load the entries of a table file, not commands")
	c.RunE = running(func(args []string) error {
		path := table.path
		switch {
		case table.other != "":
			return cmdline.Usagef("--table-file is given twice, with `%s' and `%s'", table.other, path)
		case table.given && len(args) > 0:
			return cmdline.Usagef("FILE cannot be used with --table-file")
		case len(args) > 1:
			return noMore(1)(c, args)
		case table.given && path == "":
			return cmdline.Usagef("--table-file requires a file name")
		case !table.given && len(args) == 0:
			return exactlyOne("a FILE; - is stdin")(c, args)
		case len(args) > 0:
			path = args[0]
		}
		r, err := cmdline.ParseNamedLoad(path, f.given)
		if err != nil {
			return err
		}
		r.LoadTable = table.given
		return p.perform(r)
	})
	return c
}

// fileFlag is the value of --table-file.
type fileFlag struct {
	path  string
	given bool
	other string // another value that was given before, "" if none was
}

func (f *fileFlag) String() string { return "" }

func (f *fileFlag) Type() string { return "file" }

func (f *fileFlag) Set(path string) error {
	if f.given && path != f.path {
		f.other = f.path
	}
	f.path, f.given = path, true
	return nil
}

// hide hides options that a command sets itself, and refuses them.
func hide(c *cobra.Command, options ...cmdline.Option) {
	for _, o := range options {
		if f := c.Flags().Lookup(o.Name()); f != nil {
			f.Hidden = true
		}
	}
	c.PreRunE = func(c *cobra.Command, _ []string) error {
		for _, o := range options {
			if f := c.Flags().Lookup(o.Name()); f != nil && f.Changed {
				return illegalOption(c, "--"+f.Name)
			}
		}
		return nil
	}
}
