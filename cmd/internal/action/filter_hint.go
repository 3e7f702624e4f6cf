package action

import (
	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/filter"
)

// hint notices when a filter asks for what no entry carries: the kernel keeps
// counters and times only if that was enabled when the connection began.
type hint struct {
	counters, start bool // the filter needs them
	seen            bool // there are entries
	counted, timed  bool // some of them carry them
}

// newHint returns a hint about a filter; nil where none is needed.
func newHint(m *filter.Filter) *hint {
	h := &hint{counters: m.NeedsCounters(), start: m.NeedsStart()}
	if !h.counters && !h.start {
		return nil
	}
	return h
}

// see takes in an entry, whether it matches or not.
func (h *hint) see(f *ctnetlink.Flow) {
	if h == nil {
		return
	}
	h.seen = true
	h.counted = h.counted || f.Has(ctnetlink.AttrCountersOrig)
	h.timed = h.timed || f.Has(ctnetlink.AttrTimestamp)
}

// tell reports on standard error why nothing can match.
func (h *hint) tell(e *Env) {
	if h == nil || !h.seen {
		return
	}
	if h.counters && !h.counted {
		e.say("no entry has counters: they are kept for connections that begin while net.netfilter.nf_conntrack_acct is 1.")
	}
	if h.start && !h.timed {
		e.say("no entry has a start time: it is recorded for connections that begin while net.netfilter.nf_conntrack_timestamp is 1.")
	}
}
