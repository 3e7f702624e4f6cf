//go:build unix

package cmd

import (
	"os"
	"syscall"
)

// execute replaces this process by a program. It returns only if that fails.
func execute(path string, args []string) (status int, err error) {
	return exitFailure, syscall.Exec(path, append([]string{path}, args...), os.Environ())
}
