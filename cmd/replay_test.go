package cmd

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/gonntrack/gonntrack/cmd/help"
	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
	"github.com/gonntrack/gonntrack/cmd/internal/console"
	"github.com/gonntrack/gonntrack/ctnetlink/engine"
)

// `help invalid' has a page for each reason of the table, and for no other. A page
// names the variable that decides.
func TestInvalidPages(t *testing.T) {
	pages := map[string]string{}
	heading := regexp.MustCompile(`(?m)^([a-z0-9-]+):\n`)
	at := heading.FindAllStringSubmatchIndex(invalidHelp, -1)
	for i, m := range at {
		end := len(invalidHelp)
		if i+1 < len(at) {
			end = at[i+1][0]
		}
		name := invalidHelp[m[2]:m[3]]
		if pages[name] != "" {
			t.Errorf("%s has two pages", name)
		}
		pages[name] = strings.Join(strings.Fields(invalidHelp[m[1]:end]), " ")
	}
	var names []string
	for _, c := range engine.Reasons() {
		if text, ok := invalidReason(c.Name()); !ok || !strings.HasPrefix(text, c.Name()+":\n") || strings.Contains(text, "\n\n") {
			t.Errorf("`help invalid %s' prints %q", c.Name(), text)
		}
		names = append(names, c.Name())
		page := pages[c.Name()]
		for _, part := range []string{"what ", " cause ", " sysctl "} {
			if !strings.Contains(page, part) {
				t.Errorf("%s: no `%s' in its page %q", c.Name(), strings.TrimSpace(part), page)
			}
		}
		if s := c.Sysctl(); s != "" && !strings.Contains(page, s) {
			t.Errorf("%s: its page does not name %s", c.Name(), s)
		}
	}
	for name := range pages {
		if !slices.Contains(names, name) {
			t.Errorf("there is a page for %s, which is not a reason", name)
		}
	}
}

// The help of conntrack-replay has each of its options.
func TestReplayHelp(t *testing.T) {
	for _, o := range cmdline.ReplayOptions {
		if !regexp.MustCompile(`(?m)^  (-h, )?--` + o.Name + `\b`).MatchString(help.Replay) {
			t.Errorf("the help has no --%s", o.Name)
		}
	}
	for line := range strings.Lines(help.Replay) {
		if len(line) > 81 {
			t.Errorf("wider than 80: %q", line)
		}
	}
}

func TestCompleteReplay(t *testing.T) {
	p := &program{Streams: console.Discard()}
	x := externalNamed("replay")
	for _, c := range []struct {
		before string
		typed  string
		want   []string // among the words
		not    []string
		files  bool
	}{
		{"", "--", []string{"--packets", "--sysctl", "--dport", "--host"}, []string{"--netns", "--watch", "--zero"}, false},
		{"a.pcap --packets --sysctl a=1", "--", []string{"--sysctl"}, []string{"--packets"}, false},
		{"a.pcap --as", "", []string{"router", "host"}, nil, false},
		{"a.pcap --as router", "", nil, nil, true},
		{"a.pcap --write", "x", nil, nil, true},
		{"a.pcap -p", "tc", []string{"tcp"}, nil, false},
		{"a.pcap -p tcp", "", nil, nil, true},
		{"a.pcap -o", "jso", []string{"json", "jsonl"}, nil, false},
		{"a.pcap --at", "", nil, nil, false},
	} {
		got := p.completeExternal(x, strings.Fields(c.before), c.typed)
		var words []string
		for _, w := range got.Words {
			name, _, _ := strings.Cut(w, "\t")
			words = append(words, name)
		}
		if got.Files != c.files {
			t.Errorf("%q %q: files %t", c.before, c.typed, got.Files)
		}
		for _, w := range c.want {
			if !slices.Contains(words, w) {
				t.Errorf("%q %q: no %s in %q", c.before, c.typed, w, words)
			}
		}
		for _, w := range c.not {
			if slices.Contains(words, w) {
				t.Errorf("%q %q: %s", c.before, c.typed, w)
			}
		}
	}
}

// Another word after `help invalid' must be the name of a reason.
func TestInvalidName(t *testing.T) {
	for _, name := range []string{"", "what", "tcp", "no such"} {
		if text, ok := invalidReason(name); ok {
			t.Errorf("%q: %q", name, text)
		}
	}
}
