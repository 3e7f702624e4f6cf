package cmd

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
)

// The help of a command: its text, its examples, and its options as they are in
// the tables that also decide which it takes.

const (
	helpWidth  = 80
	helpColumn = 30 // of the options' texts
)

// commandHelp returns the help of a command.
func commandHelp(c *cobra.Command) string {
	if !c.HasParent() {
		return helpText
	}
	var b strings.Builder
	text := c.Long
	if text == "" {
		text = c.Short + "."
	}
	fmt.Fprintf(&b, "%s\n\nUsage:\n  conntrack %s\n", strings.TrimSpace(text), useLine(c))
	if len(c.ValidArgs) > 1 {
		fmt.Fprintf(&b, "\nTables: conntrack (the default), %s\n", strings.Join(c.ValidArgs[1:], ", "))
	}
	if c.Example != "" {
		fmt.Fprintf(&b, "\nExamples:\n%s\n", c.Example)
	}
	var own, protocols []*pflag.Flag
	for _, f := range shownFlags(c) {
		if x, ok := f.Value.(*flag); ok && x.word.Protocol != 0 {
			protocols = append(protocols, f)
		} else {
			own = append(own, f)
		}
	}
	for _, group := range []struct {
		title string
		flags []*pflag.Flag
	}{{"Options", own}, {"Options of protocols, with -p", protocols}} {
		if len(group.flags) == 0 {
			continue
		}
		fmt.Fprintf(&b, "\n%s:\n", group.title)
		for _, f := range group.flags {
			short := "    "
			if f.Shorthand != "" {
				short = "-" + f.Shorthand + ", "
			}
			writeOption(&b, "  "+short+"--"+f.Name+valueText(f), f.Usage)
		}
	}
	if c.Flags().Lookup("host") != nil {
		b.WriteString(filterNote)
	}
	return b.String()
}

// filterNote is in the help of commands with filters.
const filterNote = "\nFilters take lists and ranges, and a leading ! negates a value: conntrack help\nfilters\n"

// useLine returns the words of a command.
func useLine(c *cobra.Command) string {
	if len(shownFlags(c)) > 0 {
		return c.Use + " [OPTIONS]"
	}
	return c.Use
}

// shownFlags returns the options of a command that its help shows.
func shownFlags(c *cobra.Command) (list []*pflag.Flag) {
	c.Flags().VisitAll(func(f *pflag.Flag) {
		if !f.Hidden && f.Name != "help" {
			list = append(list, f)
		}
	})
	return list
}

// valueText returns how the value of an option is written behind its name; one in
// brackets can be missing.
func valueText(f *pflag.Flag) string {
	x, ok := f.Value.(*flag)
	switch {
	case !ok:
		return " " + f.Value.Type()
	case x.word.Argument == cmdline.NoArgument:
		return ""
	case x.word.Argument == cmdline.WordArgument:
		return " [" + x.value + "]"
	}
	return " " + x.value
}

// writeOption writes the names of an option and its text beside them, in lines of
// at most helpWidth columns if its words allow it.
func writeOption(b *strings.Builder, names, text string) {
	b.WriteString(names)
	column := len(names)
	if column > helpColumn-2 {
		b.WriteByte('\n')
		column = 0
	}
	for word := range strings.FieldsSeq(text) {
		switch {
		case column < helpColumn:
			b.WriteString(strings.Repeat(" ", helpColumn-column))
			column = helpColumn
		case column+1+len(word) > helpWidth:
			b.WriteString("\n" + strings.Repeat(" ", helpColumn))
			column = helpColumn
		default:
			b.WriteByte(' ')
			column++
		}
		b.WriteString(word)
		column += len(word)
	}
	b.WriteByte('\n')
}
