package cmd

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/gonntrack/gonntrack/cmd/internal/action"
	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
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
	protocols    []*cmdline.Protocol
	labelMapPath string
	expect       bool // the table is that of expectations
}

// note takes an option of the words before.
func (k *known) note(w *cmdline.Word, value string) {
	switch {
	case w.Protocol != 0:
	case w.Option == cmdline.OptLabelMap:
		k.labelMapPath = value
	case w.Option == cmdline.OptProtoNum:
		for name := range strings.SplitSeq(strings.TrimPrefix(value, "!"), ",") {
			if proto, ok := cmdline.ProtocolByName(name); ok {
				k.protocols = append(k.protocols, proto)
			}
		}
	}
}

// value completes an option's value of which so much was typed.
func (k *known) value(w *cmdline.Word, typed string) completion {
	if w.Protocol != 0 {
		return k.protoValue(w.Protocol, typed)
	}
	switch w.Option {
	case cmdline.OptProtoNum:
		return inList(typed, protocolWords(typed))
	case cmdline.OptStatus:
		return inList(typed, append(namesOf(cmdline.StatusNames), "UNREPLIED\tno reply was seen"))
	case cmdline.OptEventMask:
		return inList(typed, namesOf(cmdline.EventNames))
	case cmdline.OptOutput:
		return inList(typed, described(namesOf(cmdline.OutputNames), outputWords))
	case cmdline.OptFamily:
		return matching(typed, []string{"ipv4", "ipv6"})
	case cmdline.OptLabel, cmdline.OptLabelAdd, cmdline.OptLabelDel:
		return inList(typed, k.labels())
	case cmdline.OptBy, cmdline.OptSort, cmdline.OptColumns:
		return inList(typed, k.fields())
	case cmdline.OptHelper:
		return matching(typed, format.HelperNames())
	case cmdline.OptNetNS:
		if strings.ContainsRune(typed, '/') {
			return files
		}
		return matching(typed, action.NetNSNames())
	case cmdline.OptLabelMap, cmdline.OptTable:
		return files
	}
	return nothing
}

func (k *known) protoValue(o cmdline.ProtoOption, typed string) completion {
	switch o {
	case cmdline.ProtoOptState:
		var states []string
		for _, proto := range cmdline.Protocols {
			if names := ctnetlink.StateNames(proto.Number); names != nil && (len(k.protocols) == 0 || slices.Contains(k.protocols, proto)) {
				for _, name := range names {
					states = append(states, name+"\t"+proto.Name)
				}
			}
		}
		return inList(typed, unique(states))
	case cmdline.ProtoOptRole:
		return matching(typed, []string{"client", "server"})
	case cmdline.ProtoOptICMPType:
		return inList(typed, format.ICMPTypes(ctnetlink.ProtoICMP))
	case cmdline.ProtoOptICMPv6Type:
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

func namesOf(list []cmdline.Name) []string {
	words := make([]string, len(list))
	for i, n := range list {
		words[i] = n.Text
	}
	return words
}

// protocolWords are the eight with options of their own, and once a letter was
// typed the system's names.
func protocolWords(typed string) []string {
	var words []string
	for _, proto := range cmdline.Protocols {
		words = append(words, proto.Name)
	}
	if last := typed[strings.LastIndexAny(typed, ",!")+1:]; last == "" {
		return words
	}
	for fields := range cmdline.SystemProtocols() {
		words = append(words, fields[0]+"\tprotocol "+fields[1])
	}
	return unique(words)
}

// labels are the names of the label file.
func (k *known) labels() []string {
	m, err := cmdline.OpenLabelMap(k.labelMapPath)
	if err != nil {
		return nil
	}
	var words []string
	for _, n := range m.Names {
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

// matching are the words that begin as what was typed does, in any case.
func matching(typed string, words []string) completion {
	c := nothing
	for _, w := range words {
		if cmdline.HasPrefixFold(w, typed) {
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

// completeFlags lets cobra complete the values of a command's options. given are
// those before.
func completeFlags(c *cobra.Command, given *[]cmdline.Occurrence) {
	for _, w := range allWords() {
		if w.Argument == cmdline.NoArgument || c.Flags().Lookup(w.Long) == nil {
			continue
		}
		_ = c.RegisterFlagCompletionFunc(w.Long, func(_ *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
			k := &known{expect: len(args) > 0 && strings.HasPrefix("expect", args[0])}
			for i := range *given {
				k.note((*given)[i].Word, (*given)[i].Value)
			}
			v := k.value(w, typed)
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

// allWords returns the words of every option, protocols' included.
func allWords() []*cmdline.Word {
	var all []*cmdline.Word
	for i := range cmdline.Words {
		if w := &cmdline.Words[i]; w.Command == cmdline.CmdNone {
			all = append(all, w)
		}
	}
	for i := range cmdline.Extensions {
		all = append(all, &cmdline.Extensions[i].Word)
	}
	for _, proto := range cmdline.Protocols {
		words := proto.Words()
		for i := range words {
			all = append(all, &words[i])
		}
	}
	return all
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
