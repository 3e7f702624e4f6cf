package engine

import "github.com/gonntrack/gonntrack/ctnetlink"

// protocol is how the packets of one transport protocol are tracked. Another
// protocol is another value, in a file of its own, and a line in protocols.
type protocol struct {
	// tuple sets the ports of a packet's tuple, or what the protocol has in their
	// place. The addresses are set. A reason makes the packet INVALID.
	tuple func(t *Table, p *packet, tp *tuple) Reason
	// check judges what can be judged without the entry: lengths, checksums,
	// flags.
	check func(t *Table, p *packet) Reason
	// packet is the protocol's state machine: p.e is the packet's entry, p.dir its
	// direction, p.v.New reports whether the packet made the entry. It calls
	// Table.refresh for a packet that counts.
	packet func(t *Table, p *packet) (outcome, Reason)
	// related, which may be nil, handles packets that are about another
	// connection, before an entry is looked up. It returns false for others.
	related func(t *Table, p *packet) bool
}

// outcome is what a protocol did with a packet.
type outcome uint8

const (
	accepted outcome = iota
	ignored          // the packet passes; the entry's state and timeout are as before
	rejected         // INVALID
	again            // the old entry was removed: the packet begins a new one
	gone             // the entry is to be removed; the packet passes with it
)

// protocols4 and protocols6 are the protocols by number; nil: generic.
var protocols4, protocols6 [256]*protocol

func init() {
	protocols4[ctnetlink.ProtoUDP], protocols6[ctnetlink.ProtoUDP] = &udp, &udp
	protocols4[ctnetlink.ProtoTCP], protocols6[ctnetlink.ProtoTCP] = &tcp, &tcp
	protocols4[ctnetlink.ProtoUDPLite], protocols6[ctnetlink.ProtoUDPLite] = &udplite, &udplite
	protocols4[ctnetlink.ProtoSCTP], protocols6[ctnetlink.ProtoSCTP] = &sctp, &sctp
	protocols4[ctnetlink.ProtoGRE], protocols6[ctnetlink.ProtoGRE] = &gre, &gre
	protocols4[ctnetlink.ProtoICMP], protocols6[ctnetlink.ProtoICMP] = &icmp, &none
	protocols4[ctnetlink.ProtoICMPv6], protocols6[ctnetlink.ProtoICMPv6] = &none, &icmpv6
	protocols6[ipv6NoNextHeader] = &none
	for _, n := range []ctnetlink.Protocol{extHopByHop, extRouting, extFragment, extAuth, extDestination} {
		protocols6[n] = &unreached
	}
}

// protocolOf returns the protocol with a number.
func protocolOf(family ctnetlink.Family, n ctnetlink.Protocol) *protocol {
	p := protocols4[n]
	if family == familyIPv6 {
		p = protocols6[n]
	}
	if p == nil {
		return &generic
	}
	return p
}

// ports sets a tuple's ports from the first four bytes of the transport header.
func ports(_ *Table, p *packet, tp *tuple) Reason {
	b := p.payload()
	if len(b) < 4 {
		return p.short(TupleShort, 4)
	}
	tp.sport, tp.dport = be16(b), be16(b[2:])
	return Reason{}
}
