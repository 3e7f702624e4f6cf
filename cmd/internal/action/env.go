package action

import (
	"errors"
	"fmt"

	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
	"github.com/gonntrack/gonntrack/cmd/internal/console"
	"github.com/gonntrack/gonntrack/cmd/internal/target"
	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/format"
)

// Env is what an action works with.
type Env struct {
	*console.Streams
	// Tables are the tables that the action is about. There is more than one only
	// for actions on the tables of all network namespaces together.
	Tables []*target.Table
	// Several: what is shown names its network namespace.
	Several bool
	// Report takes what the action reports.
	Report reporter
	// Unrestored counts what the table does not keep of entries that a file
	// restores. nil: an entry is made whole or not at all.
	Unrestored *unrestored
}

// table returns the table of an action on one table.
func (e *Env) table() *target.Table { return e.Tables[0] }

// conn returns the connection to that table.
func (e *Env) conn() *ctnetlink.Conn { return e.Tables[0].Conn }

// at returns the environment of an action on one of the tables.
func (e *Env) at(t *target.Table) *Env {
	one := *e
	one.Tables = []*target.Table{t}
	return &one
}

// netns returns the network namespace that is named with what is shown of the
// table, "" where only one was meant.
func (e *Env) netns() string {
	if !e.Several {
		return ""
	}
	return e.table().Name
}

// ofNetNS names the network namespace in a message, where several are meant.
func (e *Env) ofNetNS() string {
	if name := e.netns(); name != "" {
		return " of network namespace `" + string(format.AppendName(nil, name)) + "'"
	}
	return ""
}

// netnsField returns the end of a line that names its namespace, like an
// entry's.
func (e *Env) netnsField() string {
	if name := e.netns(); name != "" {
		return string(format.AppendName([]byte(" netns="), name))
	}
	return ""
}

// say prints a message on standard error, after the output so far.
func (e *Env) say(form string, args ...any) {
	_ = e.Out.Flush() // the Output keeps the failure, and the run ends with it
	fmt.Fprintf(e.Err, cmdline.CompatVersion+": "+form+"\n", args...)
}

// inNamespace names the table's network namespace in an error, unless the error
// is one of the command line.
func inNamespace(t *target.Table, err error) error {
	var usage *cmdline.UsageError
	if errors.As(err, &usage) {
		return err
	}
	return t.NameError(err)
}
