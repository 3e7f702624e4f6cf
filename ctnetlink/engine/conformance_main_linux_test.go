package engine_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"sync/atomic"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// Root can make network namespaces directly. An ordinary user needs a user
// namespace around them, which only a single-threaded process can enter:
// TestMain starts the test binary again in one.

// insideVar is set in the environment of the test binary's second start.
const insideVar = "CTNETLINK_ENGINE_TEST_INSIDE"

// skipped counts the tests that found no kernel.
var skipped atomic.Int32

func TestMain(m *testing.M) {
	if os.Getuid() != 0 && os.Getenv(insideVar) == "" {
		if code, ok := runInside(); ok {
			os.Exit(code)
		}
	}
	code := m.Run()
	if n := skipped.Load(); n > 0 {
		fmt.Fprintf(os.Stderr, "\n*** %d COMPARISONS WITH THE LIVE KERNEL WERE SKIPPED ***\n\n", n)
	}
	os.Exit(code)
}

// runInside runs the test binary in new user and network namespaces; ok is
// false if the system refuses them.
func runInside() (code int, ok bool) {
	runtime.LockOSThread() // Pdeathsig applies to the thread that started it
	defer runtime.UnlockOSThread()
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Args[0] = os.Args[0]
	cmd.Env = append(os.Environ(), insideVar+"=1")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  unix.CLONE_NEWUSER | unix.CLONE_NEWNET,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
		Pdeathsig:   syscall.SIGKILL,
	}
	if err := cmd.Start(); err != nil {
		fmt.Fprintln(os.Stderr, "no user namespace:", err)
		return 0, false
	}
	err := cmd.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		fmt.Fprintln(os.Stderr, err)
		return 1, true
	}
	return max(cmd.ProcessState.ExitCode(), 0), true
}
