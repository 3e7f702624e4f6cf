package config

import (
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// manual returns conntrackd.conf(5) without its escapes.
func manual(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile("../../man/conntrackd.conf.5")
	if err != nil {
		t.Fatal(err)
	}
	return strings.NewReplacer(`\-`, "-", `\ `, " ", `\(aq`, "'").Replace(string(b))
}

// The manual names every clause.
func TestManualClauses(t *testing.T) {
	text := manual(t)
	for w := range maps.Keys(keywords) {
		if !regexp.MustCompile(`\b` + w + `\b`).MatchString(text) {
			t.Errorf("conntrackd.conf(5) does not name %s", w)
		}
	}
	for w := range maps.Keys(own) {
		if !regexp.MustCompile(`\.B[IR]? ` + w + " ").MatchString(text) {
			t.Errorf("conntrackd.conf(5) does not describe %s", w)
		}
	}
}

// The manual's defaults are those of an empty section.
func TestManualDefaults(t *testing.T) {
	c, messages := Parse([]byte("Sync { }"))
	if c == nil {
		t.Fatal(messages)
	}
	text := manual(t)
	seconds := func(d time.Duration) int { return int(d / time.Second) }
	for clause, value := range map[string]any{
		"ResendQueueSize": c.ResendQueueSize, "ACKWindowSize": c.ACKWindowSize,
		"PurgeTimeout": seconds(c.PurgeTimeout), "RefreshTime": seconds(c.RefreshTime),
		"CacheTimeout": seconds(c.CacheTimeout), "ErrorQueueLength": c.ErrorQueueLength,
		"HashSize": c.HashSize, "HashLimit": c.HashLimit, "EventIterationLimit": c.EventIterationLimit,
		"NetlinkOverrunResync": seconds(c.OverrunResync), "LockFile": c.LockFile,
	} {
		_, description, found := strings.Cut(text, "\n.BI "+clause+" ")
		description, _, _ = strings.Cut(description, "\n.TP")
		description, _, _ = strings.Cut(description, "\n.S")
		if want := fmt.Sprint(value); !found || !strings.Contains(description, want) {
			t.Errorf("%s: the manual does not say %s: %q", clause, want, description)
		}
	}
}

// The manual's examples are good files, and say nothing but that an interface is not
// there.
func TestManualExamples(t *testing.T) {
	examples := regexp.MustCompile(`(?s)\n\.nf\n\.in 4n\n(.*?)\n\.in\n`).FindAllStringSubmatch(manual(t), -1)
	if len(examples) < 2 {
		t.Errorf("%d examples", len(examples))
	}
	for _, e := range examples {
		c, messages := Parse([]byte(e[1]))
		messages = slices.DeleteFunc(messages, func(m Message) bool {
			return strings.HasSuffix(m.Text, " is an invalid interface")
		})
		if len(messages) > 0 {
			t.Error(messages)
		}
		if c != nil && len(c.Starting()) > 0 {
			t.Error(c.Starting())
		}
		if testing.Short() {
			continue
		}
		t.Run("reference", func(t *testing.T) {
			needReference(t)
			same(t, e[1]+"\n")
		})
	}
}
