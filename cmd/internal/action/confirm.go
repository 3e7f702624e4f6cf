package action

import (
	"fmt"
	"io"
	"strings"

	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
	"github.com/gonntrack/gonntrack/cmd/internal/console"
	"github.com/gonntrack/gonntrack/ctnetlink"
)

// asks reports whether to ask before every entry of a table is deleted or changed:
// when the command was typed by name on a terminal. -F, -D and -U never ask, and
// nothing is asked about a table that does not exist.
func asks(e *Env, r *cmdline.Request) bool {
	return r.ByName && !r.Has(cmdline.OptYes) && console.IsTerminal(e.In) && !lacksFile(e)
}

// confirmAll asks whether a request may delete or change every entry of the table,
// or every entry of a family. It asks nothing if the request selects entries.
func confirmAll(e *Env, r *cmdline.Request) error {
	if !r.SelectsAll() || !asks(e, r) {
		return nil
	}
	n, _, err := e.conn().Count()
	if err != nil {
		return refused(r, err)
	}
	verb := "Delete"
	if r.Command == cmdline.CmdUpdate {
		verb = "Change"
	}
	question := fmt.Sprintf("%s all %d flow entries%s?", verb, n, e.ofNetNS())
	if r.Family != ctnetlink.FamilyAny {
		question = fmt.Sprintf("%s all IPv%d flow entries%s? (There are %d of both families.)",
			verb, ipVersion(r.Family), e.ofNetNS(), n)
	}
	return confirm(e, r, int(n), question)
}

// confirm asks on standard error, or on the terminal if that leads elsewhere,
// whether n of something may be deleted or changed, if there are any. It returns an
// error unless the answer begins with a y.
func confirm(e *Env, r *cmdline.Request, n int, question string) error {
	if n == 0 {
		return nil
	}
	name, done := "flush", "deleted"
	switch r.Command {
	case cmdline.CmdDelete:
		name = "delete"
	case cmdline.CmdUpdate:
		name, done = "update", "changed"
	}
	to := e.Err
	if !console.IsTerminal(e.Err) {
		terminal, err := console.OpenTerminal()
		if err != nil {
			return cmdline.Usagef("%s asks for confirmation, but stderr is not a terminal: use --yes", name)
		}
		defer terminal.Close()
		to = console.NewMessages(terminal)
	}
	_ = e.Out.Flush() // the Output keeps the failure, and the run ends with it
	to.Printf("%s [y/N] ", question)
	if cmdline.HasPrefixFold(strings.TrimSpace(answer(e.In)), "y") {
		return nil
	}
	e.say("nothing was %s.", done)
	return console.ErrQuiet
}

// answer reads a line.
func answer(in io.Reader) string {
	var line []byte
	var b [1]byte
	for { // byte by byte, so that what follows the line is left
		n, err := in.Read(b[:])
		if n == 0 && err != nil || n > 0 && b[0] == '\n' {
			return string(line)
		}
		line = append(line, b[:n]...)
	}
}
