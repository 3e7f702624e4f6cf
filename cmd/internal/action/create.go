package action

import (
	"bytes"
	"errors"

	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
	"github.com/gonntrack/gonntrack/ctnetlink"
)

// create makes an entry; it fails when it exists.
func create(e *Env, r *cmdline.Request) error {
	en := entry(r)
	if err := createWithoutHelper(e, en, e.conn().Create(en)); err != nil {
		if r.Line == 0 {
			err = explainExists(e.conn(), en, err)
		}
		return refused(r, err)
	}
	checkLabels(e, en)
	return e.Report.count(e, 1, "%d flow entries have been created.", true)
}

// add makes an entry, or updates the one that exists.
func add(e *Env, r *cmdline.Request) error {
	en := entry(r)
	err := e.conn().Create(en)
	if errors.Is(err, ctnetlink.EEXIST) {
		err = addToExisting(e, r, en)
	}
	err = createWithoutHelper(e, en, err)
	var usage *cmdline.UsageError
	if errors.As(err, &usage) {
		return err
	}
	if err != nil {
		return refused(r, err)
	}
	checkLabels(e, en)
	return e.Report.count(e, 1, "%d flow entries have been added.", true)
}

// addToExisting updates the entry that has en's tuple, leaving out what cannot
// change: translation, status bits that are only ever added, the timeout of an
// entry whose timeout is fixed.
func addToExisting(e *Env, r *cmdline.Request, en *ctnetlink.FlowSpec) error {
	old, err := existing(e.conn(), en)
	if err == nil {
		// A timeout that creates a short-lived entry would end an existing one.
		err = r.ValidateTimeout()
	}
	if errors.Is(err, ctnetlink.ENOENT) {
		return errTaken
	}
	if err != nil {
		return err
	}
	checkHelper(e, en, old)
	var up ctnetlink.FlowSpec
	up.Identify(old)
	const keep = ctnetlink.StatusExpected | ctnetlink.StatusDying
	if en.Set.Has(ctnetlink.AttrStatus) {
		status, _ := old.Status()
		up.Status, up.Set = status|en.Status&^keep, up.Set.With(ctnetlink.AttrStatus)
	}
	if status, _ := old.Status(); status&ctnetlink.StatusFixedTimeout == 0 {
		up.Timeout, up.Set = en.Timeout, up.Set.With(ctnetlink.AttrTimeout)
	}
	if en.Set.Has(ctnetlink.AttrMark) {
		up.Mark, up.Set = en.Mark, up.Set.With(ctnetlink.AttrMark)
	}
	if en.Set.Has(ctnetlink.AttrProtoInfo) {
		up.ProtoInfo, up.Set = en.ProtoInfo, up.Set.With(ctnetlink.AttrProtoInfo)
	}
	if en.Set.Has(ctnetlink.AttrLabels) {
		up.Labels, up.Set = en.Labels, up.Set.With(ctnetlink.AttrLabels)
	}
	err = e.conn().Update(&up)
	if errors.Is(err, ctnetlink.ENOSPC) && e.Unrestored.allowsLabels() && en.Set.Has(ctnetlink.AttrLabels) {
		return nil // no room for labels, which are set last: checkLabels counts it
	}
	return err
}

// originally returns a request that names an entry by its original tuple.
func originally(en *ctnetlink.FlowSpec) *ctnetlink.FlowSpec {
	named := &ctnetlink.FlowSpec{Family: en.Family, Orig: en.Orig, Zone: en.Zone, Exact: true}
	if en.Set.Has(ctnetlink.AttrZone) {
		named.Set = named.Set.With(ctnetlink.AttrZone)
	}
	return named
}

// existing returns the entry that has en's original tuple. Where there is none,
// it returns the one that has it as its reply, in the same zones: the same
// connection, which the other end began. It fails with ENOENT if there is neither.
func existing(c *ctnetlink.Conn, en *ctnetlink.FlowSpec) (*ctnetlink.Flow, error) {
	named := originally(en)
	f, err := c.Get(named)
	if !errors.Is(err, ctnetlink.ENOENT) {
		return f, err
	}
	named.Exact = false
	if f, err = c.Get(named); err != nil {
		return nil, err
	}
	zone, _ := f.Zone()
	orig, reply := f.Orig(), f.Reply()
	if zone != en.Zone || orig.Zone != en.Reply.Zone || reply.Zone != en.Orig.Zone {
		return nil, ctnetlink.ENOENT
	}
	return f, nil
}

// checkLabels reports that the kernel dropped the labels of a new entry: it has
// room for them only where the rule set uses labels.
func checkLabels(e *Env, en *ctnetlink.FlowSpec) {
	if !en.Set.Has(ctnetlink.AttrLabels) {
		return
	}
	f, err := e.conn().Get(originally(en))
	if err != nil {
		return
	}
	switch have, _ := f.Labels(); {
	case bytes.Equal(have, en.Labels):
	case e.Unrestored != nil:
		e.Unrestored.labels++
	default:
		e.say("WARNING: the kernel did not keep the labels: %s.", noLabelRoom)
	}
}
