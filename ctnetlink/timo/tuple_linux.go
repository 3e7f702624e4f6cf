package timo

import (
	"github.com/ti-mo/conntrack"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// Tuple converts a tuple.
func Tuple(t *ctnetlink.Tuple) conntrack.Tuple {
	return conntrack.Tuple{
		IP: conntrack.IPTuple{SourceAddress: t.Src, DestinationAddress: t.Dst},
		Proto: conntrack.ProtoTuple{
			Protocol:   uint8(t.Proto),
			SourcePort: t.SrcPort, DestinationPort: t.DstPort,
			ICMPv4: t.Proto == ctnetlink.ProtoICMP, ICMPv6: t.Proto == ctnetlink.ProtoICMPv6,
			ICMPID: t.ICMPID, ICMPType: t.ICMPType, ICMPCode: t.ICMPCode,
		},
		Zone: t.Zone,
	}
}

// FromTuple converts a tuple. Invalid addresses, protocol 0 and zone 0 are not
// set. The ports, or the fields of ICMP, are set as the protocol has them; for
// a protocol that conntrack does not know, ports are set if one is not 0.
func FromTuple(t conntrack.Tuple) ctnetlink.Tuple {
	to := ctnetlink.Tuple{
		Src: t.IP.SourceAddress, Dst: t.IP.DestinationAddress, Zone: t.Zone,
		Proto:   ctnetlink.Protocol(t.Proto.Protocol),
		SrcPort: t.Proto.SourcePort, DstPort: t.Proto.DestinationPort,
	}
	if to.Src.IsValid() {
		to.Has |= ctnetlink.FieldSrc
	}
	if to.Dst.IsValid() {
		to.Has |= ctnetlink.FieldDst
	}
	if to.Zone != 0 {
		to.Has |= ctnetlink.FieldZone
	}
	if to.Proto == 0 {
		return to
	}
	to.Has |= ctnetlink.FieldProto
	switch {
	case to.Proto == ctnetlink.ProtoICMP || to.Proto == ctnetlink.ProtoICMPv6:
		to.Has |= ctnetlink.FieldICMP
		to.ICMPType, to.ICMPCode, to.ICMPID = t.Proto.ICMPType, t.Proto.ICMPCode, t.Proto.ICMPID
	case to.Proto.HasPorts() || to.Proto == ctnetlink.ProtoGRE || to.SrcPort|to.DstPort != 0:
		to.Has |= ctnetlink.FieldPorts
	}
	return to
}

// filled reports whether a tuple is complete in the sense of ti-mo/conntrack,
// which sends no other.
func filled(t *conntrack.Tuple) bool {
	return t.IP.SourceAddress.IsValid() && t.IP.DestinationAddress.IsValid() && t.Proto.Protocol != 0
}
