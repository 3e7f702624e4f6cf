package e2e

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/sys/unix"
)

// envInside is how the test calls itself again: set in private namespaces, a directory to use there.
const envInside = "E2E_INSIDE"

// hasKernel: this system has the table that the scenarios are about.
const hasKernel = true

func TestMain(m *testing.M) {
	testscript.Main(runner{m}, map[string]func(){
		"echod":  echodMain,
		"talk":   talkMain,
		"httpd":  httpdMain,
		"fetch":  fetchMain,
		"ftpd":   ftpdMain,
		"ftp":    ftpMain,
		"peek":   peekMain,
		"schema": schemaMain,
		"typed":  typedMain,
	})
}

// runner runs the tests in private namespaces.
type runner struct{ tests testscript.TestingM }

// Run builds the program, and starts this test binary again where nothing it does can be felt outside.
func (r runner) Run() int {
	if os.Getenv(envInside) != "" {
		return runInside(r.tests)
	}
	heedSignals()
	dir, err := os.MkdirTemp("", "gonntrack-e2e")
	if err != nil {
		return complain(err)
	}
	defer os.RemoveAll(dir)
	program := os.Getenv(envProgram)
	if program == "" && os.Getenv(envOnly) != "reference" {
		program = filepath.Join(dir, "conntrack")
		if err := build(program); err != nil {
			return complain(err)
		}
	}
	layers := filepath.Join(dir, "layers")
	if err := os.Mkdir(layers, 0o755); err != nil {
		return complain(err)
	}
	err = runAgain(program, layers)
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		return 1
	default:
		tally.skipAll(fmt.Sprintf("private namespaces: %v", err))
		fmt.Println(tally.String())
		return 0
	}
}

// heedSignals undoes what a shell or nohup(1) does to a job in the background: SIGINT and SIGHUP, ignored when Go starts, stay
// ignored in it and in all that it starts, and `stop` would stop nothing. A caught signal is back at its default after an exec.
func heedSignals() {
	for _, s := range []os.Signal{unix.SIGINT, unix.SIGHUP} {
		if signal.Ignored(s) {
			signal.Notify(make(chan os.Signal, 1), s)
		}
	}
}

// runAgain starts the test binary as root of new namespaces: network and mounts, and users when we are not root already.
func runAgain(program, dir string) error {
	runtime.LockOSThread() // Pdeathsig means this thread
	defer runtime.UnlockOSThread()
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Env = append(os.Environ(), envInside+"="+dir, envProgram+"="+program)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: unix.CLONE_NEWNET | unix.CLONE_NEWNS,
		Pdeathsig:  unix.SIGKILL,
	}
	if uid, gid := os.Getuid(), os.Getgid(); uid != 0 {
		cmd.SysProcAttr.Cloneflags |= unix.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{HostID: uid, Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{HostID: gid, Size: 1}}
	}
	return cmd.Run()
}

// runInside runs the tests and tells how many there were.
func runInside(tests testscript.TestingM) int {
	if err := probe(); err != nil {
		tally.skipAll(err.Error())
		fmt.Println(tally.String())
		return 0
	}
	connlabelErr = layConnlabel(os.Getenv(envInside))
	status := tests.Run()
	if line := tally.String(); line != "" {
		fmt.Println(line)
	}
	return status
}
