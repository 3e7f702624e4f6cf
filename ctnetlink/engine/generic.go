package engine

// generic is every protocol that has no tracking of its own: the tuple has
// addresses only.
var generic = protocol{tuple: noPorts, check: noCheck, packet: trackGeneric}

func noPorts(*Table, *packet, *tuple) Reason { return Reason{} }

func noCheck(*Table, *packet) Reason { return Reason{} }

func trackGeneric(t *Table, p *packet) (outcome, Reason) {
	t.refresh(p, t.timeouts(p, &t.o.Sysctls.Generic)[0])
	return accepted, Reason{}
}

// none is a protocol whose packets are always INVALID: ICMP in IPv6, ICMPv6 in
// IPv4, and IPv6's "no next header".
var none = protocol{tuple: untrackable, check: noCheck, packet: trackGeneric}

func untrackable(_ *Table, p *packet, _ *tuple) Reason {
	return Reason{Code: Untrackable, N: [3]int64{int64(p.proto)}}
}

// ipv6NoNextHeader is the number of the protocol of an IPv6 packet with nothing
// behind its headers.
const ipv6NoNextHeader = 59
