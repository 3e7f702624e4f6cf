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

// Scripts start the program thousands of times, and each start waits until every package has set itself up, those too that only
// another command needs. What they allocate then is the same every time, whatever the machine does beside: so that is what is
// watched here, not the time.
const (
	// startAllocs is how often all packages but the standard library's allocate. It is 25; a library that compiles a few
	// regular expressions or fills a table adds a hundred.
	startAllocs = 60
	// startHeavy are packages of the standard library that come with a library and stay away with it.
	startHeavy = `^(crypto|database/sql|encoding/json|html|mime|net/http)(/|$)`
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
			t.Errorf("every start sets %s up", name)
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
		t.Fatalf("no package tells of its start:\n%s", trace.String())
	}
	if total > startAllocs {
		t.Errorf("packages allocate %d times at every start, want %d at most:\n%s", total, startAllocs, strings.Join(list, "\n"))
	}
	t.Logf("%d allocations:\n%s", total, strings.Join(list, "\n"))
}
