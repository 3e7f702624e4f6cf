// Package filter decides which entries a command acts on: one predicate for
// listing, deleting and updating alike, and the part of it that the kernel can
// evaluate itself.
package filter

import (
	"net/netip"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// Filter is a set of criteria; an entry matches when it meets all of them. The
// zero Filter matches every entry.
type Filter struct {
	// Family is the address family, FamilyAny for both.
	Family uint8
	// Orig and Reply are what each direction's tuple must be: the fields that
	// Has names are compared. A zone that an entry does not carry is 0.
	Orig, Reply Tuple
	// State is the state of StateProto, a number of its StateNames.
	State, StateProto uint8
	HasState          bool
	// OrigVTag and ReplyVTag are SCTP's verification tags, Role is DCCP's.
	OrigVTag, ReplyVTag       uint32
	HasOrigVTag, HasReplyVTag bool
	Role                      uint8
	HasRole                   bool
	// StatusSet are bits that must be set, StatusClear bits that must not be.
	StatusSet, StatusClear ctnetlink.Status
	// Mark must equal the entry's mark under MarkMask. An entry without a
	// mark attribute does not match.
	Mark, MarkMask uint32
	HasMark        bool
	SecMark        uint32
	HasSecMark     bool
	ID             uint32
	HasID          bool
	// Zone is that of both directions; an entry that carries none has 0.
	Zone    uint16
	HasZone bool
	// Labels are bits that must all be set (see ctnetlink.HasLabel); empty:
	// not compared.
	Labels []byte
	// SrcNAT, DstNAT and AnyNAT select translated entries.
	SrcNAT, DstNAT, AnyNAT NAT
	// More is what the fields above cannot say; nil: nothing.
	More *Criteria
}

// Tuple is what one direction must be.
type Tuple struct {
	ctnetlink.Tuple
	// SrcMask and DstMask, when valid, say which bits of the addresses count.
	SrcMask, DstMask netip.Addr
}

// NAT selects entries whose source or destination was translated.
type NAT struct {
	// Given: the criterion is there. Without an address any translation will
	// do.
	Given bool
	// Addr, when valid, is the address it was translated to, of which those
	// bits count that Mask, when valid, has set; and Port, when HasPort, the
	// port.
	Addr, Mask netip.Addr
	Port       uint16
	HasPort    bool
	// Not: it must have been translated to anything else.
	Not bool
}

// Match tells whether an entry meets all criteria.
func (m *Filter) Match(f *ctnetlink.Flow) bool {
	if m.Family != ctnetlink.FamilyAny && m.Family != f.Family {
		return false
	}
	if m.Orig.Has != 0 && !m.Orig.match(f.Orig()) {
		return false
	}
	if m.Reply.Has != 0 && !m.Reply.match(f.Reply()) {
		return false
	}
	if m.HasMark {
		if mark, ok := f.Mark(); !ok || mark&m.MarkMask != m.Mark {
			return false
		}
	}
	if m.StatusSet|m.StatusClear != 0 {
		status, ok := f.Status()
		if !ok || status&m.StatusSet != m.StatusSet || status&m.StatusClear != 0 {
			return false
		}
	}
	if m.HasState {
		if state, ok := f.State(); !ok || state != m.State || f.Orig().Proto != m.StateProto {
			return false
		}
	}
	if (m.HasOrigVTag || m.HasReplyVTag || m.HasRole) && !m.matchInfo(f) {
		return false
	}
	if m.HasZone {
		if zone, _ := f.Zone(); zone != m.Zone {
			return false
		}
	}
	if m.HasID {
		if id, ok := f.ID(); !ok || id != m.ID {
			return false
		}
	}
	if m.HasSecMark {
		if mark, ok := f.SecMark(); !ok || mark != m.SecMark {
			return false
		}
	}
	if len(m.Labels) > 0 && !m.matchLabels(f) {
		return false
	}
	return m.matchNAT(f) && (m.More == nil || m.More.match(f))
}

func (w *Tuple) match(t *ctnetlink.Tuple) bool {
	// A zone that was not sent is 0, every other field must be there.
	if missing := w.Has &^ t.Has; missing&^ctnetlink.FieldZone != 0 {
		return false
	}
	for h := w.Has; h != 0; h &= h - 1 {
		var same bool
		switch h & -h {
		case ctnetlink.FieldProto:
			same = w.Proto == t.Proto
		case ctnetlink.FieldSrc:
			same = sameAddr(w.Src, t.Src, w.SrcMask)
		case ctnetlink.FieldDst:
			same = sameAddr(w.Dst, t.Dst, w.DstMask)
		case ctnetlink.FieldSrcPort:
			same = w.SrcPort == t.SrcPort
		case ctnetlink.FieldDstPort:
			same = w.DstPort == t.DstPort
		case ctnetlink.FieldICMPType:
			same = w.ICMPType == t.ICMPType
		case ctnetlink.FieldICMPCode:
			same = w.ICMPCode == t.ICMPCode
		case ctnetlink.FieldICMPID:
			same = w.ICMPID == t.ICMPID
		case ctnetlink.FieldZone:
			same = w.Zone == t.Zone
		}
		if !same {
			return false
		}
	}
	return true
}

// sameAddr compares two addresses in those bits that mask has set, or in all
// when there is no mask.
func sameAddr(a, b, mask netip.Addr) bool {
	if !mask.IsValid() {
		return a == b
	}
	if a.BitLen() != b.BitLen() || a.BitLen() != mask.BitLen() {
		return false
	}
	a16, b16, m16 := a.As16(), b.As16(), mask.As16()
	first := 0
	if mask.Is4() {
		first = 12
	}
	for i := first; i < 16; i++ {
		if (a16[i]^b16[i])&m16[i] != 0 {
			return false
		}
	}
	return true
}

func (m *Filter) matchInfo(f *ctnetlink.Flow) bool {
	info, _ := f.ProtoInfo()
	tags := info.Has&ctnetlink.InfoVTags != 0
	return (!m.HasOrigVTag || tags && info.VTag[0] == m.OrigVTag) &&
		(!m.HasReplyVTag || tags && info.VTag[1] == m.ReplyVTag) &&
		(!m.HasRole || info.Has&ctnetlink.InfoRole != 0 && info.Role == m.Role)
}

func (m *Filter) matchLabels(f *ctnetlink.Flow) bool {
	have, _ := f.Labels()
	for i, want := range m.Labels {
		var b byte
		if i < len(have) {
			b = have[i]
		}
		if b&want != want {
			return false
		}
	}
	return true
}
