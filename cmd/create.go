package cmd

import (
	"bytes"
	"errors"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// create makes an entry; it fails when it exists.
func (p *program) create(r *Request) error {
	en := r.entry()
	if err := p.bare(en, p.table.Create(en)); err != nil {
		return r.refused(err)
	}
	p.checkLabels(en)
	return p.counted(1, "%d flow entries have been created.", true)
}

// add makes an entry, or updates the one that exists.
func (p *program) add(r *Request) error {
	en := r.entry()
	err := p.table.Create(en)
	if errors.Is(err, ctnetlink.EEXIST) {
		err = p.addToExisting(r, en)
	}
	err = p.bare(en, err)
	var usage *usageError
	if errors.As(err, &usage) {
		return err
	}
	if err != nil {
		return r.refused(err)
	}
	p.checkLabels(en)
	return p.counted(1, "%d flow entries have been added.", true)
}

// addToExisting updates the entry that has en's tuple, leaving out what cannot
// change: translation, status bits that are only ever added, the timeout of an
// entry whose timeout is fixed.
func (p *program) addToExisting(r *Request, en *ctnetlink.FlowSpec) error {
	old, err := p.table.Get(originally(en))
	if err == nil {
		// What creates a short-lived entry would end one that lives.
		err = r.wholeTimeout()
		if err != nil && p.loading {
			err = failuref("%s", err) // the line is right, but for what is there
		}
	}
	if errors.Is(err, ctnetlink.ENOENT) {
		// It is the reply tuple that another entry has.
		return ctnetlink.EEXIST
	}
	if err != nil {
		return err
	}
	p.keptHelper(en, old)
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
	err = p.table.Update(&up)
	if errors.Is(err, ctnetlink.ENOSPC) && p.telling && en.Set.Has(ctnetlink.AttrLabels) {
		return nil // no room for labels, which come last: checkLabels counts it
	}
	return err
}

// originally returns the request that names an entry by its original tuple.
func originally(en *ctnetlink.FlowSpec) *ctnetlink.FlowSpec {
	named := &ctnetlink.FlowSpec{Family: en.Family, Orig: en.Orig, Zone: en.Zone}
	if en.Set.Has(ctnetlink.AttrZone) {
		named.Set = named.Set.With(ctnetlink.AttrZone)
	}
	return named
}

// checkLabels says so when the kernel dropped the labels of a new entry: it
// has room for them only where the rule set uses labels.
func (p *program) checkLabels(en *ctnetlink.FlowSpec) {
	if !en.Set.Has(ctnetlink.AttrLabels) {
		return
	}
	f, err := p.table.Get(originally(en))
	if err != nil {
		return
	}
	switch have, _ := f.Labels(); {
	case bytes.Equal(have, en.Labels):
	case p.loading:
		p.unrestored.labels++
	default:
		p.say("WARNING: the kernel did not keep the labels: %s.", noLabelRoom)
	}
}
