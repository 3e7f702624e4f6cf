package ctnetlink

import "net/netip"

// EventFilter selects the events about entries that a subscription receives. The
// zero value selects all. Criteria that are given must all be met. An event that
// lacks what is compared does not meet them: the kernel leaves out a mark of 0.
//
// Events about expectations are not filtered.
type EventFilter struct {
	// Family selects events of one address family; FamilyAny selects both.
	Family Family
	// Mark and MarkMask select events with mark & MarkMask == Mark. MarkMask 0
	// selects any mark.
	Mark, MarkMask uint32
	// Status and StatusMask select events with status & StatusMask == Status.
	// StatusMask 0 selects any status.
	Status, StatusMask Status
	// Orig and Reply select events whose tuples have the same values in the
	// fields that Has names.
	Orig, Reply Tuple
	// The masks say which bits of the addresses in Orig and Reply are compared.
	// The zero Addr compares all.
	OrigSrcMask, OrigDstMask, ReplySrcMask, ReplyDstMask netip.Addr
}

// Match reports whether the event in f meets all criteria.
func (q *EventFilter) Match(f *Flow) bool {
	if q.Family != FamilyAny && f.Family() != q.Family {
		return false
	}
	if q.MarkMask != 0 {
		if mark, ok := f.Mark(); !ok || mark&q.MarkMask != q.Mark {
			return false
		}
	}
	if q.StatusMask != 0 {
		if status, ok := f.Status(); !ok || status&q.StatusMask != q.Status {
			return false
		}
	}
	return f.orig.meets(&q.Orig, q.OrigSrcMask, q.OrigDstMask) && f.reply.meets(&q.Reply, q.ReplySrcMask, q.ReplyDstMask)
}

// check returns what is wrong with the filter.
func (q *EventFilter) check() error {
	switch {
	case q.Mark != 0 && q.MarkMask == 0:
		return &FieldError{"EventFilter.Mark", "set, but MarkMask is 0"}
	case q.Status != 0 && q.StatusMask == 0:
		return &FieldError{"EventFilter.Status", "set, but StatusMask is 0"}
	}
	if err := q.Orig.check("EventFilter.Orig"); err != nil {
		return err
	}
	return q.Reply.check("EventFilter.Reply")
}
