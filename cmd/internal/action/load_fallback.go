package action

import (
	"errors"

	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
	"github.com/gonntrack/gonntrack/ctnetlink"
)

// unrestored counts, while a file is loaded, the parts that the table did not
// keep of entries that it made.
type unrestored struct {
	labels, helpers int
	// anyLabels: an existing entry is updated without labels that the table has
	// no room for.
	anyLabels bool
}

func (u *unrestored) allowsLabels() bool { return u != nil && u.anyLabels }

const noLabelRoom = "no rule of this network namespace uses connection labels"

// createWithoutHelper creates an entry without its helper where err says that the
// table refused it for that, and the entry is a line of a file: a table that was
// saved on another machine is restored as far as possible. Any other error is
// returned unchanged.
func createWithoutHelper(e *Env, en *ctnetlink.FlowSpec, err error) error {
	if !en.Set.Has(ctnetlink.AttrHelp) || !errors.Is(err, ctnetlink.EOPNOTSUPP) {
		return err
	}
	if e.Unrestored == nil {
		return cmdline.Failuref("no helper `%s' for this protocol, or its module is not loaded", en.Helper)
	}
	without := *en
	without.Helper, without.Set = "", without.Set.Without(ctnetlink.AttrHelp)
	if e.conn().Create(&without) != nil {
		return err
	}
	e.Unrestored.helpers++
	return nil
}

// checkHelper reports that an existing entry keeps its helper, which cannot be
// changed, where en has another one.
func checkHelper(e *Env, en *ctnetlink.FlowSpec, old *ctnetlink.Flow) {
	if !en.Set.Has(ctnetlink.AttrHelp) {
		return
	}
	if name, ok := old.Helper(); ok && string(name) == en.Helper {
		return
	}
	if e.Unrestored != nil {
		e.Unrestored.helpers++
		return
	}
	e.say("WARNING: the entry already exists, and its helper cannot be changed.")
}

// print reports how many entries are without some part.
func (u *unrestored) print(e *Env) {
	if n := u.labels; n > 0 {
		e.say("WARNING: the kernel did not keep the labels of %d entries: %s.", n, noLabelRoom)
	}
	if n := u.helpers; n > 0 {
		e.say("WARNING: %d entries do not have their helper: the kernel does not have it, "+
			"or the entry already existed without it.", n)
	}
}
