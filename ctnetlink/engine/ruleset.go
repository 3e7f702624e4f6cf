package engine

import (
	"net/netip"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// Hook is a place on a packet's way where rules are run (enum nf_inet_hooks).
type Hook uint8

const (
	Prerouting Hook = iota
	InputHook
	ForwardHook
	OutputHook
	Postrouting
)

var hookNames = [...]string{"prerouting", "input", "forward", "output", "postrouting"}

// String returns the hook's name in nft, such as "prerouting".
func (h Hook) String() string { return hookNames[h] }

// Action is what the rules of a hook decide about a packet.
type Action uint8

const (
	Accept Action = iota
	Drop
	Reject
)

// Ruleset is a packet filter, such as that of package ruleset.
type Ruleset interface {
	// Run runs the chains of a hook with priorities from ≤ p < to, in their order,
	// except those of type nat.
	Run(h Hook, from, to int32, m Meta) Action
	// NAT runs the chains of type nat of a hook for the first packet of an entry.
	// It sets r and returns true if a rule translates.
	NAT(h Hook, m Meta, r *Translation) (Action, bool)
	// HasNAT reports whether there is a chain of type nat for a family. Without
	// one nothing is translated.
	HasNAT(f ctnetlink.Family) bool
}

// Translation is what a rule snat, dnat, masquerade or redirect says.
type Translation struct {
	Kind             TranslationKind
	MinAddr, MaxAddr netip.Addr // zero: the address stays (snat and dnat to a port)
	HasPorts         bool
	MinPort, MaxPort uint16
	Random           bool // random
	FullyRandom      bool // fully-random
	Persistent       bool // persistent
}

// TranslationKind is the kind of a rule that translates.
type TranslationKind uint8

const (
	SNAT TranslationKind = iota
	DNAT
	Masquerade // to the address of the outgoing interface
	Redirect   // to the address of the incoming interface
)

// Meta is a packet as rules see it. It is valid during the call.
type Meta struct {
	t *Table
	p *packet
}

// Data returns the packet as it is at the hook, starting at its IP header.
func (m Meta) Data() []byte { return m.p.data }

// Family returns the packet's family.
func (m Meta) Family() ctnetlink.Family { return m.p.family }

// Protocol returns the number of the transport protocol, behind IPv6 extension
// headers.
func (m Meta) Protocol() ctnetlink.Protocol {
	if b := m.p.payload(); m.p.proto == extFragment && m.p.family == familyIPv6 && len(b) > 0 {
		return ctnetlink.Protocol(b[0]) // of a later fragment
	}
	return m.p.proto
}

// Transport returns the packet from the transport header on; nil for a fragment
// without it.
func (m Meta) Transport() []byte {
	if m.p.laterFragment() {
		return nil
	}
	return m.p.payload()
}

// In returns the name of the incoming interface, "" at output and postrouting of
// what this machine sends.
func (m Meta) In() string { return m.p.in }

// Out returns the name of the outgoing interface, "" before routing.
func (m Meta) Out() string { return m.p.out }

// State returns the verdict of connection tracking. Before it that is
// StateUntracked after NoTrack, or else StateNone, which `ct state' takes for
// invalid.
func (m Meta) State() State {
	if m.p.untracked {
		return StateUntracked
	}
	return m.p.v.State
}

// Reply reports whether the packet is of the reply direction.
func (m Meta) Reply() bool { return m.p.dir == reply }

// Status returns the status of the packet's entry, 0 without one.
func (m Meta) Status() ctnetlink.Status {
	if m.p.e == nil {
		return 0
	}
	return m.p.e.status
}

// Mark returns the mark of the packet's entry, 0 without one.
func (m Meta) Mark() uint32 {
	if m.p.e == nil {
		return 0
	}
	return m.p.e.mark
}

// SetMark sets the mark of the packet's entry, if it has one.
func (m Meta) SetMark(v uint32) {
	if e := m.p.e; e != nil && e.mark != v {
		e.mark = v
		m.t.note(m.p, noteMark)
	}
}

// NoTrack excludes the packet from tracking. It has an effect before tracking
// only, and none on a packet that has a zone.
func (m Meta) NoTrack() {
	if m.p.v.State == StateNone && !m.p.zoned {
		m.p.untracked = true
	}
}

// SetZone sets the zone of the packet before tracking: for both directions, or
// for one. The first zone stays. A packet that was excluded from tracking is
// tracked again.
func (m Meta) SetZone(id uint16, original, reply bool) {
	if m.p.v.State != StateNone || m.p.zoned {
		return
	}
	var dirs uint8
	if original {
		dirs |= 1
	}
	if reply {
		dirs |= 2
	}
	m.p.zone, m.p.zoned, m.p.untracked = zone{id, dirs}, true, false
}

// SetHelper gives the packet's new entry a helper. It reports whether there is
// a helper with that name for the family and protocol.
func (m Meta) SetHelper(name string, family ctnetlink.Family, proto ctnetlink.Protocol) bool {
	h := findHelper(name, family, proto)
	if h == nil {
		return false
	}
	m.t.assignHelper(m.p, h)
	return true
}

// SetTimeouts replaces the timeouts of the packet's new entry. They must be of
// the packet's protocol. The entry keeps the pointer.
func (m Meta) SetTimeouts(to *Timeouts) { m.t.assignTimeouts(m.p, to) }

// HasEntry reports whether the packet has an entry.
func (m Meta) HasEntry() bool { return m.p.e != nil }

// HasHelper reports whether there is a helper with a name for a family and a
// protocol.
func HasHelper(name string, family ctnetlink.Family, proto ctnetlink.Protocol) bool {
	return findHelper(name, family, proto) != nil
}
