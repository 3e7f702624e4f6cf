package cmdline

import (
	"slices"
	"strings"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/format"
	"github.com/gonntrack/gonntrack/stats"
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
	Command Command // CmdNone: any
	Table   Table
	// By are the keys of the groups that are shown, "" for entries.
	By string
	// Live: the command has rates, see Request.Live.
	Live bool
	// NetNS returns the names of network namespaces.
	NetNS func() []string

	protocols    []*Protocol
	labelMapPath string
}

// Note takes the options that were given before the value that is completed.
func (c *Completer) Note(given []Occurrence) {
	for i := range given {
		c.note(given[i].Word, given[i].Value)
	}
}

// note takes an option that was given.
func (c *Completer) note(w *Word, value string) {
	switch {
	case w.Protocol != 0:
	case w.Option == OptBy:
		c.By = value
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
		return c.outputs(typed)
	case OptFamily:
		return Matching(typed, []string{"ipv4", "ipv6"})
	case OptLabel, OptLabelAdd, OptLabelDel:
		return inList(typed, c.labels())
	case OptBy:
		return Keys(typed) // rates are none
	case OptSort:
		return c.sortKeys(typed)
	case OptColumns:
		return inList(typed, c.fields())
	case OptHelper:
		return Matching(typed, format.HelperNames())
	case OptNetNS:
		if strings.ContainsRune(typed, '/') {
			return Candidates{Files: true}
		}
		return Matching(typed, c.NetNS())
	case OptLabelMap, OptTable, OptMatch:
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

// outputs completes -o: what the command takes, and behind a comma what can be
// combined.
func (c *Completer) outputs(typed string) Candidates {
	shows := c.Command
	if c.By != "" {
		shows = CmdGroups
	}
	var words []string
	for i := range OutputForms {
		f := &OutputForms[i]
		if (c.Command == CmdNone || f.takenBy(shows, c.Table)) && !(f.Alone && strings.ContainsRune(typed, ',')) &&
			(!c.Live || slices.Contains(LiveOutputs, OutputNames[i].Text)) {
			words = append(words, OutputNames[i].Text+"\t"+f.Help)
		}
	}
	return inList(typed, words)
}

// sortKeys completes --sort, where a - stands before a key: of groups their sums
// and keys, of entries their fields.
func (c *Completer) sortKeys(typed string) Candidates {
	words := c.fields()
	if c.By != "" {
		words = slices.Clone(stats.Sums)
		if c.Live {
			words = append(words, GroupRates...)
		}
		for typed := range strings.SplitSeq(c.By, ",") {
			words = append(words, strings.Split(fieldAliases(typed), ",")...)
		}
	}
	return inSignedList(typed, "-", Unique(words))
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
	words := protocolNames()
	if last := typed[strings.LastIndexAny(typed, ",!")+1:]; last == "" {
		return words
	}
	for fields := range SystemProtocols() {
		words = append(words, fields[0]+"\tprotocol "+fields[1])
	}
	return Unique(words)
}

// protocolNames returns the names of the protocols with options of their own.
func protocolNames() (names []string) {
	for _, proto := range Protocols {
		names = append(names, proto.Name)
	}
	return names
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
		if expect := c.Table == TableExpect; expect && d.OfExpects() || !expect && d.OfFlows() && (c.Live || !d.IsRate()) {
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
func inList(typed string, words []string) Candidates { return inSignedList(typed, "!", words) }

// inSignedList is inList with another sign than !.
func inSignedList(typed, sign string, words []string) Candidates {
	cut := strings.LastIndexByte(typed, ',') + 1
	before := strings.Split(typed[:cut], ",")
	for i := range before {
		before[i] = strings.TrimPrefix(before[i], sign)
	}
	if strings.HasPrefix(typed[cut:], sign) {
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
