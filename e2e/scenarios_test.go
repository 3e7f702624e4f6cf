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

// A subject is a program and a table that the scenarios run with: our program on the kernel's table, our program on a
// table file, or the reference on the kernel's table.
type subject struct {
	name    string // ours, tablefile or reference
	version string // what {v} stands for
	program string
}

// usesFile reports whether the subject's table is a file.
func (s subject) usesFile() bool { return s.name == "tablefile" }

// TestScenarios runs every scenario with every subject.
func TestScenarios(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scenarios: %v", err)
	}
	for _, s := range subjects(t) {
		t.Run(s.name, func(t *testing.T) {
			bin := t.TempDir()
			if err := install(s.program, bin); err != nil {
				t.Fatal(err)
			}
			scripts := t.TempDir()
			for _, file := range files {
				s.run(t, file, bin, scripts)
			}
		})
	}
}

// subjects lists the subjects that are available and not excluded by E2E_ONLY. With -short the reference does not
// run unless E2E_ONLY names it.
func subjects(t *testing.T) []subject {
	only := os.Getenv(envOnly)
	chosen := func(name string) bool { return only == "" || only == name }
	const version = "v1.4.9 (conntrack-tools)"
	var list []subject
	program := os.Getenv(envProgram)
	if program != "" && chosen("ours") && hasKernel {
		list = append(list, subject{"ours", version, program})
	}
	if program != "" && chosen("tablefile") {
		list = append(list, subject{"tablefile", version, program})
	}
	switch {
	case !chosen("reference") || !hasKernel:
	case testing.Short() && only == "":
		tally.noReference("not with -short")
		t.Log("without the reference: not with -short")
	default:
		program, reason := referenceProgram()
		if reason == "" {
			list = append(list, subject{"reference", referenceVersion, program})
		} else {
			tally.noReference(reason)
			t.Logf("without the reference: %s", reason)
		}
	}
	return list
}

// run runs one scenario as a subtest.
func (s subject) run(t *testing.T, file, bin, scripts string) {
	name := strings.TrimSuffix(filepath.Base(file), ".txtar")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	sc, err := parseScenario(name, string(text), s.name)
	if err != nil {
		t.Fatal(err)
	}
	if s.name == "reference" && sc.oursOnly != "" {
		return
	}
	if s.usesFile() && sc.kernelOnly != "" {
		tally.onlyKernel(name, sc.kernelOnly)
		return
	}
	if reason := sc.skipReason(); reason != "" {
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
	run := &scenarioRun{subject: s, scenario: sc, file: file, bin: bin}
	testscript.Run(t, testscript.Params{
		Files:           []string{script},
		WorkdirRoot:     filepath.Dir(scripts), // removed with it
		Setup:           run.setup,
		Condition:       run.condition,
		Cmds:            run.commands(),
		ContinueOnError: true,
	})
}

// skipReason returns why the scenario cannot run here, or "".
func (sc *scenario) skipReason() string {
	if testing.Short() && sc.long != "" {
		return "long (" + sc.long + "): not with -short"
	}
	for _, need := range sc.needs {
		if need == "connlabel.conf" {
			if connlabelErr != nil {
				return fmt.Sprintf("no connlabel.conf: %v", connlabelErr)
			}
		} else if strings.HasPrefix(need, "/") {
			if _, err := os.Stat(need); err != nil {
				return need + " is missing"
			}
			if strings.HasPrefix(need, "/dev/") {
				f, err := os.OpenFile(need, os.O_RDWR, 0)
				if err != nil {
					return err.Error()
				}
				f.Close()
			}
		} else if _, err := exec.LookPath(need); err != nil {
			return need + " is missing"
		}
	}
	return ""
}

// A counter counts the scenarios that ran, for the lines at the end.
type counter struct {
	mu               sync.Mutex
	ran              map[string]int    // by subject
	skipped          map[string]string // scenario: reason
	kernel           map[string]string // scenario that cannot run on a table file: reason
	withoutReference string            // why the reference did not run
}

var tally counter

func (c *counter) count(subject string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ran == nil {
		c.ran = make(map[string]int)
	}
	c.ran[subject]++
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
	c.withoutReference = reason
}

// String reports how many scenarios ran with each subject, and the reason of each skip.
func (c *counter) String() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.ran)+len(c.skipped) == 0 {
		return ""
	}
	reference := fmt.Sprintf("%d with the reference (%s)", c.ran["reference"], strings.Fields(referenceVersion)[0])
	if c.withoutReference != "" {
		reference += ": " + c.withoutReference
	}
	line := fmt.Sprintf("e2e: %d scenarios ran on the kernel's table, %d on a table file, %s, %d skipped",
		c.ran["ours"], c.ran["tablefile"], reference, len(c.skipped))
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
