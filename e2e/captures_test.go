package e2e

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// captureDir has captures of real programs, taken at a router by scripts/record/record, with what the router's kernel
// had in its table at the end and the events that it sent.
const captureDir = "testdata/captures"

// TestCaptures replays captures of real programs and compares the table and the events with those of the kernel that
// tracked the programs.
func TestCaptures(t *testing.T) {
	rules, err := filepath.Glob(filepath.Join(captureDir, "*.nft"))
	if err != nil || len(rules) == 0 {
		t.Fatal("no captures: ", err)
	}
	for _, file := range rules {
		name := strings.TrimSuffix(filepath.Base(file), ".nft")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			byEntry := func(a, b string) int {
				a, _ = splitTimeout(a)
				b, _ = splitTimeout(b)
				return strings.Compare(a, b)
			}
			table, want := replayed(t, name), recorded(t, name+".table")
			slices.SortFunc(table, byEntry)
			slices.SortFunc(want, byEntry)
			compareLines(t, "table", table, want, true)
			compareLines(t, "events", replayed(t, name, "--events"), recorded(t, name+".events"), false)
		})
	}
}

// replayed returns the lines that conntrack-replay prints about a capture.
func replayed(t *testing.T, name string, options ...string) []string {
	t.Helper()
	c := exec.Command(os.Getenv(envReplay), append([]string{
		name + ".c.pcap.gz", name + ".s.pcap.gz", "--as", "router", "--rules", name + ".nft",
		"--interface", name + ".c.pcap.gz=c", "--interface", name + ".s.pcap.gz=s",
		"--address", "c=10.0.0.1/24", "--address", "s=192.0.2.1/24", "--sysctl", "timestamp=0",
	}, options...)...)
	c.Dir = captureDir
	var stderr bytes.Buffer
	c.Stderr = &stderr
	out, err := c.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", c, err, &stderr)
	}
	return lines(out)
}

func recorded(t *testing.T, file string) []string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(captureDir, file))
	if err != nil {
		t.Fatal(err)
	}
	return lines(b)
}

func lines(b []byte) (all []string) {
	for line := range strings.Lines(string(b)) {
		line, _, _ = strings.Cut(strings.TrimSpace(line), " use=") // a packet that waits for an address counts as a user
		if line != "" {
			all = append(all, line)
		}
	}
	return all
}

// compareLines compares lines in their order. The time left may differ by a second; that of entries in a table, which
// was read seconds after the last packet, is not compared.
func compareLines(t *testing.T, what string, got, want []string, anyTime bool) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: %d lines, the kernel has %d", what, len(got), len(want))
	}
	for i := range min(len(got), len(want)) {
		g, gotTime := splitTimeout(got[i])
		w, wantTime := splitTimeout(want[i])
		if g != w || !anyTime && max(gotTime, wantTime)-min(gotTime, wantTime) > 1 {
			t.Errorf("%s, line %d:\n got    %s\n kernel %s", what, i+1, got[i], want[i])
			return
		}
	}
}

var timeout = regexp.MustCompile(`^(\s*(?:\[\w+\] )?\w+\s+\d+ )(\d+) `)

// splitTimeout returns a line without the time left, and the time.
func splitTimeout(line string) (string, int) {
	m := timeout.FindStringSubmatch(line)
	if m == nil {
		return line, 0
	}
	n, _ := strconv.Atoi(m[2])
	return fmt.Sprint(m[1], line[len(m[0]):]), n
}
