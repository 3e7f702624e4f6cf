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

// envInside is set when the test binary has started itself again in private namespaces: a directory to use there.
const envInside = "E2E_INSIDE"

// hasKernel: this system has the kernel's conntrack table.
const hasKernel = true

func TestMain(m *testing.M) {
	testscript.Main(runner{m}, map[string]func(){
		"echod":     echodMain,
		"talk":      talkMain,
		"httpd":     httpdMain,
		"fetch":     fetchMain,
		"ftpd":      ftpdMain,
		"ftp":       ftpMain,
		"protoinfo": protoinfoMain,
		"schema":    schemaMain,
		"makecap":   makecapMain,
		"screen":    screenMain,
		"sendcap":   sendcapMain,
		"typed":     typedMain,
	})
}

// runner runs the tests in private namespaces.
type runner struct{ tests testscript.TestingM }

// Run builds the program and starts this test binary again in private namespaces.
func (r runner) Run() int {
	if os.Getenv(envInside) != "" {
		return runInside(r.tests)
	}
	catchSignals()
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
	if err := buildBeside(program, dir); err != nil {
		return complain(err)
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

// catchSignals makes `stop` work when the test itself runs in the background: a shell or nohup(1) starts such a job
// with SIGINT or SIGHUP ignored, and all that it starts would ignore them too. A caught signal is reset by exec.
func catchSignals() {
	for _, s := range []os.Signal{unix.SIGINT, unix.SIGHUP} {
		if signal.Ignored(s) {
			signal.Notify(make(chan os.Signal, 1), s)
		}
	}
}

// runAgain starts the test binary as root in new network and mount namespaces; an ordinary user gets a user
// namespace too.
func runAgain(program, dir string) error {
	runtime.LockOSThread() // Pdeathsig is about this thread
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

// runInside runs the tests and prints how many scenarios ran.
func runInside(tests testscript.TestingM) int {
	if err := probe(); err != nil {
		tally.skipAll(err.Error())
		fmt.Println(tally.String())
		return 0
	}
	connlabelErr = mountConnlabel(os.Getenv(envInside))
	status := tests.Run()
	if line := tally.String(); line != "" {
		fmt.Println(line)
	}
	return status
}
