// Package daemon is the program conntrackd: the order of its start, its requests, signals
// and end.
package daemon

import (
	"errors"
	"io"
	"syscall"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/config"
	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/words"
)

// Main runs a command line and returns the exit status.
func Main(args []string, stdout, stderr io.Writer) int {
	log := &logger{stdout: stdout, stderr: stderr}
	l, err := words.Parse(args)
	for _, text := range l.Warnings {
		log.warning("%s", text)
	}
	if err != nil {
		log.error("%s", err)
		var wrong *words.Error
		if errors.As(err, &wrong) {
			io.WriteString(stdout, wrong.Usage)
		}
		return 1
	}
	syscall.Umask(0o177)
	switch l.Action {
	case words.Print:
		io.WriteString(stdout, l.Text)
		return 0
	case words.Check:
		return check(l.Config, log)
	case words.Request:
		return request(l, log, stdout)
	case words.Detach:
		if b := inBackground(); b != nil {
			return run(l.Config, log, b)
		}
		return detach(args, stdout, stderr)
	}
	return run(l.Config, log, nil)
}

// read reads the configuration and says what there is to say of it. It is nil if the
// file cannot be used.
func read(path string, log *logger) *config.Config {
	c, messages := config.Read(path)
	for _, m := range messages {
		log.log(m.Level, m.Text)
	}
	return c
}
