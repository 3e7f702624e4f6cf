package cmd

import (
	"errors"
	"net/netip"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
)

// Messages about mistyped words of the grammar with names, in place of those of
// cobra and pflag.

// flagError is cobra's hook for the error of an option.
func flagError(c *cobra.Command, err error) error {
	var missing *pflag.NotExistError
	var needs *pflag.ValueRequiredError
	var invalid *pflag.InvalidValueError
	var syntax *pflag.InvalidSyntaxError
	switch {
	case errors.Is(err, pflag.ErrHelp):
		return err
	case errors.As(err, &missing):
		return unknownOption(c, missing)
	case errors.As(err, &needs):
		name := "--" + needs.GetFlag().Name
		if letters := needs.GetSpecifiedShortnames(); letters != "" {
			name = "-" + letters[:1]
		}
		return cmdline.Usagef("option `%s' requires an argument", name)
	case errors.As(err, &invalid):
		if f, ok := invalid.GetFlag().Value.(*flag); ok && f.word.Argument == cmdline.NoArgument {
			return cmdline.Usagef("option `--%s' takes no value", f.word.Long)
		}
		return invalid.Unwrap()
	case errors.As(err, &syntax):
		return cmdline.Usagef("unknown option `%s'", syntax.GetSpecifiedFlag())
	}
	return cmdline.Usagef("%s", err)
}

// unknownOption returns the error for an option that the command does not have.
func unknownOption(c *cobra.Command, e *pflag.NotExistError) error {
	if letters := e.GetSpecifiedShortnames(); letters != "" {
		letter := e.GetSpecifiedName()
		if slices.ContainsFunc(cmdline.AllWords(), func(w *cmdline.Word) bool { return string(rune(w.Short)) == letter }) {
			return illegalOption(c, "-"+letter)
		}
		return cmdline.Usagef("unknown option `-%s'", letter)
	}
	name := e.GetSpecifiedName()
	if slices.ContainsFunc(cmdline.AllWords(), func(w *cmdline.Word) bool { return w.Long == name }) {
		return illegalOption(c, "--"+name)
	}
	var names []string
	c.Flags().VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			names = append(names, f.Name)
		}
	})
	meant := otherWord(optionSynonyms, name, names)
	if meant == "" {
		meant = cmdline.Nearest(name, names)
	}
	if meant != "" {
		return cmdline.Usagef("unknown option `--%s'; did you mean `--%s'?", name, meant)
	}
	return cmdline.Usagef("unknown option `--%s'", name)
}

// illegalOption returns the error for an option of other commands.
func illegalOption(c *cobra.Command, option string) error {
	return cmdline.Usagef("Illegal option `%s' with `%s'", option, c.Name())
}

// synonym is a word that people type for another.
type synonym struct{ typed, meant string }

var optionSynonyms = []synonym{
	{"source", "src"}, {"destination", "dst"}, {"protocol", "protonum"}, {"format", "output"}, {"ip", "host"},
	{"address", "host"}, {"namespace", "netns"}, {"source-port", "sport"}, {"destination-port", "dport"},
	{"top", "limit"}, {"head", "limit"}, {"order", "sort"}, {"fields", "columns"}, {"force", "yes"},
}

var commandSynonyms = []synonym{
	{"show", "list"}, {"ls", "list"}, {"dump", "list"}, {"print", "list"}, {"find", "list"}, {"search", "list"},
	{"monitor", "events"}, {"watch", "events"}, {"follow", "events"}, {"del", "delete"}, {"remove", "delete"},
	{"rm", "delete"}, {"drop", "delete"}, {"kill", "delete"}, {"new", "create"}, {"insert", "create"},
	{"set", "update"}, {"change", "update"}, {"modify", "update"}, {"clear", "flush"}, {"reset", "flush"},
	{"empty", "flush"}, {"counters", "stats"}, {"statistics", "stats"}, {"export", "save"}, {"backup", "save"},
	{"import", "load"}, {"restore", "load"}, {"describe", "explain"}, {"info", "explain"}, {"counter", "count"},
	{"group", "summary"}, {"manual", "man"},
}

// otherWord returns what a synonym means, if it is in a list, else "".
func otherWord(synonyms []synonym, typed string, words []string) string {
	for _, s := range synonyms {
		if s.typed == typed && slices.Contains(words, s.meant) {
			return s.meant
		}
	}
	return ""
}

// unknownCommand returns an error about a first word that is no command, with the
// command or the topic of help that was probably meant.
func unknownCommand(typed string) error {
	var names, topics []string
	for _, name := range commandNames {
		if !strings.HasPrefix(name, "_") {
			names = append(names, name)
		}
	}
	for _, x := range externals {
		names = append(names, x.name)
	}
	for _, topic := range helpTopics {
		topics = append(topics, topic.name)
	}
	meant := otherWord(commandSynonyms, strings.ToLower(typed), names)
	if meant == "" {
		meant = cmdline.Nearest(typed, names)
	}
	if meant != "" {
		return cmdline.Failuref("`%s' is not a command; did you mean `conntrack %s'?", typed, meant)
	}
	if topic := cmdline.Nearest(typed, topics); topic != "" {
		return cmdline.Failuref("`%s' is not a command; did you mean `conntrack help %s'?", typed, topic)
	}
	return cmdline.Failuref("`%s' is not a command; `conntrack help' lists them", typed)
}

// unknownTable returns the error for a word that does not name a table: what was probably
// meant is one, or the value of an option.
func unknownTable(t *treeCommand, typed string) error {
	text := "`%s' is not a table; "
	if meant := cmdline.Nearest(typed, t.tables); meant != "" {
		return cmdline.Usagef(text+"did you mean `%s'?", typed, meant)
	}
	if _, ok := cmdline.ProtocolByName(typed); ok && t.takes(cmdline.OptProtoNum) {
		return cmdline.Usagef(text+"did you mean `-p %s'?", typed, typed)
	}
	if _, err := netip.ParseAddr(typed); err == nil && t.takesExtension(cmdline.OptHost) {
		return cmdline.Usagef(text+"did you mean `--host %s'?", typed, typed)
	}
	return cmdline.Usagef(text+"the tables are %s", typed, strings.Join(t.tables, ", "))
}

// noMore returns an error for words after the n that a command takes.
func noMore(n int) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) > n {
			return cmdline.Usagef("`%s' is one word too many for `%s'", args[n], c.Name())
		}
		return nil
	}
}

// exactlyOne returns an error unless there is one word, which is what.
func exactlyOne(what string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) == 0 {
			return cmdline.Usagef("`%s' needs %s", c.Name(), what)
		}
		return noMore(1)(c, args)
	}
}
