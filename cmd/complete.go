package cmd

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/format"
)

// Completion of the words of a command line, for the shells that cobra writes
// scripts for. What an option's value can be is known here, for both grammars.

// completion is what may stand in place of a word.
type completion struct {
	words []string // with a tab and a description behind some
	how   cobra.ShellCompDirective
}

// nothing: no word is known, and no file is meant.
var nothing = completion{how: cobra.ShellCompDirectiveNoFileComp}

// files: the shell knows the names.
var files = completion{how: cobra.ShellCompDirectiveDefault}

// known is what the words before say of the one that is completed.
type known struct {
	protocols    []*protocol
	labelMapPath string
	expect       bool // the table is that of expectations
}

// note takes an option of the words before.
func (k *known) note(w *word, value string) {
	switch {
	case w.protocol != 0:
	case w.option == optLabelMap:
		k.labelMapPath = value
	case w.option == optProtoNum:
		for name := range strings.SplitSeq(strings.TrimPrefix(value, "!"), ",") {
			if proto, ok := protocolByName(name); ok {
				k.protocols = append(k.protocols, proto)
			}
		}
	}
}

// value completes an option's value of which so much was typed.
func (k *known) value(w *word, typed string) completion {
	if w.protocol != 0 {
		return k.protoValue(w.protocol, typed)
	}
	switch w.option {
	case optProtoNum:
		return inList(typed, protocolWords(typed))
	case optStatus:
		return inList(typed, append(namesOf(statusNames), "UNREPLIED\tno reply was seen"))
	case optEventMask:
		return inList(typed, namesOf(eventNames))
	case optOutput:
		return inList(typed, described(namesOf(outputNames), outputWords))
	case optFamily:
		return matching(typed, []string{"ipv4", "ipv6"})
	case optLabel, optLabelAdd, optLabelDel:
		return inList(typed, k.labels())
	case optBy, optSort, optColumns:
		return inList(typed, k.fields())
	case optHelper:
		return matching(typed, format.HelperNames())
	case optNetNS:
		if strings.ContainsRune(typed, '/') {
			return files
		}
		return matching(typed, netnsWords())
	case optLabelMap, optTable:
		return files
	}
	return nothing
}

func (k *known) protoValue(o protoOption, typed string) completion {
	switch o {
	case poState:
		var states []string
		for _, proto := range protocols {
			if names := ctnetlink.StateNames(proto.number); names != nil && (len(k.protocols) == 0 || slices.Contains(k.protocols, proto)) {
				for _, name := range names {
					states = append(states, name+"\t"+proto.name)
				}
			}
		}
		return inList(typed, unique(states))
	case poRole:
		return matching(typed, []string{"client", "server"})
	case poICMPType:
		return inList(typed, format.ICMPTypes(ctnetlink.ProtoICMP))
	case poICMPv6Type:
		return inList(typed, format.ICMPTypes(ctnetlink.ProtoICMPv6))
	}
	return nothing
}

// outputWords say what the elements of -o are.
var outputWords = []string{"xml\ta <flow> element a line", "extended\tthe network protocol in front", "timestamp\twhen it happened (events)",
	"id\tthe entry's id", "ktimestamp\twhen it began and ended", "labels\tthe names of its labels", "userspace\twithout effect",
	"save\tthe command that makes it again", "json\tone JSON document", "jsonl\ta JSON object a line", "csv\tcomma-separated values",
	"table\ta table for eyes", "netlink\ta table file", "prom\tOpenMetrics text (stats)"}

// described puts the descriptions behind those words that have one.
func described(words, texts []string) []string {
	for i, w := range words {
		for _, text := range texts {
			if name, _, _ := strings.Cut(text, "\t"); name == w {
				words[i] = text
			}
		}
	}
	return words
}

func namesOf(list []name) []string {
	words := make([]string, len(list))
	for i, n := range list {
		words[i] = n.text
	}
	return words
}

// protocolWords are the eight with options of their own, and once a letter was
// typed the system's names.
func protocolWords(typed string) []string {
	var words []string
	for _, proto := range protocols {
		words = append(words, proto.name)
	}
	if last := typed[strings.LastIndexAny(typed, ",!")+1:]; last == "" {
		return words
	}
	file, err := os.Open("/etc/protocols")
	if err != nil {
		return words
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		line, _, _ := strings.Cut(lines.Text(), "#")
		if f := strings.Fields(line); len(f) > 1 {
			words = append(words, f[0]+"\tprotocol "+f[1])
		}
	}
	return unique(words)
}

// labels are the names of the label file.
func (k *known) labels() []string {
	m, err := openLabelMap(k.labelMapPath)
	if err != nil {
		return nil
	}
	var words []string
	for _, n := range m.names {
		if n != "" {
			words = append(words, n)
		}
	}
	return words
}

// fields are the names of columns and keys.
func (k *known) fields() []string {
	var words []string
	for d := range format.Fields() {
		if k.expect && d.OfExpects() || !k.expect && d.OfFlows() {
			words = append(words, d.Name+"\t"+d.Help)
		}
	}
	return words
}

// netnsWords are the named network namespaces (ip-netns(8)).
func netnsWords() []string {
	entries, err := os.ReadDir("/run/netns")
	if err != nil {
		return nil
	}
	var words []string
	for _, e := range entries {
		words = append(words, e.Name())
	}
	return words
}

// matching are the words that begin as what was typed does, in any case.
func matching(typed string, words []string) completion {
	c := nothing
	for _, w := range words {
		if hasPrefixFold(w, typed) {
			c.words = append(c.words, w)
		}
	}
	return c
}

// inList completes the last element of a comma-separated list; those before it
// stay, and are not offered again. The list may begin with a !, and so may an
// element.
func inList(typed string, words []string) completion {
	cut := strings.LastIndexByte(typed, ',') + 1
	before := strings.Split(strings.TrimPrefix(typed[:cut], "!"), ",")
	if strings.HasPrefix(typed[cut:], "!") {
		cut++
	}
	c := matching(typed[cut:], words)
	kept := c.words[:0]
	for _, w := range c.words {
		name, _, _ := strings.Cut(w, "\t")
		if !slices.ContainsFunc(before, func(b string) bool { return strings.EqualFold(b, name) }) {
			if cut > 0 {
				// Of a word with a comma and a description bash's script
				// quotes the comma, and then misses what was typed.
				w = typed[:cut] + name
			}
			kept = append(kept, w)
		}
	}
	c.words = kept
	return c
}

// unique leaves out what comes again under the same name.
func unique(words []string) []string {
	seen := map[string]bool{}
	return slices.DeleteFunc(words, func(w string) bool {
		name, _, _ := strings.Cut(w, "\t")
		again := seen[name]
		seen[name] = true
		return again
	})
}

// completeFlags lets cobra complete the values of a command's options. given
// are those that stood before.
func completeFlags(c *cobra.Command, given *[]occurrence) {
	for _, w := range allWords() {
		if w.argument == noArgument || c.Flags().Lookup(w.long) == nil {
			continue
		}
		_ = c.RegisterFlagCompletionFunc(w.long, func(_ *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
			k := &known{expect: len(args) > 0 && strings.HasPrefix("expect", args[0])}
			for i := range *given {
				k.note(&(*given)[i].word, (*given)[i].value)
			}
			v := k.value(&w, typed)
			return v.words, v.how
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
	v := inList(typed, new(known).fields())
	return v.words, v.how
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
			c.ValidArgsFunction = func(_ *cobra.Command, _ []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
				v := matching(typed, words)
				return v.words, v.how
			}
		}
	}
}

// allWords are the words of every option, protocols' included.
func allWords() []word {
	all := slices.Clone(words)
	for i := range ownOptions {
		all = append(all, ownOptions[i].word)
	}
	for _, proto := range protocols {
		all = append(all, proto.words()...)
	}
	return slices.DeleteFunc(all, func(w word) bool { return w.command != cmdNone })
}

// print writes a completion as cobra's scripts read it.
func (c completion) print(w io.Writer, descriptions bool) {
	var b strings.Builder
	for _, word := range c.words {
		if !descriptions {
			word, _, _ = strings.Cut(word, "\t")
		}
		b.WriteString(word + "\n")
	}
	fmt.Fprintf(&b, ":%d\n", c.how)
	_, _ = io.WriteString(w, b.String())
}
