package cmd

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/gonntrack/gonntrack/cmd/internal/console"
)

// The help of a program beside conntrack has each of its options.
func TestExternalHelp(t *testing.T) {
	for _, x := range externals {
		for _, o := range x.options {
			if !regexp.MustCompile(`(?m)^  (-\w, )?--` + o.Name + `\b`).MatchString(x.help) {
				t.Errorf("%s: the help has no --%s", x.name, o.Name)
			}
		}
		for line := range strings.Lines(x.help) {
			if len([]rune(line)) > 81 {
				t.Errorf("%s: wider than 80: %q", x.name, line)
			}
		}
	}
}

func TestCompleteExternal(t *testing.T) {
	p := &program{Streams: console.Discard()}
	for _, c := range []struct {
		line  string
		typed string
		want  []string // among the words
		not   []string
		files bool
	}{
		{"replay", "--", []string{"--packets", "--sysctl", "--dport", "--host"}, []string{"--netns", "--watch", "--zero"}, false},
		{"replay a.pcap --packets --sysctl a=1", "--", []string{"--sysctl"}, []string{"--packets"}, false},
		{"replay a.pcap --as", "", []string{"router", "host"}, nil, false},
		{"replay a.pcap --as router", "", nil, nil, true},
		{"replay a.pcap --write", "x", nil, nil, true},
		{"replay a.pcap -p", "tc", []string{"tcp"}, nil, false},
		{"replay a.pcap -p tcp", "", nil, nil, true},
		{"replay a.pcap -o", "jso", []string{"json", "jsonl"}, nil, false},
		{"replay a.pcap --at", "", nil, nil, false},
		{"replay a.pcap", "--as=r", []string{"router"}, nil, false},
		{"top", "--", []string{
			"--once", "--batch", "--interval", "--read-only", "--by", "--sort", "--netns", "--table", "--dport", "--host", "--help",
		}, []string{"--zero", "--watch", "--growing", "--count-only", "--explain", "--packets"}, false},
		{"top --once -b", "--", []string{"--iterations"}, []string{"--once", "--batch"}, false},
		{"top", "", nil, nil, false},
		{"top --interval", "", []string{"500ms", "1s"}, nil, false},
		{"top", "--interval=5", []string{"500ms", "5s"}, []string{"1s"}, false},
		{"top --iterations", "", nil, nil, false},
		{"top --once -o", "", []string{"table", "json", "jsonl", "csv"}, []string{"xml", "save", "netlink"}, false},
		{"top --by proto --once -o", "", []string{"table", "json"}, []string{"prom"}, false},
		{"top", "--output=c", []string{"csv"}, nil, false},
		{"top --by src --sort", "", []string{"entries", "packet_rate", "byte_rate", "src"}, []string{"dst"}, false},
		{"top --by", "s", []string{"src", "sport", "state"}, nil, false},
		{"top --table", "", nil, nil, true},
		{"top -p", "sc", []string{"sctp"}, nil, false},
		{"--netns web top", "--rea", []string{"--read-only"}, nil, false},
		{"summary src --sort", "", []string{"entries", "src"}, []string{"packet_rate"}, false},
	} {
		got := p.candidatesFor(strings.Fields(c.line), c.typed)
		var words []string
		for _, w := range got.Words {
			name, _, _ := strings.Cut(w, "\t")
			words = append(words, name)
		}
		if got.Files != c.files {
			t.Errorf("%q %q: files %t", c.line, c.typed, got.Files)
		}
		for _, w := range c.want {
			if !slices.Contains(words, w) {
				t.Errorf("%q %q: no %s in %q", c.line, c.typed, w, words)
			}
		}
		for _, w := range c.not {
			if slices.Contains(words, w) {
				t.Errorf("%q %q: %s", c.line, c.typed, w)
			}
		}
	}
}
