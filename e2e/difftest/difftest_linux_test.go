package difftest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// programs are the two that are compared.
var programs struct{ reference, ours string }

func TestMain(m *testing.M) { os.Exit(testMain(m)) }

func testMain(m *testing.M) int {
	if os.Geteuid() != 0 {
		return asRoot()
	}
	var err error
	if programs.reference = os.Getenv("DIFFTEST_REFERENCE"); programs.reference == "" {
		if programs.reference, err = exec.LookPath("conntrack"); err != nil {
			return skip("the reference program conntrack is not installed")
		}
	}
	if programs.ours = os.Getenv("DIFFTEST_OURS"); programs.ours == "" {
		dir, err := os.MkdirTemp("", "difftest")
		if err != nil {
			return skip(err.Error())
		}
		defer os.RemoveAll(dir)
		programs.ours = filepath.Join(dir, "conntrack")
		build := exec.Command("go", "build", "-trimpath", "-o", programs.ours, ".") // as e2e does: one cache
		build.Dir = filepath.Join("..", "..")
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "difftest: cannot build our program: %v\n%s", err, out)
			return 1
		}
	}
	programs.reference, programs.ours = absolute(programs.reference), absolute(programs.ours)
	return m.Run()
}

// asRoot runs the test again as root of a user namespace.
func asRoot() int {
	const mark = "DIFFTEST_UNSHARED"
	unshare, err := exec.LookPath("unshare")
	if err != nil || os.Getenv(mark) != "" {
		return skip("needs root, or unshare to become it")
	}
	wrap := []string{"--user", "--map-root-user", "--net", "--mount"}
	if err := exec.Command(unshare, append(wrap, "true")...).Run(); err != nil {
		return skip("needs root, or user namespaces: " + err.Error())
	}
	cmd := exec.Command(unshare, append(append(wrap, os.Args[0]), os.Args[1:]...)...)
	cmd.Env = append(os.Environ(), mark+"=1")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	var exit *exec.ExitError
	if err := cmd.Run(); errors.As(err, &exit) {
		return exit.ExitCode()
	} else if err != nil {
		return skip(err.Error())
	}
	return 0
}

// skip reports that nothing was tested.
func skip(why string) int {
	fmt.Fprintf(os.Stderr, "difftest: SKIPPED, NOTHING WAS COMPARED: %s\n", why)
	return 0
}

// setting returns a number from the environment.
func setting(t *testing.T, name string, otherwise uint64) uint64 {
	s := os.Getenv(name)
	if s == "" {
		return otherwise
	}
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

// start is the seed of a run without DIFFTEST_SEED, the same each time: what a
// change must pass does not depend on luck. scripts/difftest takes new ones.
const start = 1

// seed returns the seed of this run, and prints it.
func seed(t *testing.T) uint64 {
	n := setting(t, "DIFFTEST_SEED", start)
	fmt.Fprintf(os.Stderr, "%s: DIFFTEST_SEED=%d\n", t.Name(), n)
	return n
}

// span is how long the random part runs.
func span(t *testing.T) time.Duration {
	return time.Duration(setting(t, "DIFFTEST_SECONDS", 20)) * time.Second
}

// leastCases is how many random sequences are compared on the slowest machine.
const leastCases = 20

// TestRandom compares random sequences for DIFFTEST_SECONDS.
func TestRandom(t *testing.T) {
	t.Parallel() // each test has namespaces of its own, and waits for programs
	if testing.Short() {
		t.Skipf("compares random command lines for %v: not with -short", span(t))
	}
	b := newBench(t)
	g := newGenerator(seed(t))
	for end := time.Now().Add(span(t)); (b.cases < leastCases || time.Now().Before(end)) && !b.full(); {
		b.check(g.sequence())
	}
	b.printSummary()
}
