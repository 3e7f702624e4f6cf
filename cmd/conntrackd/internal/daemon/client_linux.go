package daemon

import (
	"fmt"
	"io"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/config"
	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/control"
	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/words"
)

// noAnswer is the exit status of our own requests when no daemon answers them.
const noAnswer = 2

// request sends a request to the daemon that runs and prints the answer. The exit status
// is 0 for each request of conntrack-tools that could be delivered, whatever the daemon
// made of it.
func request(l *words.Line, log *logger, stdout io.Writer) int {
	failed := 1
	if l.Request.Own() {
		failed = noAnswer
	}
	c := read(l.Config, log)
	if c == nil {
		return failed
	}
	conn, err := control.Dial(c.Socket)
	if err != nil {
		log.error("can't connect: is conntrackd running? appropriate permissions?")
		return failed
	}
	defer conn.Close()
	status, err := control.Do(conn, l.Request, stdout)
	if err != nil {
		log.error("%s", err)
	}
	return status
}

// check judges a configuration file without starting (--check).
func check(path string, log *logger) int {
	c, messages := config.Read(path)
	if c != nil {
		messages = append(messages, config.Check(c)...)
	}
	status := 0
	for _, m := range messages {
		text := m.Text
		if m.Line > 0 {
			text = fmt.Sprintf("%s:%d: %s", path, m.Line, text)
		}
		log.log(m.Level, text)
		if m.Level == config.Error || m.Fatal {
			status = 1
		}
	}
	if c == nil {
		return 1
	}
	if len(messages) == 0 {
		log.notice("%s: nothing to complain about", path)
	}
	return status
}
