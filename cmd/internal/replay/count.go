package replay

import (
	"cmp"
	"slices"

	"github.com/gonntrack/gonntrack/cmd/internal/capture"
	"github.com/gonntrack/gonntrack/ctnetlink/engine"
)

// counts are how many packets there were.
type counts struct {
	records  int
	notIP    int
	verdicts [engine.StateUnknown + 1]int
	dropped  int // of the verdicts NONE: before tracking
	fates    [engine.Dropped + 1]int
	reasons  map[engine.ReasonCode]int // of INVALID packets
	passed   map[engine.ReasonCode]int // of others
	drops    map[engine.ReasonCode]int
	first    map[engine.ReasonCode]engine.Reason // INVALID packets' first with its numbers
}

func (c *counts) add(rec *capture.Record, v *engine.Verdict) {
	c.records++
	if v == nil {
		c.notIP++
		return
	}
	c.verdicts[v.State]++
	c.fates[v.Fate]++
	if v.Fate == engine.Dropped {
		if v.State == engine.StateNone {
			c.dropped++
		}
		tally(&c.drops, v.DroppedBy)
	}
	switch {
	case v.Reason.Code == engine.NoReason:
	case v.State == engine.StateInvalid:
		tally(&c.reasons, v.Reason.Code)
		if c.reasons[v.Reason.Code] == 1 {
			if c.first == nil {
				c.first = map[engine.ReasonCode]engine.Reason{}
			}
			c.first[v.Reason.Code] = v.Reason
		}
	case v.Fate != engine.Dropped || v.Reason.Code != v.DroppedBy:
		tally(&c.passed, v.Reason.Code)
	}
}

func tally(m *map[engine.ReasonCode]int, c engine.ReasonCode) {
	if *m == nil {
		*m = map[engine.ReasonCode]int{}
	}
	(*m)[c]++
}

// ranked returns the reasons of a count, the most frequent first.
func ranked(m map[engine.ReasonCode]int) []engine.ReasonCode {
	var list []engine.ReasonCode
	for c := range m {
		list = append(list, c)
	}
	slices.SortFunc(list, func(a, b engine.ReasonCode) int {
		return cmp.Or(cmp.Compare(m[b], m[a]), cmp.Compare(a, b))
	})
	return list
}
