//go:build !unix

package e2e

import (
	"os/exec"
	"strconv"
)

func ownGroup(*exec.Cmd) {}

// signalGroup ends a command and its children. This system has no signals for it.
func signalGroup(cmd *exec.Cmd, _ ending) error {
	return exec.Command("taskkill", "/T", "/F", "/PID", strconv.Itoa(cmd.Process.Pid)).Run()
}
