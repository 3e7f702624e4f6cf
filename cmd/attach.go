package cmd

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
)

// attachValues attaches optional values that are words of their own to their
// options: pflag takes `-n=10.0.0.2' only, and would take the address in `list -n
// 10.0.0.2' for the name of a table.
func attachValues(c *cobra.Command, args []string) ([]string, error) {
	a := &attacher{command: c, left: args}
	for len(a.left) > 0 {
		word := a.take()
		var err error
		switch {
		case word == "--":
			a.out = append(append(a.out, word), a.left...)
			return a.out, nil
		case strings.HasPrefix(word, "--"):
			err = a.long(word)
		case len(word) > 1 && word[0] == '-':
			err = a.letters(word)
		default:
			a.argument = true
			a.out = append(a.out, word)
		}
		if err != nil {
			return nil, err
		}
	}
	return a.out, nil
}

// attacher is the state of attachValues.
type attacher struct {
	command   *cobra.Command
	left, out []string
	argument  bool // a word that is no option and no value came before
}

func (a *attacher) take() string {
	word := a.left[0]
	a.left = a.left[1:]
	return word
}

func (a *attacher) long(word string) error {
	f := a.command.Flags().Lookup(word[2:])
	if f == nil { // it has a value, or it is unknown, which pflag reports
		a.out = append(a.out, word)
		return nil
	}
	return a.option(f, word)
}

// letters takes a word of one dash and letters, of which the last may have a value.
func (a *attacher) letters(word string) error {
	for i := 1; i < len(word); i++ {
		f := a.command.Flags().ShorthandLookup(word[i : i+1])
		rest := word[i+1:]
		switch {
		case f == nil || strings.HasPrefix(rest, "="):
		case rest == "":
			return a.option(f, word)
		case isOptional(f) && cmdline.IsAddress(rest):
			word = word[:i+1] + "=" + rest
		case f.NoOptDefVal != "":
			continue
		}
		break
	}
	a.out = append(a.out, word)
	return nil
}

// option takes an option that ends its word.
func (a *attacher) option(f *pflag.Flag, word string) error {
	switch {
	case len(a.left) == 0:
	case f.NoOptDefVal == "":
		a.out = append(a.out, word, a.take())
		return nil
	case isOptional(f):
		attach, err := a.isValue(f, a.left[0])
		if err != nil {
			return err
		}
		if attach {
			word += "=" + a.take()
		}
	}
	a.out = append(a.out, word)
	return nil
}

// isOptional reports whether the value of an option can be missing.
func isOptional(f *pflag.Flag) bool {
	return f.NoOptDefVal == anyNAT || f.NoOptDefVal == allLabels || f.NoOptDefVal == cmdline.WatchDefault
}

// isValue reports whether the word after an option is its value, and not the
// argument of the command.
func (a *attacher) isValue(f *pflag.Flag, word string) (bool, error) {
	isTable := slices.ContainsFunc(a.command.ValidArgs, func(t string) bool { return strings.HasPrefix(t, word) })
	switch {
	case strings.HasPrefix(word, "-") || word == "":
		return false, nil
	case f.NoOptDefVal == cmdline.WatchDefault:
		return cmdline.IsWatchValue(word), nil
	case f.NoOptDefVal == anyNAT:
		switch {
		case cmdline.IsAddress(word):
			return true, nil
		case a.argument || len(a.command.ValidArgs) == 0 || isTable:
			return false, nil
		}
		return false, cmdline.Usagef("`%s' after --%s is neither an address nor the name of a table", word, f.Name)
	case isTable && !a.argument:
		return false, cmdline.Usagef("`%s' after --%s can be a label or the name of the table: use --%s=%s for a label",
			word, f.Name, f.Name, word)
	}
	return true, nil
}
