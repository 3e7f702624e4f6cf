package action

import (
	"errors"

	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
	"github.com/gonntrack/gonntrack/cmd/internal/target"
	"github.com/gonntrack/gonntrack/ctnetlink"
)

// Actions on several tables, those of all network namespaces.

// runInEach runs an action in every network namespace and reports it once.
// Where it is about one entry, not every namespace must have it. A namespace
// that refuses is reported and passed over.
func runInEach(e *Env, r *cmdline.Request, do action) error {
	all := *e
	c := &collecting{}
	all.Report = c
	found := false
	var missing error
	for _, t := range e.Tables {
		one := all.at(t)
		err := do(one, r)
		switch {
		case errors.Is(err, ctnetlink.ENOENT) && (r.Command == cmdline.CmdGet || r.Table == cmdline.TableExpect):
			missing = err
		case one.passOver(err):
		case err != nil:
			if c.counted && r.Command.Is(cmdline.CmdDelete, cmdline.CmdUpdate) {
				// What was changed in the namespaces before is counted.
				_ = e.Report.count(e, c.total(), c.form, false) // the failure in the namespace is the one to report
			}
			return inNamespace(t, err)
		default:
			found = true
		}
	}
	switch {
	case !found && missing != nil:
		return missing
	case !found:
		return nil // every namespace refused
	}
	return c.finish(e, r)
}

// passOver reports whether the error is the refusal of one of several tables:
// the run goes on with the next. The refusal is reported, and the run ends with a
// failure.
func (e *Env) passOver(err error) bool {
	var refused *refusal
	if !e.Several || !errors.As(err, &refused) {
		return false
	}
	e.say("%s", inNamespace(e.table(), err))
	*e.PassedOver++
	return true
}

// failed returns an error of the table of e, which refused names if several tables
// are meant.
func (e *Env) failed(err error) error {
	if !e.Several {
		return err
	}
	return &tableError{e.table(), err}
}

// tableError is an error of one of several tables.
type tableError struct {
	table *target.Table
	err   error
}

func (e *tableError) Unwrap() error { return e.err }

func (e *tableError) Error() string { return e.err.Error() }

// inNamespace names the table's network namespace in an error, unless the error
// is one of the command line.
func inNamespace(t *target.Table, err error) error {
	var usage *cmdline.UsageError
	if err == nil || errors.As(err, &usage) {
		return err
	}
	return t.NameError(err)
}
