package ctnetlink

import "strconv"

// Protocol is the number of a transport protocol (IANA protocol numbers,
// linux/in.h).
type Protocol uint8

// The protocols that connection tracking has a tracker for.
const (
	ProtoICMP    Protocol = 1
	ProtoTCP     Protocol = 6
	ProtoUDP     Protocol = 17
	ProtoDCCP    Protocol = 33
	ProtoGRE     Protocol = 47
	ProtoICMPv6  Protocol = 58
	ProtoSCTP    Protocol = 132
	ProtoUDPLite Protocol = 136
)

// Name returns the name of one of the protocols above, such as "tcp", and ""
// for any other.
func (p Protocol) Name() string {
	switch p {
	case ProtoICMP:
		return "icmp"
	case ProtoTCP:
		return "tcp"
	case ProtoUDP:
		return "udp"
	case ProtoDCCP:
		return "dccp"
	case ProtoGRE:
		return "gre"
	case ProtoICMPv6:
		return "icmpv6"
	case ProtoSCTP:
		return "sctp"
	case ProtoUDPLite:
		return "udplite"
	}
	return ""
}

// String returns the protocol's name, or its number.
func (p Protocol) String() string {
	if name := p.Name(); name != "" {
		return name
	}
	return strconv.Itoa(int(p))
}

// HasPorts reports whether the protocol's tuples have a source and a destination
// port.
func (p Protocol) HasPorts() bool {
	switch p {
	case ProtoTCP, ProtoUDP, ProtoUDPLite, ProtoSCTP, ProtoDCCP:
		return true
	}
	return false
}

// StateNames returns the names of the protocol's states by number, nil if it has
// no states. The caller must not change the slice.
func (p Protocol) StateNames() []string {
	switch p {
	case ProtoTCP:
		return tcpStates
	case ProtoSCTP:
		return sctpStates
	case ProtoDCCP:
		return dccpStates
	}
	return nil
}
