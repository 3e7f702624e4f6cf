package ctnetlink

// icmpInverse and icmpv6Inverse hold, by type, the type of the other direction
// plus one; 0 where conntrack knows none. ICMP: echo, timestamp, information,
// address mask (RFC 792, RFC 950). ICMPv6, from type 128 on: echo (RFC 4443),
// node information (RFC 4620).
var (
	icmpInverse = [...]uint8{
		8: 0 + 1, 0: 8 + 1, 13: 14 + 1, 14: 13 + 1, 15: 16 + 1, 16: 15 + 1, 17: 18 + 1, 18: 17 + 1,
	}
	icmpv6Inverse = [...]uint8{
		128 - icmpv6First: 129 + 1, 129 - icmpv6First: 128 + 1, 139 - icmpv6First: 140 + 1, 140 - icmpv6First: 139 + 1,
	}
)

// icmpv6First is the type of icmpv6Inverse's first element.
const icmpv6First = 128

// InverseICMPType returns the ICMP or ICMPv6 type that a tuple of the other
// direction has: the reply's for a query, the query's for a reply. ok is false
// for other types and protocols; the table refuses entries of those types.
func (p Protocol) InverseICMPType(icmpType uint8) (inverse uint8, ok bool) {
	var inverses []uint8
	switch p {
	case ProtoICMP:
		inverses = icmpInverse[:]
	case ProtoICMPv6:
		inverses = icmpv6Inverse[:]
		icmpType -= icmpv6First
	}
	if int(icmpType) >= len(inverses) || inverses[icmpType] == 0 {
		return 0, false
	}
	return inverses[icmpType] - 1, true
}
