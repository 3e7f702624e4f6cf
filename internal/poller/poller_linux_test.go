package poller

import (
	"errors"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"testing"
)

// envLimit makes the test binary call Check under a limit of descriptors.
const envLimit = "POLLER_LIMIT"

// TestCheck: with two descriptors left there is no error, with fewer there is.
func TestCheck(t *testing.T) {
	if limit, err := strconv.ParseUint(os.Getenv(envLimit), 10, 64); err == nil {
		_ = syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: limit, Max: limit})
		err := Check(0)
		if err != nil && !errors.Is(err, syscall.EMFILE) {
			os.Exit(3)
		}
		if err != nil {
			os.Exit(2)
		}
		os.Exit(0)
	}
	statuses := map[int]bool{}
	last := 2
	for limit := 3; limit < 40; limit++ {
		cmd := exec.Command(os.Args[0], "-test.run=^TestCheck$")
		// The race detector would wait a second before each end.
		cmd.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0", envLimit+"="+strconv.Itoa(limit))
		_ = cmd.Run() // an error: the status is checked below
		status := cmd.ProcessState.ExitCode()
		if status != 0 && status != 2 || status > last {
			t.Errorf("limit %d: status %d after %d", limit, status, last)
		}
		statuses[status], last = true, status
	}
	if !statuses[0] || !statuses[2] {
		t.Errorf("statuses %v", statuses)
	}
}
