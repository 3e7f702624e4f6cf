package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/sys/unix"
)

// Variables of the environment: the first two are for people, the last is how the test calls itself again.
const (
	envOnly    = "E2E_ONLY"    // ours or reference
	envProgram = "E2E_PROGRAM" // the program under test; built when empty
	envInside  = "E2E_INSIDE"  // set in private namespaces: a directory to use there
)

// referenceVersion is the version of the reference that the scenarios know.
const referenceVersion = "v1.4.7 (conntrack-tools)"

func TestMain(m *testing.M) {
	testscript.Main(runner{m}, map[string]func(){
		"echod": echodMain,
		"talk":  talkMain,
		"httpd": httpdMain,
		"fetch": fetchMain,
		"ftpd":  ftpdMain,
		"ftp":   ftpMain,
		"peek":  peekMain,
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

func complain(err error) int {
	fmt.Fprintln(os.Stderr, "e2e:", err)
	return 1
}

// build builds the program under test, as it is released.
func build(path string) error {
	cmd := exec.Command("go", "build", "-trimpath", "-o", path, "..")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w\n%s", err, bytes.TrimSpace(out))
	}
	return nil
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

// referenceProgram finds the reference in PATH. The second value says why there is none.
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
		return "", fmt.Sprintf("%s is %s, the scenarios know %s", path, got, referenceVersion)
	}
	return path, ""
}
