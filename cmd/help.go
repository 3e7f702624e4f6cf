package cmd

import (
	_ "embed" // the help texts
	"strings"

	"github.com/spf13/cobra"

	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
)

// The texts are files, so that they can be read and edited as text.
var (
	//go:embed help/overview.txt
	helpText string
	//go:embed help/load.txt
	loadHelp string
	//go:embed help/save.txt
	saveHelp string
	//go:embed help/summary.txt
	summaryHelp string
	//go:embed help/stats.txt
	statsHelp string
	//go:embed help/filters.txt
	filtersHelp string
	//go:embed help/output.txt
	outputHelp string
	//go:embed help/protocols.txt
	protocolsHelp string
	//go:embed help/invalid.txt
	invalidHelp string
)

var helpTopics = []struct{ name, short, text string }{
	{"filters", "Which entries a command acts on", filtersHelp},
	{"output", "Output forms, and the fields of a line", outputHelp},
	{"protocols", "The options of each protocol", protocolsHelp},
	{"invalid", "Why packets are INVALID: what it means, what causes it, which sysctl decides", invalidHelp},
}

// newHelp makes the command that prints the help of a command or a topic.
func (p *program) newHelp() *cobra.Command {
	c := &cobra.Command{
		Use:   "help [COMMAND|TOPIC [NAME]]",
		Short: "Print the help of a command or a topic",
		Long: "Print the help of a command or a topic; without one, of the whole program. The\n" +
			"topics are " + strings.Join(topicNames(), ", ") + ".\n" +
			"`help invalid NAME' prints what is said about one reason.",
	}
	one, two := noMore(1), noMore(2)
	c.Args = func(c *cobra.Command, args []string) error {
		if len(args) > 0 && args[0] == "invalid" {
			return two(c, args)
		}
		return one(c, args)
	}
	c.RunE = running(func(args []string) error {
		switch len(args) {
		case 0:
			return p.Out.Print(helpText)
		case 2:
			text, ok := invalidReason(args[1])
			if !ok {
				return cmdline.Usagef("there is no reason `%s': `conntrack help invalid' has all", args[1])
			}
			return p.Out.Print(text)
		}
		text, ok := helpOf(c.Root(), args[0])
		if !ok {
			return noHelp(c.Root(), args[0])
		}
		return p.Out.Print(text)
	})
	return c
}

// invalidReason returns what `help invalid' says about a reason.
func invalidReason(name string) (text string, ok bool) {
	heading := "\n" + name + ":\n"
	_, text, ok = strings.Cut(invalidHelp, heading)
	if !ok || strings.ContainsAny(name, " \n") {
		return "", false
	}
	text, _, _ = strings.Cut(text, "\n\n")
	return heading[1:] + strings.TrimRight(text, "\n") + "\n", true
}

// topicNames returns the names of the topics of help.
func topicNames() (names []string) {
	for _, topic := range helpTopics {
		names = append(names, topic.name)
	}
	return names
}

// helpOf returns the help of a command or a topic.
func helpOf(root *cobra.Command, name string) (text string, ok bool) {
	for _, topic := range helpTopics {
		if topic.name == name {
			return topic.text, true
		}
	}
	if x := externalNamed(name); x != nil {
		return x.help, true
	}
	for _, c := range root.Commands() {
		if c.Name() == name && !c.Hidden {
			return commandHelp(c), true
		}
	}
	return "", false
}

// noHelp returns the error for a word that has no help.
func noHelp(root *cobra.Command, name string) error {
	words := topicNames()
	for _, c := range root.Commands() {
		if !c.Hidden {
			words = append(words, c.Name())
		}
	}
	meant := otherWord(commandSynonyms, name, words)
	if meant == "" {
		meant = cmdline.Nearest(name, words)
	}
	if meant != "" {
		return cmdline.Failuref("no help for `%s'; did you mean `conntrack help %s'?", name, meant)
	}
	return cmdline.Failuref("no help for `%s'; the topics are %s, and `conntrack help' lists the commands",
		name, strings.Join(topicNames(), ", "))
}
