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

// Without the kernel's table the scenarios run on table files only.

// hasKernel: this system has the kernel's conntrack table.
const hasKernel = false

// connlabelErr is the reason why there is no /etc/xtables/connlabel.conf: it takes a private mount on /etc.
var connlabelErr = errors.New("private mounts on /etc need Linux")

func TestMain(m *testing.M) {
	testscript.Main(runner{m}, map[string]func(){"schema": schemaMain, "makecap": makecapMain})
}

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
	if err := buildBeside(os.Getenv(envProgram), dir); err != nil {
		return complain(err)
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

// A sandbox is where a scenario's commands run; here they run directly.
type sandbox struct{}

func (sandbox) create() error { return nil }
func (sandbox) close()        {}

func (sandbox) start(netns string, cmd *exec.Cmd) error {
	if netns != "" {
		return fmt.Errorf("no namespace %s", netns)
	}
	return cmd.Start()
}

func (*scenarioRun) kernelCommands() map[string]func(*testscript.TestScript, bool, []string) {
	return map[string]func(*testscript.TestScript, bool, []string){}
}

func (*scenarioRun) listeners() (n int, seen string, err error) { return 0, "", nil }

// closeScreen has nothing to do: scenarios with a terminal run on Linux only.
func closeScreen(string) {}
