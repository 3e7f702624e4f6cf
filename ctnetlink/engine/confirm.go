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
	noteSeqAdj // a request to change it is shown; packets that a helper changes are not
	noteLabels
)

// confirm puts a new entry into the table at the end of the packet's way, and
// sends the events, including those of earlier packets that did not get here
// (nf_conntrack_confirm). It returns false if the packet is dropped because
// another entry has one of the tuples.
func (t *Table) confirm(p *packet) bool {
	e := p.e
	switch {
	case e == nil:
		return true
	case e.status&ctnetlink.StatusConfirmed != 0:
		if e.pending != 0 && e.status&ctnetlink.StatusDying == 0 {
			t.packetEvent(eventUpdate, e)
		}
		return true
	case p.related:
		return true
	case t.occupied(e):
		if t.resolveClash(p) {
			return true
		}
		t.stats.insertFailed++
		t.stats.drop++
		if e.status&natDone != 0 {
			return p.drop(NATFull)
		}
		return p.drop(Clash)
	}
	e.id = t.newID()
	e.status |= ctnetlink.StatusConfirmed
	t.add(e)
	kind := eventNew
	if x := t.extension(e); x != nil && x.master != nil {
		kind |= eventRelated
	}
	t.packetEvent(kind, e)
	return true
}

// packetEvent sends an event with what packets changed.
func (t *Table) packetEvent(kind eventKind, e *entry) {
	if e.pending&noteLabels != 0 {
		kind |= eventLabels
	}
	t.event(kind|eventPacket, e, 0, nil)
	e.pending = 0
}

// resolveClash handles a packet whose new entry cannot be added because the table
// has one of its tuples (nf_ct_resolve_clash): an entry with both tuples, in
// either order, was made by another packet of the flow in the meantime, and takes
// the packet if the protocol has no state. It returns false if the packet is
// dropped.
func (t *Table) resolveClash(p *packet) bool {
	e := p.e
	o := t.find(&e.tuples[original], e.zone, original)
	if o == nil {
		o = t.find(&e.tuples[reply], e.zone, reply)
	}
	same := o.tuples == e.tuples || o.tuples == [2]tuple{e.tuples[reply], e.tuples[original]}
	if !same || o.zone != e.zone || !allowsClash(p.proto) {
		return false
	}
	for d := range o.counters {
		o.counters[d].packets += e.counters[d].packets
		o.counters[d].bytes += e.counters[d].bytes
	}
	t.abandon(p)
	t.stats.clashResolve++
	p.e = o
	return true
}

// allowsClash reports whether packets of a protocol may change to another entry.
func allowsClash(proto ctnetlink.Protocol) bool {
	switch proto {
	case ctnetlink.ProtoTCP, ctnetlink.ProtoSCTP, ctnetlink.ProtoICMP, ctnetlink.ProtoICMPv6:
		return false
	}
	return true
}

// assignTimeouts gives the packet's new entry timeouts by a rule. The entry gets
// that of a first packet, whatever the state that the packet made
// (nft_ct_timeout_obj_eval). Of several rules the last one counts.
func (t *Table) assignTimeouts(p *packet, to *Timeouts) {
	e := p.e
	if e == nil || e.status&ctnetlink.StatusConfirmed != 0 {
		return
	}
	t.extend(e).policy = to
	first := to[0]
	if proto := e.protocol(); proto == ctnetlink.ProtoTCP || proto == ctnetlink.ProtoSCTP {
		first = to[1]
	}
	e.deadline = t.now.after(first)
}
