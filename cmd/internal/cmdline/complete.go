package cmdline

import (
	"slices"
	"strings"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/format"
)

// Candidates are what can be typed in place of a word.
type Candidates struct {
	// Words are the words, some with a tab and a description after them.
	Words []string
	// Files: names of files, which the shell completes.
	Files bool
}

// A Completer completes the values of options.
type Completer struct {
	// NetNS returns the names of network namespaces.
	NetNS func() []string

	protocols    []*Protocol
	labelMapPath string
	expect       bool // the table is that of expectations
}

// NewCompleter returns a completer for a line on which options were given. With
// expect, the table is that of expectations.
func NewCompleter(given []Occurrence, expect bool, netns func() []string) *Completer {
	c := &Completer{NetNS: netns, expect: expect}
	for i := range given {
		c.note(given[i].Word, given[i].Value)
	}
	return c
}

// note takes an option that was given.
func (c *Completer) note(w *Word, value string) {
	switch {
	case w.Protocol != 0:
	case w.Option == OptLabelMap:
		c.labelMapPath = value
	case w.Option == OptProtoNum:
		for name := range strings.SplitSeq(strings.TrimPrefix(value, "!"), ",") {
			if proto, ok := ProtocolByName(name); ok {
				c.protocols = append(c.protocols, proto)
			}
		}
	}
}

// Value completes the value of an option, of which typed was typed.
func (c *Completer) Value(w *Word, typed string) Candidates {
	if w.Protocol != 0 {
		return c.protoValue(w.Protocol, typed)
	}
	switch w.Option {
	case OptProtoNum:
		return inList(typed, protocolWords(typed))
	case OptStatus:
		return inList(typed, append(namesOf(StatusNames), "UNREPLIED\tno reply seen"))
	case OptEventMask:
		return inList(typed, namesOf(EventNames))
	case OptOutput:
		return inList(typed, described(namesOf(OutputNames), outputWords))
	case OptFamily:
		return Matching(typed, []string{"ipv4", "ipv6"})
	case OptLabel, OptLabelAdd, OptLabelDel:
		return inList(typed, c.labels())
	case OptBy, OptSort, OptColumns:
		return inList(typed, c.fields())
	case OptHelper:
		return Matching(typed, format.HelperNames())
	case OptNetNS:
		if strings.ContainsRune(typed, '/') {
			return Candidates{Files: true}
		}
		return Matching(typed, c.NetNS())
	case OptLabelMap, OptTable:
		return Candidates{Files: true}
	}
	return Candidates{}
}

func (c *Completer) protoValue(o ProtoOption, typed string) Candidates {
	switch o {
	case ProtoOptState:
		var states []string
		for _, proto := range Protocols {
			if len(c.protocols) > 0 && !slices.Contains(c.protocols, proto) {
				continue
			}
			if names := proto.Number.StateNames(); names != nil {
				for _, name := range names {
					states = append(states, name+"\t"+proto.Name)
				}
			}
		}
		return inList(typed, Unique(states))
	case ProtoOptRole:
		return Matching(typed, []string{"client", "server"})
	case ProtoOptICMPType:
		return inList(typed, format.ICMPTypes(ctnetlink.ProtoICMP))
	case ProtoOptICMPv6Type:
		return inList(typed, format.ICMPTypes(ctnetlink.ProtoICMPv6))
	}
	return Candidates{}
}

// outputWords describe what the elements of -o are.
var outputWords = []string{
	"xml\tone <flow> element per line",
	"extended\tthe network protocol in front",
	"timestamp\ttime of events",
	"id\tid of the entry",
	"ktimestamp\twhen the entry was created and destroyed",
	"labels\tnames of its labels",
	"userspace\tno effect",
	"save\tthe command that creates the entry again",
	"json\tone JSON document",
	"jsonl\tone JSON object per line",
	"csv\tcomma-separated values",
	"table\ta table for people",
	"netlink\ta table file",
	"prom\tOpenMetrics text (stats, summary)",
}

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

func namesOf(list []Name) []string {
	words := make([]string, len(list))
	for i, n := range list {
		words[i] = n.Text
	}
	return words
}

// protocolWords returns the eight protocols with options of their own, and once a
// letter was typed the names of the system.
func protocolWords(typed string) []string {
	var words []string
	for _, proto := range Protocols {
		words = append(words, proto.Name)
	}
	if last := typed[strings.LastIndexAny(typed, ",!")+1:]; last == "" {
		return words
	}
	for fields := range SystemProtocols() {
		words = append(words, fields[0]+"\tprotocol "+fields[1])
	}
	return Unique(words)
}

// labels returns the names of the label file.
func (c *Completer) labels() []string {
	m, err := OpenLabelMap(c.labelMapPath)
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

// fields returns the names of columns and keys.
func (c *Completer) fields() []string {
	var words []string
	for d := range format.Fields() {
		if c.expect && d.OfExpects() || !c.expect && d.OfFlows() {
			words = append(words, d.Name+"\t"+d.Help)
		}
	}
	return words
}

// Matching returns the words that begin with what was typed, in any case.
func Matching(typed string, words []string) Candidates {
	var c Candidates
	for _, w := range words {
		if HasPrefixFold(w, typed) {
			c.Words = append(c.Words, w)
		}
	}
	return c
}

// inList completes the last element of a comma-separated list. Those before it
// stay, and are not offered again. The list may begin with a !, and so may an
// element.
func inList(typed string, words []string) Candidates {
	cut := strings.LastIndexByte(typed, ',') + 1
	before := strings.Split(strings.TrimPrefix(typed[:cut], "!"), ",")
	if strings.HasPrefix(typed[cut:], "!") {
		cut++
	}
	c := Matching(typed[cut:], words)
	kept := c.Words[:0]
	for _, w := range c.Words {
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
	c.Words = kept
	return c
}

// Unique leaves out words whose name came before.
func Unique(words []string) []string {
	seen := map[string]bool{}
	return slices.DeleteFunc(words, func(w string) bool {
		name, _, _ := strings.Cut(w, "\t")
		again := seen[name]
		seen[name] = true
		return again
	})
}

// Keys completes a list of keys, as for --by.
func Keys(typed string) Candidates { return inList(typed, new(Completer).fields()) }

// AllWords returns the words of every option, protocols' included.
func AllWords() []*Word {
	var all []*Word
	for i := range Words {
		if w := &Words[i]; w.Command == CmdNone {
			all = append(all, w)
		}
	}
	for i := range Extensions {
		all = append(all, &Extensions[i].Word)
	}
	for _, proto := range Protocols {
		words := proto.Words()
		for i := range words {
			all = append(all, &words[i])
		}
	}
	return all
}
