package e2e

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// A contestant is a program that the scenarios run through: ours on the kernel's table, ours on one in a file (the engine), and the
// reference.
type contestant struct {
	name    string // also a condition that holds for it
	version string // what {v} stands for
	program string
}

// onFile tells whether the contestant's table is in a file.
func (c contestant) onFile() bool { return c.name == "engine" }

// TestScenarios runs every scenario through every contestant.
func TestScenarios(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scenarios: %v", err)
	}
	for _, c := range contestants(t) {
		t.Run(c.name, func(t *testing.T) {
			bin := t.TempDir()
			if err := install(c.program, bin); err != nil {
				t.Fatal(err)
			}
			scripts := t.TempDir()
			for _, file := range files {
				c.run(t, file, bin, scripts)
			}
		})
	}
}

// contestants lists who is here and wanted.
func contestants(t *testing.T) []contestant {
	only := os.Getenv(envOnly)
	wanted := func(name string) bool { return only == "" || only == name }
	const version = "v1.4.9 (conntrack-tools)"
	var list []contestant
	program := os.Getenv(envProgram)
	if program != "" && wanted("ours") && hasKernel {
		list = append(list, contestant{"ours", version, program})
	}
	if program != "" && wanted("engine") {
		list = append(list, contestant{"engine", version, program})
	}
	if wanted("reference") && hasKernel {
		program, reason := referenceProgram()
		if reason == "" {
			list = append(list, contestant{"reference", referenceVersion, program})
		} else {
			tally.noReference(reason)
			t.Logf("without comparison: %s", reason)
		}
	}
	return list
}

// run makes one scenario a subtest.
func (c contestant) run(t *testing.T, file, bin, scripts string) {
	name := strings.TrimSuffix(filepath.Base(file), ".txtar")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	sc, err := parseScenario(name, string(text), c.name)
	if err != nil {
		t.Fatal(err)
	}
	if c.name == "reference" && sc.oursOnly != "" {
		return
	}
	if c.onFile() && sc.kernelOnly != "" {
		tally.onlyKernel(name, sc.kernelOnly)
		return
	}
	if reason := sc.missing(); reason != "" {
		t.Run(name, func(t *testing.T) {
			tally.skip(name, reason)
			t.Skip(reason)
		})
		return
	}
	script := filepath.Join(scripts, filepath.Base(file))
	if err := os.WriteFile(script, []byte(sc.script), 0o644); err != nil {
		t.Fatal(err)
	}
	st := &stage{contestant: c, scenario: sc, bin: bin}
	testscript.Run(t, testscript.Params{
		Files:           []string{script},
		WorkdirRoot:     filepath.Dir(scripts), // removed with it
		Setup:           st.setup,
		Condition:       st.condition,
		Cmds:            st.commands(),
		ContinueOnError: true,
	})
}

// missing says what the scenario needs and does not have.
func (sc *scenario) missing() string {
	for _, need := range sc.needs {
		if need == "connlabel.conf" {
			if connlabelErr != nil {
				return fmt.Sprintf("no connlabel.conf: %v", connlabelErr)
			}
		} else if _, err := exec.LookPath(need); err != nil {
			return need + " is missing"
		}
	}
	return ""
}

// A counter counts what ran, for the line at the end.
type counter struct {
	mu          sync.Mutex
	ran         map[string]int    // by contestant
	skipped     map[string]string // scenario: reason
	kernel      map[string]string // scenario that the engine cannot run: reason
	unreference string            // why the reference did not run
}

var tally counter

func (c *counter) count(contestant string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ran == nil {
		c.ran = make(map[string]int)
	}
	c.ran[contestant]++
}

func (c *counter) skip(scenario, reason string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.skipped == nil {
		c.skipped = make(map[string]string)
	}
	c.skipped[scenario] = reason
}

func (c *counter) onlyKernel(scenario, reason string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.kernel == nil {
		c.kernel = make(map[string]string)
	}
	c.kernel[scenario] = reason
}

// skipAll counts every scenario as skipped.
func (c *counter) skipAll(reason string) {
	files, _ := filepath.Glob("testdata/*.txtar")
	for _, file := range files {
		c.skip(strings.TrimSuffix(filepath.Base(file), ".txtar"), reason)
	}
}

func (c *counter) noReference(reason string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.unreference = reason
}

// String tells what ran, and each skip with its reason.
func (c *counter) String() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.ran)+len(c.skipped) == 0 {
		return ""
	}
	through := fmt.Sprintf("%d also through the reference (%s)", c.ran["reference"], strings.Fields(referenceVersion)[0])
	if c.unreference != "" {
		through += ": " + c.unreference
	}
	line := fmt.Sprintf("e2e: %d scenarios ran on the kernel, %d on a table file, %s, %d skipped", c.ran["ours"], c.ran["engine"], through, len(c.skipped))
	reasons := make(map[string]int)
	for _, reason := range c.kernel {
		reasons[reason]++
	}
	for _, reason := range slices.Sorted(maps.Keys(reasons)) {
		line += fmt.Sprintf("\ne2e: %d need the kernel: %s", reasons[reason], reason)
	}
	for _, reason := range slices.Sorted(maps.Values(c.skipped)) {
		if !strings.Contains(line, reason) {
			line += "\ne2e: skipped because: " + reason
		}
	}
	return line
}
