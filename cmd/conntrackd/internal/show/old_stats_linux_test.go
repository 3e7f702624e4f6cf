package show

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/cache"
	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/config"
)

var number = regexp.MustCompile(` *[0-9]+`)

// shape replaces each number of a text by the width of its field.
func shape(text string) string {
	return number.ReplaceAllStringFunc(text, func(n string) string { return fmt.Sprintf("<%d>", len(n)) })
}

// TestOldStatistics compares the texts of -s in each mode with those of conntrack-tools,
// apart from the numbers.
func TestOldStatistics(t *testing.T) {
	none := &cache.Stats{}
	queue := []Queue{{Name: "txqueue"}, {Name: "errorq", Max: 128}, {Name: "rsqueue", Max: 131072}}
	for _, c := range []struct {
		name, sync string
		caches     Caches
		link       *Link
		queues     []Queue
	}{
		{"FT-FW", "Mode FTFW { } UDP { CHANNEL }", Caches{Internal: none, External: none},
			&Link{Kind: config.UDP, Interface: "lo", Status: "RUNNING", Active: true}, queue},
		{"NOTRACK", "Mode NOTRACK { DisableInternalCache on DisableExternalCache on } TCP { CHANNEL }",
			Caches{Bypass: &Bypass{}, Inject: &Inject{}},
			&Link{Kind: config.TCP, Interface: "lo", Status: "RUNNING", Active: true}, queue[:2]},
		{"ALARM", "Mode ALARM { } Multicast { IPv4_address 225.0.0.50 Group 3780 IPv4_interface 127.0.0.1 Interface lo }",
			Caches{Internal: none, External: none},
			&Link{Kind: config.Multicast, Interface: "lo", Status: "RUNNING", Active: true}, queue[:2]},
		{"statistics", "", Caches{Stats: none}, nil, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newPair(t, c.sync)
			if c.link != nil && c.link.Kind == config.TCP {
				// It connects when it has something to send.
				text := p.ask(0, "-s")
				link := *c.link
				link.Server = strings.Contains(text, "server=connected")
				link.Client = strings.Contains(text, "client=connected")
				c.link = &link
			}
			check := func(words string, got []byte) {
				t.Helper()
				want := p.ask(0, strings.Fields(words)...)
				if shape(string(got)) != shape(want) {
					t.Errorf("%s is\n%s\nwant\n%s", words, got, want)
				}
			}
			check("-s", AppendGeneral(nil, &General{Caches: c.caches, Link: c.link}))
			check("-s cache", AppendCaches(nil, &c.caches))
			check("-s runtime", AppendRuntime(nil, &Runtime{Buffer: 212992}))
			if c.link == nil {
				return
			}
			check("-s network", AppendNetwork(nil, &Network{Link: c.link}))
			check("-s link", AppendLinks(nil, []Link{*c.link}))
			check("-s queue", AppendQueues(nil, 0, c.queues))
			if c.name == "FT-FW" {
				// What is in the queue is another thing each moment.
				if got := p.ask(0, "-s", "rsqueue"); !strings.HasPrefix(got, "resent queue (len=") {
					t.Errorf("-s rsqueue is %q", got)
				}
			}
		})
	}
}
