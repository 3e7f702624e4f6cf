package cmd

import (
	"errors"
	"strings"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// unrestored counts, while a file is loaded, what the table did not take of
// entries that it did make.
type unrestored struct{ labels, helpers int }

// maxHelperName is the longest name of a helper (NF_CT_HELPER_NAME_LEN with
// its NUL, nf_conntrack_helper.h).
const maxHelperName = 15

// helperOption reads --helper.
func (r *Request) helperOption(name string) error {
	if name == "" || len(name) > maxHelperName || strings.IndexByte(name, 0) >= 0 {
		return failuref("unexpected value '%s' with --helper option: a name of 1 to %d characters is required", name, maxHelperName)
	}
	r.Helper = name
	return nil
}

// labelBitsOption reads --label-bits, which adds to what --label-add names.
func (r *Request) labelBitsOption(list string) error {
	for element := range strings.SplitSeq(list, ",") {
		bit, ok := parseUint(element, ctnetlink.MaxLabels-1)
		if !ok {
			return failuref("unexpected value '%s' with --label-bits option: numbers from 0 to %d are required, separated by commas",
				list, ctnetlink.MaxLabels-1)
		}
		if r.LabelAdd == nil {
			r.LabelAdd = ctnetlink.NewLabels()
		}
		r.LabelAdd.Set(int(bit))
	}
	return nil
}

const noLabelRoom = "no rule of this network namespace uses connection labels"

// bare creates an entry that the table refused for its helper without one,
// where the entry is a line of a file: a table that was saved elsewhere is
// restored as far as it can be. err is the refusal; what is none of its helper
// stays as it is.
func (p *program) bare(en *ctnetlink.FlowSpec, err error) error {
	if !en.Set.Has(ctnetlink.AttrHelp) || !errors.Is(err, ctnetlink.EOPNOTSUPP) {
		return err
	}
	if !p.loading {
		return failuref("no helper `%s' for this protocol, or its module is not loaded", en.Helper)
	}
	without := *en
	without.Set = without.Set.Without(ctnetlink.AttrHelp)
	if p.table.Create(&without) != nil {
		return err
	}
	p.unrestored.helpers++
	return nil
}

// keptHelper minds the helper of an entry that exists: it cannot change.
func (p *program) keptHelper(en *ctnetlink.FlowSpec, old *ctnetlink.Flow) {
	if !en.Set.Has(ctnetlink.AttrHelp) {
		return
	}
	if name, ok := old.Helper(); ok && string(name) == en.Helper {
		return
	}
	if p.loading {
		p.unrestored.helpers++
		return
	}
	p.say("WARNING: the entry already exists, and its helper cannot be changed.")
}

// tellUnrestored prints what of a file's entries the table did not take.
func (p *program) tellUnrestored() {
	if n := p.unrestored.labels; n > 0 {
		p.say("WARNING: the kernel did not keep the labels of %d entries: %s.", n, noLabelRoom)
	}
	if n := p.unrestored.helpers; n > 0 {
		p.say("WARNING: %d entries do not have their helper: the kernel does not have it, or the entry already existed without it.", n)
	}
}

// tellSaved prints what of its entries a saved file does not hold, as it says
// itself; with count, behind how many lines were loaded.
func (p *program) tellSaved(text string, count bool) {
	if !strings.HasPrefix(text, savedMark) {
		return
	}
	n := 0
	var lost []string
	for line := range strings.Lines(text) {
		if what, ok := strings.CutPrefix(line, lossMark); ok {
			lost = append(lost, strings.TrimSpace(what))
		} else if !strings.HasPrefix(line, "#") && strings.TrimSpace(line) != "" {
			n++
		}
	}
	if count {
		p.say("%d lines have been loaded.", n)
	}
	p.tellLosses("The file does not restore the following (with the number of entries affected when it was saved):", lost)
}
