package engine

import "github.com/gonntrack/gonntrack/ctnetlink"

// notes are the events of an entry that were not sent yet. Those of one packet
// are sent together.
type notes uint8

const (
	noteReply notes = 1 << iota
	noteAssured
	noteProto // the protocol's state changed
	noteMark
	noteHelper
	noteSeqAdj
	noteLabels
)

// confirm puts a new entry into the table at the end of the packet's way, and
// sends the events (nf_conntrack_confirm). It returns false if the packet is
// dropped because another entry has one of the tuples.
func (t *Table) confirm(p *packet) bool {
	e := p.e
	if e == nil || p.related {
		return true
	}
	if e.status&ctnetlink.StatusConfirmed == 0 {
		if t.occupied(e) {
			if !t.resolveClash(p) {
				t.stats.insertFailed++
				t.stats.drop++
				return p.drop(Clash)
			}
			return true
		}
		e.id = t.newID()
		e.status |= ctnetlink.StatusConfirmed
		t.add(e)
		kind := eventNew
		if x := t.extension(e); x != nil && x.master != nil {
			kind |= eventRelated
		}
		if e.pending&noteLabels != 0 {
			kind |= eventLabels
		}
		t.packetEvent(kind, e)
		return true
	}
	if e.pending != 0 {
		t.packetEvent(eventUpdate, e)
	}
	return true
}

// packetEvent sends an event with what a packet changed.
func (t *Table) packetEvent(kind eventKind, e *entry) {
	t.event(kind|eventPacket, e, 0, nil)
	e.pending = 0
}

// resolveClash handles a packet whose new entry cannot be added because another
// packet of the flow was faster. It returns false if the packet is dropped.
func (t *Table) resolveClash(p *packet) bool { return false }

// assignTimeouts gives the packet's new entry timeouts by a rule.
func (t *Table) assignTimeouts(p *packet, to *Timeouts) { p.policy = to }
