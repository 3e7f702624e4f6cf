package e2e

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Environment variables.
const (
	envOnly     = "E2E_ONLY"    // run only with this subject: ours, tablefile or reference
	envProgram  = "E2E_PROGRAM" // the program under test; built when empty
	envUpdate   = "E2E_UPDATE"  // change the expectations of scenarios that fail
	envCoverage = "GOCOVERDIR"  // where a program that was built with -cover writes what it ran
)

// referenceVersion is the version of the reference that the scenarios were written for.
const referenceVersion = "v1.4.7 (conntrack-tools)"

func complain(err error) int {
	fmt.Fprintln(os.Stderr, "e2e:", err)
	return 1
}

// build builds the program under test as it is released.
func build(path string) error { return buildPackage(path, "..") }

// beside are the programs that conntrack runs, with the variable in which the test notes where each is.
var beside = []struct{ name, env string }{
	{"conntrack-replay", envReplay},
	{"conntrack-top", "E2E_TOP"},
}

const envReplay = "E2E_REPLAY"

// buildBeside builds the programs that conntrack runs in dir, unless they are beside the program under test, and notes
// where they are.
func buildBeside(program, dir string) error {
	if program == "" {
		return nil
	}
	for _, b := range beside {
		path := filepath.Join(filepath.Dir(program), b.name+filepath.Ext(program))
		if _, err := os.Stat(path); err != nil {
			path = filepath.Join(dir, filepath.Base(path))
			if err := buildPackage(path, "../cmd/"+b.name); err != nil {
				return err
			}
		}
		if err := os.Setenv(b.env, path); err != nil {
			return err
		}
	}
	return nil
}

func buildPackage(path, what string) error {
	cmd := exec.Command("go", "build", "-trimpath", "-o", path, what)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w\n%s", err, bytes.TrimSpace(out))
	}
	return nil
}

// install puts a program into a directory under the name that scripts use, and the programs that it runs beside it.
func install(program, dir string) error {
	for _, b := range beside {
		if path := os.Getenv(b.env); path != "" {
			if err := installAs(path, dir, b.name); err != nil {
				return err
			}
		}
	}
	return installAs(program, dir, "conntrack")
}

func installAs(program, dir, name string) error {
	link := filepath.Join(dir, name+filepath.Ext(program))
	if err := os.Symlink(program, link); err == nil {
		return nil
	}
	b, err := os.ReadFile(program) // making links may need a right
	if err != nil {
		return err
	}
	return os.WriteFile(link, b, 0o755)
}

// referenceProgram finds the reference in PATH, or returns the reason why there is none.
func referenceProgram() (path, reason string) {
	path, err := exec.LookPath("conntrack")
	if err != nil {
		return "", "the reference is not installed"
	}
	out, err := exec.Command(path, "-V").Output()
	if err != nil {
		return "", fmt.Sprintf("%s -V: %v", path, err)
	}
	if got := strings.TrimSpace(string(out)); got != "conntrack "+referenceVersion {
		return "", fmt.Sprintf("%s is %s, the scenarios need %s", path, got, referenceVersion)
	}
	return path, ""
}
