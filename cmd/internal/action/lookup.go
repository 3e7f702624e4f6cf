package action

import (
	"errors"

	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/filter"
)

// lookup asks the table of e for the entries that m matches by their original
// tuple, which takes a fraction of the time of a walk. ok is false where the table
// has to be walked: the filter leaves a part of the tuple open, or the zone, and
// it is not known in which zones there are entries with the tuple.
func lookup(e *Env, r *cmdline.Request, m *filter.Filter) (flows []*ctnetlink.Flow, ok bool) {
	if !canLookUp(e, r, m) {
		return nil, false
	}
	t, ok := m.Whole()
	if !ok {
		return nil, false
	}
	zones, ok := e.Zones.of(e.conn(), &t)
	if !ok {
		return nil, false
	}
	for _, zone := range zones {
		en := ctnetlink.FlowSpec{Orig: t, Exact: true}
		en.Orig.Zone, en.Orig.Has = zone, t.Has|ctnetlink.FieldZone
		f, err := e.conn().Get(&en)
		if errors.Is(err, ctnetlink.ENOENT) {
			continue
		}
		if err != nil {
			return nil, false // the walk reports it
		}
		if withoutOurUse(f); m.Match(f) {
			flows = append(flows, f)
		}
	}
	if e.LookedUp != nil {
		*e.LookedUp = true
	}
	return flows, true
}

// canLookUp reports whether the entries of a request may be looked up if it names
// a whole tuple. A table file is shown as it was written, without the time since
// then, and only a walk sees the entries that a hint is about.
func canLookUp(e *Env, r *cmdline.Request, m *filter.Filter) bool {
	if !r.Command.Is(cmdline.CmdList, cmdline.CmdDelete, cmdline.CmdUpdate) ||
		r.Table != cmdline.TableConntrack || r.Zero || newHint(m) != nil {
		return false
	}
	shows := r.Command == cmdline.CmdList || r.Has(cmdline.OptDryRun)
	return !shows || e.table().File == nil
}
