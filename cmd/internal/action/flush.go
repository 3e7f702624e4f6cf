package action

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
	"github.com/gonntrack/gonntrack/cmd/internal/console"
	"github.com/gonntrack/gonntrack/ctnetlink"
)

// flush empties the table, or removes one family's entries.
func flush(e *Env, r *cmdline.Request) error {
	if r.Has(cmdline.OptDryRun) {
		const would = "%d flow entries would have been deleted."
		w := e.Report.printer(e, r)
		if lacksFile(e) {
			w.end()
			return e.Report.count(e, 0, would, false)
		}
		return changeMatching(e, r, w, &preview{printer: w}, "reading", would)
	}
	if asks(e, r) {
		n, _, err := e.conn().Count()
		if err != nil {
			return refused(r, err)
		}
		question := fmt.Sprintf("Delete all %d flow entries%s?", n, e.ofNetNS())
		if r.Family != ctnetlink.FamilyAny {
			question = fmt.Sprintf("Delete all IPv%d flow entries%s? (There are %d of both families.)",
				ipVersion(r.Family), e.ofNetNS(), n)
		}
		if err := confirm(e, int(n), question); err != nil {
			return err
		}
	}
	if err := e.conn().Flush(r.Family); err != nil {
		return refused(r, err)
	}
	e.say("connection tracking table%s has been emptied.", e.ofNetNS())
	return nil
}

// flushExpect removes all expectations.
func flushExpect(e *Env, r *cmdline.Request) error {
	if r.Has(cmdline.OptDryRun) {
		w := e.Report.printer(e, r)
		if lacksFile(e) {
			w.end()
		} else if err := showExpectations(e, r, w, ctnetlink.FamilyAny); err != nil {
			return err
		}
		return e.Report.count(e, w.n, "%d expectations would have been deleted.", false)
	}
	if asks(e, r) {
		n, err := countExpectations(e)
		if err != nil {
			return refused(r, err)
		}
		if err := confirm(e, n, fmt.Sprintf("Delete all %d expectations%s?", n, e.ofNetNS())); err != nil {
			return err
		}
	}
	if err := e.conn().FlushExpect(); err != nil {
		return refused(r, err)
	}
	e.say("expectation table%s has been emptied.", e.ofNetNS())
	return nil
}

func ipVersion(family ctnetlink.Family) int {
	if family == ctnetlink.FamilyIPv6 {
		return 6
	}
	return 4
}

// lacksFile reports whether the table is in a file that does not exist. To empty
// such a table makes the file.
func lacksFile(e *Env) bool {
	file := e.table().File
	if file == nil {
		return false
	}
	if _, err := os.Stat(file.Path()); !errors.Is(err, fs.ErrNotExist) {
		return false
	}
	_, err := os.Stat(filepath.Dir(file.Path()))
	return err == nil
}

// asks reports whether to ask before a table is emptied: when `flush' was typed
// on a terminal. -F never asks, and nothing is asked about a table that does not
// exist.
func asks(e *Env, r *cmdline.Request) bool {
	return r.ByName && !r.Has(cmdline.OptYes) && console.IsTerminal(e.In) && !lacksFile(e)
}

// confirm asks on standard error, or on the terminal if that leads elsewhere,
// whether n of something may be deleted, if there are any. It returns an error
// unless the answer begins with a y.
func confirm(e *Env, n int, question string) error {
	if n == 0 {
		return nil
	}
	var to io.Writer = e.Err
	if !console.IsTerminal(e.Err) {
		terminal, err := console.OpenTerminal()
		if err != nil {
			return cmdline.Usagef("flush asks for confirmation, but stderr is not a terminal: use --yes")
		}
		defer terminal.Close()
		to = terminal
	}
	_ = e.Out.Flush() // the Output keeps the failure, and the run ends with it
	fmt.Fprintf(to, "%s [y/N] ", question)
	if cmdline.HasPrefixFold(strings.TrimSpace(answer(e.In)), "y") {
		return nil
	}
	e.say("nothing was deleted.")
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
