package config

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// reference is conntrack-tools' program.
const reference = "/usr/sbin/conntrackd"

// needReference skips a test where there is no reference.
func needReference(t *testing.T) {
	t.Helper()
	out, err := exec.Command(reference, "-v").Output()
	if err != nil || !strings.Contains(string(out), "Licensed under GPLv2") {
		t.Skip("no conntrackd of conntrack-tools")
	}
}

var prefix = regexp.MustCompile(`(?m)^\[[A-Z][a-z]{2} [^]]*\] \(pid=\d+\) `)

// noOrder is what the reference says if IPv6_address stands behind Interface. Here the
// order means nothing.
var noOrder = regexp.MustCompile(`(?m)^\[warning\] [0-9a-f]*:[0-9a-f:]* is an invalid interface\n`)

// judged returns what the reference says of a file: its client reads and judges it, and
// then finds no daemon.
func judged(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "conf")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(reference, "-C", file, "-s").CombinedOutput()
	if e, ok := err.(*exec.ExitError); !ok || e.ExitCode() != 1 {
		t.Fatalf("conntrackd -s: %v\n%s", err, out)
	}
	s := prefix.ReplaceAllString(string(out), "")
	s = noOrder.ReplaceAllString(s, "")
	return strings.TrimSuffix(s, "[ERROR] can't connect: is conntrackd running? appropriate permissions?\n")
}

// said returns the messages of this package in the same form.
func said(text string) string {
	_, messages := Parse([]byte(text))
	var b strings.Builder
	for _, m := range messages {
		b.WriteString("[" + [...]string{"notice", "warning", "ERROR"}[m.Level] + "] " + m.Text + "\n")
	}
	return b.String()
}

// same compares what both say.
func same(t *testing.T, text string) {
	t.Helper()
	if got, want := said(text), judged(t, text); got != want {
		t.Errorf("file:\n%s\ngot:\n%s\nwant:\n%s", text, got, want)
	}
}
