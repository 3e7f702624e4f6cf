package engine

import (
	"encoding/binary"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/internal/wire"
)

// Nearly every tuple has two addresses and two ports, with the attributes in
// the order in which the kernel sends them and programs send them back. All
// attribute headers of such a tuple are known in advance, and its fields are at
// fixed offsets.

// The headers of such a tuple's attributes, as numbers in host order.
var (
	commonIPv4  = attrHeader(20, wire.TupleIP|wire.AttrNested)
	commonIPv6  = attrHeader(44, wire.TupleIP|wire.AttrNested)
	commonSrc4  = attrHeader(8, wire.IPv4Src)
	commonDst4  = attrHeader(8, wire.IPv4Dst)
	commonSrc6  = attrHeader(20, wire.IPv6Src)
	commonDst6  = attrHeader(20, wire.IPv6Dst)
	commonProto = attrHeader(28, wire.TupleProto|wire.AttrNested)
	commonNum   = attrHeader(5, wire.ProtoNum)
	commonSport = attrHeader(6, wire.ProtoSrcPort)
	commonDport = attrHeader(6, wire.ProtoDstPort)
)

// attrHeader returns an attribute's header as a number in host order.
func attrHeader(length, typ uint16) uint32 {
	var b [4]byte
	binary.NativeEndian.PutUint16(b[:], length)
	binary.NativeEndian.PutUint16(b[2:], typ)
	return binary.NativeEndian.Uint32(b[:])
}

// parseCommonTuple reads such a tuple; ok is false for any other.
func parseCommonTuple(val []byte, family ctnetlink.Family) (t tuple, ok bool) {
	at := func(i int) uint32 { return binary.NativeEndian.Uint32(val[i:]) }
	var proto []byte
	switch {
	case family == familyIPv4 && len(val) == 48:
		if at(0) != commonIPv4 || at(4) != commonSrc4 || at(12) != commonDst4 {
			return t, false
		}
		copy(t.src[:4], val[8:])
		copy(t.dst[:4], val[16:])
		proto = val[20:]
	case family == familyIPv6 && len(val) == 72:
		if at(0) != commonIPv6 || at(4) != commonSrc6 || at(24) != commonDst6 {
			return t, false
		}
		copy(t.src[:], val[8:])
		copy(t.dst[:], val[28:])
		proto = val[44:]
	default:
		return t, false
	}
	val = proto[:28]
	if at(0) != commonProto || at(4) != commonNum || at(12) != commonSport || at(20) != commonDport ||
		!hasPorts(ctnetlink.Protocol(val[8])) {
		return t, false
	}
	t.family, t.proto = family, ctnetlink.Protocol(val[8])
	t.sport = binary.BigEndian.Uint16(val[16:])
	t.dport = binary.BigEndian.Uint16(val[24:])
	return t, true
}
