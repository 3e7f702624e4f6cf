// Package filter chooses entries of the connection tracking table.
//
// A Filter is a set of criteria, and Match reports whether an entry meets all
// of them. The kernel can evaluate a part of most filters itself: Kernel
// returns the dumps, and Events the event filter, that leave out what the
// filter cannot match.
//
//	m := &filter.Filter{}
//	m.Orig.SetNumber(ctnetlink.FieldProto, filter.Values(ctnetlink.ProtoTCP))
//	m.Orig.SetNumber(ctnetlink.FieldDstPort, filter.Values(80, 443, 8080))
//	for _, q := range m.Kernel() {
//		for f, err := range conn.Dump(q) {
//			if err != nil {
//				return err
//			}
//			if m.Match(f) {
//				fmt.Println(f.Orig())
//			}
//		}
//	}
package filter

import (
	"slices"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// Filter is a set of criteria; an entry matches when it meets all of them. The
// zero Filter matches every entry, and a field with its zero value is no
// criterion.
//
// An entry without the attribute that a criterion examines does not meet it,
// negated or not. There are two exceptions: an entry without a zone is in zone
// 0, and one without labels has no bit set.
//
// Match, Kernel, Events and Split do not change the Filter, so that several
// goroutines may use one.
type Filter struct {
	// Family is the address family; FamilyAny is both.
	Family ctnetlink.Family
	// Orig and Reply are criteria on the tuple of each direction.
	Orig, Reply Tuple
	// Host is an address of which one end must have in one direction; with
	// Not, neither end may have it in either direction.
	Host Address
	// HostPort, when not nil, must contain the port of the end that has the
	// address of Host. Only entries of a protocol with ports match.
	HostPort Set
	// Port must contain a port of either end in either direction; with
	// NotPort, it may contain none of them. Only entries of a protocol with
	// ports match: a GRE key is not a port.
	Port    Set
	NotPort bool
	// States are the protocol states that match. Entries of a protocol that is
	// not listed do not match. Empty: any state.
	States []StateSet
	// OrigVTag and ReplyVTag are the verification tags of SCTP (RFC 9260), and
	// Role is the role of DCCP's original direction (0 client, 1 server).
	OrigVTag, ReplyVTag, Role Set
	// StatusSet are bits that must all be set, StatusClear bits that must all
	// be clear, and StatusAny bits one of which must be set.
	StatusSet, StatusClear, StatusAny ctnetlink.Status
	// Marks are ranges one of which must contain the mark; with NotMarks, none
	// may contain it. Empty: any mark.
	Marks    []MarkRange
	NotMarks bool
	// Zone is the zone of both directions. ID is the entry's id, SecMark its
	// security mark.
	Zone, ID, SecMark Set
	// Labels must all be set, WithoutLabels must all be clear. Empty: any
	// labels.
	Labels, WithoutLabels ctnetlink.Labels
	// SrcNAT and DstNAT select entries whose source or destination was
	// translated, AnyNAT those with either.
	SrcNAT, DstNAT, AnyNAT NAT
	// MinPackets and MinBytes are the least that both directions together must
	// have counted.
	MinPackets, MinBytes uint64
	// Older is the least age of an entry, and Younger an age that it has not
	// reached yet. An entry with a start in the future has age 0.
	Older, Younger time.Duration
	// ExpiresWithin is the longest time in which an entry may end if no other
	// packet arrives.
	ExpiresWithin time.Duration
	// Any, if not nil, is a list of filters of which one must match, too.
	Any *Any
	// Now is the clock for Older and Younger; nil is time.Now.
	Now func() time.Time
}

// StateSet is a set of states of a protocol.
type StateSet struct {
	Proto ctnetlink.Protocol
	// States has bit n set for state n of Proto.StateNames().
	States uint32
}

// MarkRange is the set of marks that are between Min and Max, both included,
// after all bits outside Mask have been cleared.
type MarkRange struct{ Min, Max, Mask uint32 }

// NeedsCounters reports whether only entries with counters can match.
func (m *Filter) NeedsCounters() bool {
	return m.MinPackets|m.MinBytes != 0 || m.Any != nil && m.Any.all((*Filter).NeedsCounters)
}

// NeedsStart reports whether only entries with a start time can match.
func (m *Filter) NeedsStart() bool {
	return m.Older|m.Younger != 0 || m.Any != nil && m.Any.all((*Filter).NeedsStart)
}

// ExaminesTags reports whether the filter compares verification tags.
func (m *Filter) ExaminesTags() bool {
	return m.OrigVTag != nil || m.ReplyVTag != nil ||
		m.Any != nil && slices.ContainsFunc(m.Any.filters, (*Filter).ExaminesTags)
}

// family returns the family that every matching entry has, FamilyAny if there is
// none.
func (m *Filter) family() ctnetlink.Family {
	if m.Family == ctnetlink.FamilyAny && m.Any != nil {
		return m.Any.family()
	}
	return m.Family
}
