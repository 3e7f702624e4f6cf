package main

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/config"
)

// old is conntrack-tools' program where Debian installs it.
const old = "/usr/sbin/conntrackd"

// The example configurations have no mistakes, and conntrack-tools' program takes those that
// have none of our own clauses.
func TestExamples(t *testing.T) {
	paths, err := filepath.Glob("examples/*.conf")
	if err != nil || len(paths) < 4 {
		t.Fatal(paths, err)
	}
	taken := 0
	for _, path := range paths {
		if strings.HasPrefix(path, "examples/keepalived") {
			continue
		}
		c, messages := config.Read(path)
		if c == nil {
			t.Errorf("%s: %v", path, messages)
			continue
		}
		for _, m := range messages {
			if m.Text != "eth2 is an invalid interface" {
				t.Errorf("%s:%d: %s", path, m.Line, m.Text)
			}
		}
		// What it says when it starts.
		for _, m := range c.Starting() {
			t.Errorf("%s:%d: %s", path, m.Line, m.Text)
		}
		if path == "examples/signed.conf" {
			if c.KeyFile == "" || !c.Encrypt || c.MetricsOn == "" {
				t.Errorf("%s is not signed", path)
			}
			continue
		}
		out, err := exec.Command(old, "-C", path, "-s").CombinedOutput()
		if err != nil && len(out) == 0 {
			t.Logf("SKIPPED with conntrack-tools' program: %v", err)
			continue
		}
		taken++
		for line := range strings.Lines(string(out)) {
			if !strings.Contains(line, "eth2 is an invalid interface") && !strings.Contains(line, "can't connect") {
				t.Errorf("%s: conntrack-tools' program: %s", path, line)
			}
		}
	}
	t.Logf("conntrack-tools' program has read %d", taken)
}

// The scripts are ones that a shell reads.
func TestScripts(t *testing.T) {
	for _, path := range []string{
		"examples/failover", "examples/commit-first", "install/conntrackd.postinst", "install/conntrackd.prerm", "install/conntrackd.procd",
		"install/conntrackd.openrc",
	} {
		if out, err := exec.Command("sh", "-n", path).CombinedOutput(); err != nil {
			t.Errorf("%s: %v: %s", path, err, out)
		}
	}
	// A program that prints its arguments stands in for conntrackd.
	for _, role := range []string{"primary", "backup", "fault"} {
		for script, want := range map[string]map[string]string{
			"failover":     {"primary": "-c -f -R -B", "backup": "-t -n", "fault": "-t"},
			"commit-first": {"primary": "-c -c -f -R -B", "backup": "-t -n", "fault": "-t"},
		} {
			c := exec.Command("examples/"+script, role)
			c.Env = append(c.Environ(), "CONNTRACKD=/bin/echo", "CONNTRACKD_CONF=/x.conf", "ADDRESSES=/dev/null")
			out, err := c.Output()
			got := strings.ReplaceAll(strings.TrimSpace(string(out)), "-C /x.conf ", "")
			if err != nil || strings.Join(strings.Fields(got), " ") != want[role] {
				t.Errorf("%s %s: %q, %v, want %s", script, role, got, err, want[role])
			}
		}
	}
}
