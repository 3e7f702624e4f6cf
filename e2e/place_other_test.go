//go:build !linux

package e2e

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// Without the kernel's table the scenarios run on table files alone.

// hasKernel: this system has the table that the scenarios are about.
const hasKernel = false

// connlabelErr says why there is no /etc/xtables/connlabel.conf: laying one needs a private view of /etc.
var connlabelErr = errors.New("a private view of /etc is Linux's")

func TestMain(m *testing.M) { testscript.Main(runner{m}, map[string]func(){"schema": schemaMain}) }

// runner builds the program and runs the tests.
type runner struct{ tests testscript.TestingM }

func (r runner) Run() int {
	dir, err := os.MkdirTemp("", "gonntrack-e2e")
	if err != nil {
		return complain(err)
	}
	defer os.RemoveAll(dir)
	if os.Getenv(envProgram) == "" {
		program := filepath.Join(dir, "conntrack")
		if runtime.GOOS == "windows" {
			program += ".exe"
		}
		if err := build(program); err != nil {
			return complain(err)
		}
		os.Setenv(envProgram, program)
	}
	if _, err := exec.LookPath("sh"); err != nil {
		tally.skipAll("no sh")
	} else if status := r.tests.Run(); status != 0 {
		fmt.Println(tally.String())
		return status
	}
	fmt.Println(tally.String())
	return 0
}

// A place is where a scenario's commands run: here.
type place struct{}

func (place) enter() error { return nil }
func (place) leave()       {}

func (place) start(netns string, cmd *exec.Cmd) error {
	if netns != "" {
		return fmt.Errorf("no namespace %s", netns)
	}
	return cmd.Start()
}

func (*stage) kernelCommands() map[string]func(*testscript.TestScript, bool, []string) {
	return map[string]func(*testscript.TestScript, bool, []string){}
}

func (*stage) listeners() (n int, seen string, err error) { return 0, "", nil }
