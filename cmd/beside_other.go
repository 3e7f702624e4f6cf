//go:build !unix

package cmd

import (
	"errors"
	"os"
	"os/exec"
	"os/signal"
)

// execute runs a program to its end and returns its exit status.
func execute(path string, args []string) (status int, err error) {
	c := exec.Command(path, args...)
	c.Stdin, c.Stdout, c.Stderr = os.Stdin, os.Stdout, os.Stderr
	signal.Ignore(os.Interrupt) // the program gets it too, and decides
	err = c.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return max(exit.ExitCode(), exitFailure), nil
	}
	return exitOK, err
}
