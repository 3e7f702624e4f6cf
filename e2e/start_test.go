package e2e

import (
	"bytes"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// Scripts start the program thousands of times, and each start runs the initialisers of all packages, also of those
// that only another command needs. The number of their allocations does not depend on the load of the machine, so
// the test bounds it rather than the time.
const (
	// startAllocs bounds the allocations of all packages outside the standard library. There are 413, of which
	// tablewriter's dependencies make 332 (a pool of errors) and tablewriter 54 (a regular expression).
	startAllocs = 440
	// startHeavy matches packages of the standard library that a start must not initialise. tablewriter brings
	// database/sql, encoding/json and html.
	startHeavy = `^(crypto|mime|net/http)(/|$)`
)

func TestStart(t *testing.T) {
	program := os.Getenv(envProgram)
	if program == "" {
		t.Skip("there is no program of ours")
	}
	cmd := exec.Command(program, "-V")
	cmd.Env = append(os.Environ(), "GODEBUG=inittrace=1")
	var trace bytes.Buffer
	cmd.Stderr = &trace
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v: %s", err, trace.String())
	}
	heavy := regexp.MustCompile(startHeavy)
	total := 0
	var list []string
	for _, m := range regexp.MustCompile(`(?m)^init (\S+) .* (\d+) allocs$`).FindAllStringSubmatch(trace.String(), -1) {
		name, allocs := m[1], m[2]
		if heavy.MatchString(name) {
			t.Errorf("every start initialises %s", name)
		}
		if host, _, _ := strings.Cut(name, "/"); strings.Contains(host, ".") {
			n, err := strconv.Atoi(allocs)
			if err != nil {
				t.Fatal(err)
			}
			total += n
			list = append(list, name+": "+allocs)
		}
	}
	if len(list) == 0 {
		t.Fatalf("no package reported its initialisation:\n%s", trace.String())
	}
	if total > startAllocs {
		t.Errorf("packages allocate %d times at every start, want %d at most:\n%s",
			total, startAllocs, strings.Join(list, "\n"))
	}
	t.Logf("%d allocations:\n%s", total, strings.Join(list, "\n"))
}
