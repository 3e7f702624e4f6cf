package cmd

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
	"github.com/gonntrack/gonntrack/cmd/internal/console"
)

// accepts runs a command line up to its request, and returns what was wrong with
// it, "" for nothing.
func accepts(t *testing.T, words ...string) string {
	t.Helper()
	var out, errs bytes.Buffer
	p := &program{Streams: console.NewStreams(strings.NewReader(""), &out, &errs)}
	p.run = func(r *cmdline.Request) error {
		if r.Command == cmdline.CmdLoad {
			return nil
		}
		return r.ValidateFilter()
	}
	var usage *cmdline.UsageError
	var failure *cmdline.Failure
	run := p.named
	if strings.HasPrefix(words[0], "-") {
		run = p.classic
	}
	switch err := run(words); {
	case errors.As(err, &usage):
		return usage.Text
	case errors.As(err, &failure):
		return failure.Text
	case err != nil:
		t.Errorf("%q: %v", words, err)
	}
	return ""
}

// A command with the words that it needs, for each protocol and table.
type helpCase struct {
	name  string
	words []string
}

// ofProtocol are the options that name an entry of a protocol; state is what a
// new one also needs.
var ofProtocol = []struct{ name, tuple, state, expected string }{
	{"tcp", "--sport 1 --dport 2", "--state ESTABLISHED", expectedPorts},
	{"udp", "--sport 1 --dport 2", "", expectedPorts},
	{"udplite", "--sport 1 --dport 2", "", expectedPorts},
	{"sctp", "--sport 1 --dport 2", "--state ESTABLISHED --orig-vtag 1 --reply-vtag 2",
		expectedPorts + " --orig-vtag 1 --reply-vtag 2"},
	{"dccp", "--sport 1 --dport 2", "--state OPEN --role client", expectedPorts + " --role client"},
	{"icmp", "--icmp-type 8 --icmp-code 0 --icmp-id 1", "", ""},
	{"icmpv6", "--icmpv6-type 128 --icmpv6-code 0 --icmpv6-id 1", "", ""},
	{"gre", "--srckey 1 --dstkey 2", "", "--reply-key-src 2 --reply-key-dst 1 --tuple-key-src 3 --tuple-key-dst 4 " +
		"--mask-key-src 255 --mask-key-dst 255"},
}

// expectedPorts are what a new expectation of a protocol with ports needs.
const expectedPorts = "--tuple-port-src 3 --tuple-port-dst 4 --mask-port-src 255 --mask-port-dst 255"

// helpCases returns lines to which an option of the command can be added.
func helpCases(name string) (list []helpCase) {
	add := func(line string) { list = append(list, helpCase{name, strings.Fields(line)}) }
	if !slices.Contains([]string{"get", "create", "add"}, name) {
		switch name {
		case "save", "load":
			add(name + " file")
			add(name + " file -s 10.0.0.1 -d 10.0.0.2")
			add(name + " file -s ::1 -d ::2")
		case "delete":
			add(name + " -w 1") // -t does not select
			add(name)
		case "man", "completion", "help", "version", "__complete", "__completeNoDesc":
		default:
			add(name)
			add(name + " expect")
			add(name + " -s 10.0.0.1 -d 10.0.0.2") // for the masks
			add(name + " -s ::1 -d ::2")
		}
	}
	for _, o := range ofProtocol {
		addr := " -s 10.0.0.1 -d 10.0.0.2 "
		if o.name == "icmpv6" {
			addr = " -s ::1 -d ::2 "
		}
		switch name {
		case "get":
			add(name + " -p " + o.name + addr + o.tuple)
			add(name + " expect -p " + o.name + addr + o.tuple)
		case "create", "add":
			add(name + " -t 9 -p " + o.name + addr + o.tuple + " " + o.state)
			if name == "create" {
				add(name + " expect -t 9 -p " + o.name + addr + o.tuple +
					" --tuple-src 10.0.0.3 --tuple-dst 10.0.0.4 --mask-src 255.0.0.0 --mask-dst 255.0.0.0 " + o.expected)
			}
		case "delete":
			add(name + " -p " + o.name)
			add(name + " expect -p " + o.name + addr + o.tuple)
		case "list", "update", "events", "summary", "save", "explain", "count":
			words := name
			if name == "save" {
				words += " file"
			}
			add(words + " -p " + o.name)
		}
	}
	return list
}

// samples are values for the placeholders that help shows.
var samples = map[string][]string{
	"ip": {"10.0.0.1", "::1"}, "ip[/len]": {"10.0.0.1", "10.0.0.0/8", "::/64"},
	"ip[:port]": {"10.0.0.1", "10.0.0.1:80"}, "ip[/len][:port]": {"10.0.0.1", "10.0.0.0/8", "10.0.0.1:80"},
	"proto":   {"tcp", "udp", "icmp", "icmpv6", "gre", "sctp", "dccp", "udplite", "132"},
	"seconds": {"10"}, "zone": {"3"}, "value": {"5"}, "value[/mask]": {"5", "5/0xff"}, "id": {"77"},
	"family": {"ipv4", "ipv6"}, "bytes": {"4096"}, "path": {"/dev/null"}, "file": {"/dev/null"}, "MiB": {"1"},
	"name|path|pid": {"."}, "number": {"3"}, "size": {"3", "1K", "2M", "1G"}, "duration": {"90s", "5m", "1h", "2d"},
	"keys": {"src", "src,dport"}, "key": {"packets", "-bytes"}, "name": {"ftp", "sip"}, "port": {"80"},
	"state": {"ESTABLISHED", "OPEN"}, "tag": {"1"}, "role": {"client", "server"}, "type": {"8", "128"}, "code": {"0"},
	"bits": {"255"},
}

// values returns values of an option that its help names.
func values(f *pflag.Flag) []string {
	switch f.Name {
	case "status":
		words := strings.Fields(strings.TrimSuffix(f.Usage[strings.Index(f.Usage, ": ")+2:], ", or !NAME"))
		if strings.HasSuffix(f.Usage, ", or !NAME") {
			words = append(words, "!ASSURED")
		}
		return words
	case "event-mask":
		return strings.Fields(strings.TrimPrefix(f.Usage, "events to show: "))
	case "output":
		return strings.Fields(strings.TrimPrefix(strings.Replace(f.Usage, ", or alone", "", 1), "output: "))
	case "label-bits", "port":
		return []string{"1", "1,2"}
	case "columns":
		return []string{"src", "src,dst"}
	case "label", "label-add", "label-del":
		return []string{"no-such-label"}
	}
	if strings.Contains(f.Name, "key") {
		return []string{"5", "0x5"}
	}
	return samples[f.Value.Type()]
}

// treeOf returns a command of the tree.
func treeOf(name string) *cobra.Command {
	for _, c := range (&program{Streams: console.Discard()}).newTree(name).Commands() {
		if c.Name() == name {
			return c
		}
	}
	return nil
}

// harmless reports whether a mistake is not about the option: its value names
// nothing here, or the line has another option that excludes it.
func harmless(text string) bool {
	for _, s := range []string{"unknown label ", "mismatched address family", "cannot use --label-add and --label-del"} {
		if strings.Contains(text, s) {
			return true
		}
	}
	return false
}

// What the help of a command offers is accepted: each option, with each value
// that its text names, on one of the tables at least.
func TestHelpIsAccepted(t *testing.T) {
	for _, name := range commandNames {
		cases := helpCases(name)
		if len(cases) == 0 {
			continue
		}
		c := treeOf(name)
		for _, f := range shownFlags(c) {
			x, ok := f.Value.(*flag)
			if !ok {
				continue
			}
			var lines [][]string
			switch {
			case x.word.Argument == cmdline.NoArgument:
				lines = [][]string{{"--" + f.Name}}
			default:
				list := values(f)
				if len(list) == 0 {
					t.Errorf("%s --%s: no value for %q", name, f.Name, f.Value.Type())
				}
				for _, value := range list {
					lines = append(lines, []string{"--" + f.Name + "=" + value})
				}
				if x.word.Argument == cmdline.WordArgument {
					lines = append(lines, []string{"--" + f.Name})
				}
			}
			for _, line := range lines {
				if text := refusedEverywhere(t, cases, f, line); text != "" {
					t.Errorf("%s --help shows --%s, but %q is refused: %s", name, f.Name, line, text)
				}
			}
		}
	}
}

// refusedEverywhere adds words to each of the cases, and returns why they are
// refused if no case takes them.
func refusedEverywhere(t *testing.T, cases []helpCase, f *pflag.Flag, words []string) (text string) {
	for _, k := range cases {
		line := slices.Clone(k.words)
		// A value in place of the one that the line has.
		if i := slices.IndexFunc(line, func(w string) bool {
			return w == "--"+f.Name || f.Shorthand != "" && w == "-"+f.Shorthand
		}); i >= 0 {
			line = slices.Delete(line, i, i+2)
		}
		why := accepts(t, append(line, words...)...)
		if why == "" || harmless(why) {
			return ""
		}
		if text == "" || strings.HasPrefix(text, "Illegal") {
			text = why
		}
	}
	return text
}

// What the help of a command does not offer is refused: every other option, and
// every other form of output.
func TestHelpIsComplete(t *testing.T) {
	for _, name := range commandNames {
		cases := helpCases(name)
		if len(cases) == 0 {
			continue
		}
		c := treeOf(name)
		shown := map[string]*pflag.Flag{}
		for _, f := range shownFlags(c) {
			shown[f.Name] = f
		}
		for _, w := range cmdline.AllWords() {
			if shown[w.Long] != nil || isAlias(w) || w.Option == cmdline.OptNATRange {
				continue
			}
			if name == "summary" && w.Option == cmdline.OptBy && w.Protocol == 0 {
				continue // another way to write its argument
			}
			line := []string{"--" + w.Long}
			f := &pflag.Flag{Name: w.Long, Value: &flag{word: w, value: w.Help().Value}, Usage: w.Help().Text}
			if list := values(f); w.Argument != cmdline.NoArgument && len(list) > 0 {
				line[0] += "=" + list[0]
			}
			for _, k := range cases {
				if words := append(slices.Clone(k.words), line...); accepts(t, words...) == "" {
					t.Errorf("%s --help does not show --%s, but %q is accepted", name, w.Long, words)
				}
			}
		}
		if f := shown["output"]; f != nil {
			for _, form := range cmdline.OutputNames {
				if slices.Contains(values(f), form.Text) {
					continue
				}
				for _, k := range cases {
					if words := append(slices.Clone(k.words), "-o", form.Text); accepts(t, words...) == "" {
						t.Errorf("%s --help does not show -o %s, but %q is accepted", name, form.Text, words)
					}
				}
			}
		}
	}
}

// The lines of help fit a terminal, and no option's value is written as pflag
// writes a default.
func TestHelpLines(t *testing.T) {
	root := (&program{Streams: console.Discard()}).newTree("help")
	topics := []*cobra.Command{root}
	for _, topic := range helpTopics {
		topics = append(topics, &cobra.Command{Use: topic.name, Long: topic.text})
	}
	for _, c := range append(root.Commands(), topics...) {
		text := commandHelp(c)
		if c != root && !c.HasParent() {
			text = c.Long
		}
		for line := range strings.Lines(text) {
			if n := len([]rune(strings.TrimRight(line, "\n"))); n > helpWidth && !strings.HasPrefix(line, "  conntrack ") {
				t.Errorf("%s: %d columns: %s", c.Name(), n, line)
			}
			if strings.Contains(line, "[=any]") || strings.Contains(line, "(all)") {
				t.Errorf("%s: %s", c.Name(), line)
			}
		}
	}
}

// The values that completion offers are accepted.
func TestCompletionIsAccepted(t *testing.T) {
	p := &program{Streams: console.Discard()}
	for _, line := range []string{
		"list -o", "update -o", "delete -o", "events -o", "get -o", "stats -o", "count -o", "summary -o",
		"list --sort", "list --columns", "summary --sort", "summary src,dport --sort", "list -u", "events -e", "list -f",
		"list expect -o", "events expect -o", "list expect --columns", "stats expect -o",
	} {
		words := strings.Fields(line)
		base := words[:len(words)-1]
		if words[0] == "get" {
			base = strings.Fields("get -p udp -s 1.1.1.1 -d 1.1.1.2 --sport 1 --dport 2")
		}
		offered := names(p.completeNamed(words[0], words[1:], ""))
		if len(offered) == 0 {
			t.Errorf("%s: nothing is offered", line)
		}
		for _, value := range offered {
			if text := accepts(t, append(slices.Clone(base), words[len(words)-1], value)...); text != "" {
				t.Errorf("%s offers %s, which is refused: %s", line, value, text)
			}
		}
	}
	for _, line := range []string{"-L", "-L expect", "-U -m 1", "-D", "-E", "-E expect", "-S", "-S expect", "-C", "-L --by src",
		"-G -p udp -s 1.1.1.1 -d 1.1.1.2 --sport 1 --dport 2"} {
		words := append(strings.Fields(line), "-o")
		offered := names(completeLine(words, ""))
		if len(offered) == 0 {
			t.Errorf("%s -o: nothing is offered", line)
		}
		for _, value := range offered {
			if text := accepts(t, append(slices.Clone(words), value)...); text != "" {
				t.Errorf("%s -o: %s is offered, which is refused: %s", line, value, text)
			}
		}
	}
	for _, key := range names(p.completeNamed("summary", nil, "")) {
		if text := accepts(t, "summary", key); text != "" {
			t.Errorf("summary offers %s, which is refused: %s", key, text)
		}
	}
}
