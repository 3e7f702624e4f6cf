package filter

import (
	"net/netip"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// Criteria are what single values do not say: sets, what must not be, and what
// is computed from more than one attribute. Every one that is given must be
// met. An entry that lacks the attribute of a criterion does not meet it,
// whether it asks for something or against it; only a zone that was not sent
// is zone 0, and labels that were not sent are none.
type Criteria struct {
	// Orig and Reply are sets that numbers of each direction's tuple must be
	// in.
	Orig, Reply []FieldSet
	// Without are addresses that an entry must not have.
	Without []Address
	// Host is an address that one end must have in one direction, or with
	// NotHost that neither end may have in either.
	Host    Address
	NotHost bool
	// Port is a set that one port must be in, of either end in either
	// direction, or with NotPort that none may be in. It is met by entries of
	// protocols with ports only: a GRE key is no port.
	Port    Set
	NotPort bool
	// States are the states that entries of a protocol may have; those of a
	// protocol that is not listed do not match. Empty: not compared.
	States []StateSet
	// Marks are the marks, one of which the entry's must be, or with NotMarks
	// none of which it may be. Empty: not compared.
	Marks    []MarkRange
	NotMarks bool
	// Zone is that of both directions.
	Zone, ID, SecMark Set
	// WithoutLabels are bits none of which may be set (see
	// ctnetlink.HasLabel).
	WithoutLabels []byte
	// StatusAny are bits one of which must be set.
	StatusAny ctnetlink.Status
	// MinPackets and MinBytes are what both directions together must have
	// counted, at least. 0: not compared.
	MinPackets, MinBytes uint64
	// Older and Younger are how long an entry must have existed at least, and
	// may not have existed yet. One whose start lies in the future is 0 old.
	// 0: not compared.
	Older, Younger time.Duration
	// ExpiresWithin is within what time an entry ends unless another packet
	// comes, at most. 0: not compared.
	ExpiresWithin time.Duration
	// Now is the clock for Older and Younger; nil: time.Now.
	Now func() time.Time
}

// FieldSet asks that a number of a tuple be in a set.
type FieldSet struct {
	// Field is one of FieldProto, FieldSrcPort, FieldDstPort, FieldICMPType,
	// FieldICMPCode, FieldICMPID and FieldZone.
	Field ctnetlink.Fields
	Set   Set
}

// Address is an address of an entry: which, and what.
type Address struct {
	// Reply tells whether the reply direction's is meant.
	Reply bool
	// Field is FieldSrc or FieldDst.
	Field ctnetlink.Fields
	// Addr is the address, and Mask, when valid, which of its bits count.
	Addr, Mask netip.Addr
}

// StateSet is a set of states of a protocol.
type StateSet struct {
	Proto uint8
	// States has bit n set for state n of StateNames(Proto).
	States uint32
}

// MarkRange is the marks that under Mask are from Min to Max.
type MarkRange struct{ Min, Max, Mask uint32 }

// match tells whether an entry meets the criteria.
func (c *Criteria) match(f *ctnetlink.Flow) bool {
	orig, reply := f.Orig(), f.Reply()
	for i := range c.Orig {
		if !c.Orig[i].match(orig) {
			return false
		}
	}
	for i := range c.Reply {
		if !c.Reply[i].match(reply) {
			return false
		}
	}
	for i := range c.Without {
		a := &c.Without[i]
		t := orig
		if a.Reply {
			t = reply
		}
		if t.Has&a.Field == 0 || a.of(t, a.Field) {
			return false
		}
	}
	return (!c.Host.Addr.IsValid() || c.Host.anywhere(orig, reply) != c.NotHost) &&
		(c.Port == nil || ctnetlink.HasPorts(orig.Proto) && c.anyPort(orig, reply) != c.NotPort) &&
		c.matchNumbers(f) && c.matchCounters(f) && c.matchTimes(f)
}

func (s *FieldSet) match(t *ctnetlink.Tuple) bool {
	// A zone that was not sent is 0, every other field must be there.
	return (t.Has&s.Field != 0 || s.Field == ctnetlink.FieldZone) && s.Set.Contains(number(t, s.Field))
}

// number returns one of the numbers of a tuple.
func number(t *ctnetlink.Tuple, field ctnetlink.Fields) uint32 {
	switch field {
	case ctnetlink.FieldProto:
		return uint32(t.Proto)
	case ctnetlink.FieldSrcPort:
		return uint32(t.SrcPort)
	case ctnetlink.FieldDstPort:
		return uint32(t.DstPort)
	case ctnetlink.FieldICMPType:
		return uint32(t.ICMPType)
	case ctnetlink.FieldICMPCode:
		return uint32(t.ICMPCode)
	case ctnetlink.FieldICMPID:
		return uint32(t.ICMPID)
	}
	return uint32(t.Zone)
}

// of tells whether a tuple's source or destination is the address.
func (a *Address) of(t *ctnetlink.Tuple, field ctnetlink.Fields) bool {
	if field == ctnetlink.FieldSrc {
		return t.Has&field != 0 && sameAddr(a.Addr, t.Src, a.Mask)
	}
	return t.Has&field != 0 && sameAddr(a.Addr, t.Dst, a.Mask)
}

// anywhere tells whether any of the four addresses is the address.
func (a *Address) anywhere(orig, reply *ctnetlink.Tuple) bool {
	return a.of(orig, ctnetlink.FieldSrc) || a.of(orig, ctnetlink.FieldDst) ||
		a.of(reply, ctnetlink.FieldSrc) || a.of(reply, ctnetlink.FieldDst)
}

// anyPort tells whether any of the four ports is in Port.
func (c *Criteria) anyPort(orig, reply *ctnetlink.Tuple) bool {
	in := func(t *ctnetlink.Tuple) bool {
		return t.Has&ctnetlink.FieldSrcPort != 0 && c.Port.Contains(uint32(t.SrcPort)) ||
			t.Has&ctnetlink.FieldDstPort != 0 && c.Port.Contains(uint32(t.DstPort))
	}
	return in(orig) || in(reply)
}

// matchNumbers compares state, mark, zone, id, security mark, labels and
// status.
func (c *Criteria) matchNumbers(f *ctnetlink.Flow) bool {
	if len(c.States) > 0 && !c.matchState(f) {
		return false
	}
	if len(c.Marks) > 0 {
		if mark, ok := f.Mark(); !ok || c.anyMark(mark) == c.NotMarks {
			return false
		}
	}
	if c.Zone != nil {
		if zone, _ := f.Zone(); !c.Zone.Contains(uint32(zone)) {
			return false
		}
	}
	if c.ID != nil {
		if id, ok := f.ID(); !ok || !c.ID.Contains(id) {
			return false
		}
	}
	if c.SecMark != nil {
		if mark, ok := f.SecMark(); !ok || !c.SecMark.Contains(mark) {
			return false
		}
	}
	if c.StatusAny != 0 {
		if status, ok := f.Status(); !ok || status&c.StatusAny == 0 {
			return false
		}
	}
	if len(c.WithoutLabels) > 0 {
		have, _ := f.Labels()
		for i, not := range c.WithoutLabels {
			if i < len(have) && have[i]&not != 0 {
				return false
			}
		}
	}
	return true
}

func (c *Criteria) matchState(f *ctnetlink.Flow) bool {
	state, ok := f.State()
	if !ok {
		return false
	}
	for i := range c.States {
		if s := &c.States[i]; s.Proto == f.Orig().Proto {
			return state < 32 && s.States>>state&1 != 0
		}
	}
	return false
}

func (c *Criteria) anyMark(mark uint32) bool {
	for i := range c.Marks {
		r := &c.Marks[i]
		if m := mark & r.Mask; m >= r.Min && m <= r.Max {
			return true
		}
	}
	return false
}

// matchCounters compares what both directions counted.
func (c *Criteria) matchCounters(f *ctnetlink.Flow) bool {
	if c.MinPackets|c.MinBytes == 0 {
		return true
	}
	packets, bytes, ok := f.CountersOrig()
	if !ok {
		return false
	}
	p, b, _ := f.CountersReply()
	return packets+p >= c.MinPackets && bytes+b >= c.MinBytes
}

// matchTimes compares how long the entry has existed and how long it may.
func (c *Criteria) matchTimes(f *ctnetlink.Flow) bool {
	if c.ExpiresWithin > 0 {
		left, ok := f.Timeout()
		if !ok || time.Duration(left)*time.Second > c.ExpiresWithin {
			return false
		}
	}
	if c.Older|c.Younger == 0 {
		return true
	}
	start, ok := f.Start()
	if !ok {
		return false
	}
	// An entry that is gone has its age for good.
	end, ok := f.Stop()
	if !ok {
		now := time.Now
		if c.Now != nil {
			now = c.Now
		}
		end = uint64(now().UnixNano())
	}
	age := time.Duration(0)
	if end > start {
		age = time.Duration(end - start)
	}
	return age >= c.Older && (c.Younger == 0 || age < c.Younger)
}

// NeedsCounters tells whether entries must carry counters to match.
func (c *Criteria) NeedsCounters() bool { return c != nil && c.MinPackets|c.MinBytes != 0 }

// NeedsStart tells whether entries must carry the time of their start to
// match.
func (c *Criteria) NeedsStart() bool { return c != nil && c.Older|c.Younger != 0 }
