package action

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
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
	if err := confirmAll(e, r); err != nil {
		return err
	}
	if err := e.conn().Flush(r.Family); err != nil {
		return refused(r, err)
	}
	if r.ByName && r.Family != ctnetlink.FamilyAny {
		e.say("all IPv%d entries of the connection tracking table%s have been deleted.", ipVersion(r.Family), e.ofNetNS())
		return nil
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
		n, err := countExpectations(e, ctnetlink.FamilyAny)
		if err != nil {
			return refused(r, err)
		}
		if err := confirm(e, r, n, fmt.Sprintf("Delete all %d expectations%s?", n, e.ofNetNS())); err != nil {
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
