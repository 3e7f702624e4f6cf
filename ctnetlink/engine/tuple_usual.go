package engine

import (
	"encoding/binary"

	"github.com/gonntrack/gonntrack/internal/wire"
)

// Nearly every tuple is one of two addresses and two ports, its attributes in
// the kernel's own order, as a dump has them and programs send them back. Then
// all of the headers are known, and what is between them can be picked out.

// The headers of the usual tuple, as their bytes lie in memory.
var (
	usualIPv4  = attrHeader(20, wire.TupleIP|wire.AttrNested)
	usualIPv6  = attrHeader(44, wire.TupleIP|wire.AttrNested)
	usualSrc4  = attrHeader(8, wire.IPv4Src)
	usualDst4  = attrHeader(8, wire.IPv4Dst)
	usualSrc6  = attrHeader(20, wire.IPv6Src)
	usualDst6  = attrHeader(20, wire.IPv6Dst)
	usualProto = attrHeader(28, wire.TupleProto|wire.AttrNested)
	usualNum   = attrHeader(5, wire.ProtoNum)
	usualSport = attrHeader(6, wire.ProtoSrcPort)
	usualDport = attrHeader(6, wire.ProtoDstPort)
)

// attrHeader is an attribute's header as a number in host order.
func attrHeader(length, typ uint16) uint32 {
	var b [4]byte
	binary.NativeEndian.PutUint16(b[:], length)
	binary.NativeEndian.PutUint16(b[2:], typ)
	return binary.NativeEndian.Uint32(b[:])
}

// parseUsual reads a usual tuple; ok is false for any other.
func parseUsual(val []byte, family uint8) (t tuple, ok bool) {
	at := func(i int) uint32 { return binary.NativeEndian.Uint32(val[i:]) }
	var proto []byte
	switch {
	case family == familyIPv4 && len(val) == 48:
		if at(0) != usualIPv4 || at(4) != usualSrc4 || at(12) != usualDst4 {
			return t, false
		}
		copy(t.src[:4], val[8:])
		copy(t.dst[:4], val[16:])
		proto = val[20:]
	case family == familyIPv6 && len(val) == 72:
		if at(0) != usualIPv6 || at(4) != usualSrc6 || at(24) != usualDst6 {
			return t, false
		}
		copy(t.src[:], val[8:])
		copy(t.dst[:], val[28:])
		proto = val[44:]
	default:
		return t, false
	}
	val = proto[:28]
	if at(0) != usualProto || at(4) != usualNum || at(12) != usualSport || at(20) != usualDport || !hasPorts(val[8]) {
		return t, false
	}
	t.family, t.proto = family, val[8]
	t.sport = binary.BigEndian.Uint16(val[16:])
	t.dport = binary.BigEndian.Uint16(val[24:])
	return t, true
}
