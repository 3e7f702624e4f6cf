package cmd

import (
	"errors"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
)

// flags are the options of a named command, as they were given.
type flags struct {
	command cmdline.Command
	set     *pflag.FlagSet
	given   []cmdline.Occurrence
}

// newFlags returns the options of a command, none so far.
func newFlags(c *cobra.Command, command cmdline.Command) *flags {
	c.Flags().SortFlags = false
	return &flags{command: command, set: c.Flags()}
}

// What pflag hands over for an optional value that is missing, and help shows: no
// address and no label can be written so.
const (
	anyNAT    = "any"
	allLabels = "(all)"
)

// add adds an option with its help, unless there is one of its name.
func (f *flags) add(w *cmdline.Word, help cmdline.OptionText) {
	if f.set.Lookup(w.Long) != nil {
		return
	}
	short := ""
	if isLetter(w.Short) || w.Short >= '0' && w.Short <= '9' {
		short = string(rune(w.Short))
	}
	added := f.set.VarPF(&flag{w, help.Value, f}, w.Long, short, help.Text)
	switch w.Argument {
	case cmdline.NoArgument:
		added.NoOptDefVal = "true"
	case cmdline.WordArgument:
		switch added.NoOptDefVal = anyNAT; w.Option {
		case cmdline.OptLabelDel:
			added.NoOptDefVal = allLabels
		case cmdline.OptWatch:
			added.NoOptDefVal = cmdline.WatchDefault
		}
	}
	added.Hidden = isAlias(w)
}

// flag is the pflag.Value of an option: it keeps each occurrence.
type flag struct {
	word  *cmdline.Word
	value string // the placeholder in help
	flags *flags
}

func (f *flag) String() string { return "" }

func (f *flag) Type() string {
	if f.word.Argument == cmdline.NoArgument {
		return "bool"
	}
	return f.value
}

func (f *flag) Set(value string) error {
	o := cmdline.Occurrence{Word: f.word, Value: value, HasValue: true}
	switch f.word.Argument {
	case cmdline.NoArgument:
		if value != "true" {
			return errors.New("the option takes no value")
		}
		o.Value, o.HasValue = "", false
	case cmdline.WordArgument:
		o.HasValue = value != anyNAT && value != allLabels
	}
	f.flags.given = append(f.flags.given, o)
	return nil
}

// isAlias reports whether help shows an option under another name.
func isAlias(w *cmdline.Word) bool {
	if w.Protocol != 0 {
		return w.Long != cmdline.ProtoOptionNames[w.Protocol][0]
	}
	return w.Option < cmdline.NumClassic && w.Argument != cmdline.NoArgument && w.Long != cmdline.OptionNames[w.Option]
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }
