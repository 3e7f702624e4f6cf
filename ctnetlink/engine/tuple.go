package engine

import (
	"encoding/binary"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/internal/wire"
)

// errno is a request's error number; 0 is success.
type errno = ctnetlink.Errno

const (
	familyIPv4 = ctnetlink.FamilyIPv4
	familyIPv6 = ctnetlink.FamilyIPv6
)

// tuple is one direction of an entry. Fields that its protocol does not have
// are 0, so that tuples can be compared with ==.
type tuple struct {
	src, dst [16]byte // an IPv4 address is in the first four bytes
	sport    uint16   // source port, GRE key, ICMP identifier
	dport    uint16   // destination port, GRE key; for ICMP type<<8 | code
	family   ctnetlink.Family
	proto    ctnetlink.Protocol
}

// direction is the index of one of an entry's tuples.
type direction = uint8

const (
	original direction = 0
	reply    direction = 1
)

// zone is a conntrack zone: an id and the directions it applies to. In the
// other direction the entry is in zone 0. A tuple is unique within its zone.
type zone struct {
	id   uint16
	dirs uint8 // bit 1<<direction
}

var defaultZone = zone{0, 3}

// in returns the zone's id in a direction.
func (z zone) in(d direction) uint16 {
	if z.dirs>>d&1 == 0 {
		return 0
	}
	return z.id
}

// invert returns the tuple of the other direction (nf_ct_invert_tuple). ok is
// false for an ICMP type without an inverse.
func (t *tuple) invert() (i tuple, ok bool) {
	i = tuple{src: t.dst, dst: t.src, sport: t.dport, dport: t.sport, family: t.family, proto: t.proto}
	if isICMP(t.proto) {
		other, ok := t.proto.InverseICMPType(uint8(t.dport >> 8))
		i.sport, i.dport = t.sport, uint16(other)<<8|t.dport&0xff
		return i, ok
	}
	return i, true
}

func isICMP(proto ctnetlink.Protocol) bool {
	return proto == ctnetlink.ProtoICMP || proto == ctnetlink.ProtoICMPv6
}

// hasPorts reports whether tuples of a protocol have two ports or keys. DCCP is
// not among them: Linux 6.18 tracks it as a generic protocol.
func hasPorts(proto ctnetlink.Protocol) bool {
	switch proto {
	case ctnetlink.ProtoTCP, ctnetlink.ProtoUDP, ctnetlink.ProtoUDPLite, ctnetlink.ProtoSCTP, ctnetlink.ProtoGRE:
		return true
	}
	return false
}

// filterInside is the set of CTA_FILTER flags for fields in CTA_TUPLE_PROTO,
// without the protocol number.
const filterInside = wire.FilterAll &^ (wire.FilterIPSrc | wire.FilterIPDst | wire.FilterZone | wire.FilterProto)

// parseTuple reads all fields of a tuple in a request.
func parseTuple(val []byte, family ctnetlink.Family, dir direction, z *zone) (tuple, errno) {
	if t, ok := parseCommonTuple(val, family); ok {
		return t, 0
	}
	return parseTupleFields(val, family, dir, z, wire.FilterAll)
}

// parseTupleFields reads the fields of a tuple that are in flags
// (ctnetlink_parse_tuple_filter). The tuple's zone is stored in z; if z is nil,
// a tuple with a zone is refused.
func parseTupleFields(val []byte, family ctnetlink.Family, dir direction, z *zone, flags uint32) (t tuple, no errno) {
	var tb [4][]byte
	if no := parse(val, tb[:], tuplePolicy); no != 0 {
		return t, no
	}
	if family != familyIPv4 && family != familyIPv6 {
		return t, ctnetlink.EOPNOTSUPP
	}
	t.family = family
	if flags&(wire.FilterIPSrc|wire.FilterIPDst) != 0 {
		if no := t.parseIP(tb[wire.TupleIP], flags); no != 0 {
			return t, no
		}
	}
	if flags&wire.FilterProto != 0 {
		if no := t.parseProto(tb[wire.TupleProto], flags); no != 0 {
			return t, no
		}
	} else if flags&filterInside != 0 {
		return t, ctnetlink.EINVAL
	}
	if flags&wire.FilterZone != 0 && tb[wire.TupleZone] != nil {
		if z == nil || z.id != 0 {
			return t, ctnetlink.EINVAL
		}
		*z = zone{binary.BigEndian.Uint16(tb[wire.TupleZone]), 1 << dir}
	}
	return t, 0
}

func (t *tuple) parseIP(val []byte, flags uint32) errno {
	if val == nil {
		return ctnetlink.EINVAL
	}
	var tb [5][]byte
	if no := parse(val, tb[:], ipPolicy); no != 0 {
		return no
	}
	src, dst, size := tb[wire.IPv4Src], tb[wire.IPv4Dst], 4
	if t.family == familyIPv6 {
		src, dst, size = tb[wire.IPv6Src], tb[wire.IPv6Dst], 16
	}
	if flags&wire.FilterIPSrc != 0 {
		if src == nil {
			return ctnetlink.EINVAL
		}
		copy(t.src[:], src[:size])
	}
	if flags&wire.FilterIPDst != 0 {
		if dst == nil {
			return ctnetlink.EINVAL
		}
		copy(t.dst[:], dst[:size])
	}
	return 0
}

func (t *tuple) parseProto(val []byte, flags uint32) errno {
	if val == nil {
		return ctnetlink.EINVAL
	}
	var tb [10][]byte
	if no := parse(val, tb[:], protoPolicy); no != 0 {
		return no
	}
	if tb[wire.ProtoNum] == nil {
		return ctnetlink.EINVAL
	}
	t.proto = ctnetlink.Protocol(tb[wire.ProtoNum][0])
	switch {
	case t.proto == ctnetlink.ProtoICMP:
		return t.parseICMP(val, tb[wire.ProtoICMPID:], icmpPolicy, flags)
	case t.proto == ctnetlink.ProtoICMPv6:
		return t.parseICMP(val, tb[wire.ProtoICMPv6ID:], icmpv6Policy, flags>>wire.FilterICMPv6Shift)
	case !hasPorts(t.proto):
		return 0
	}
	if no := parse(val, tb[:], portPolicy); no != 0 {
		return no
	}
	if flags&wire.FilterSrcPort != 0 {
		if tb[wire.ProtoSrcPort] == nil {
			return ctnetlink.EINVAL
		}
		t.sport = binary.BigEndian.Uint16(tb[wire.ProtoSrcPort])
	}
	if flags&wire.FilterDstPort != 0 {
		if tb[wire.ProtoDstPort] == nil {
			return ctnetlink.EINVAL
		}
		t.dport = binary.BigEndian.Uint16(tb[wire.ProtoDstPort])
	}
	return 0
}

// parseICMP reads id, type and code from tb, which has them in this order for
// both families. The flags are ICMP's.
func (t *tuple) parseICMP(val []byte, tb [][]byte, p policy, flags uint32) errno {
	var checked [10][]byte
	if no := parse(val, checked[:], p); no != 0 {
		return no
	}
	id, typ, code := tb[0], tb[1], tb[2]
	if flags&wire.FilterICMPType != 0 {
		if typ == nil {
			return ctnetlink.EINVAL
		}
		if _, ok := t.proto.InverseICMPType(typ[0]); !ok {
			return ctnetlink.EINVAL
		}
		t.dport = uint16(typ[0]) << 8
	}
	if flags&wire.FilterICMPCode != 0 {
		if code == nil {
			return ctnetlink.EINVAL
		}
		t.dport |= uint16(code[0])
	}
	if flags&wire.FilterICMPID != 0 {
		if id == nil {
			return ctnetlink.EINVAL
		}
		t.sport = binary.BigEndian.Uint16(id)
	}
	return 0
}

// put appends the tuple as an attribute. zoneID is the id of a zone that
// applies to this direction only, else 0.
func (t *tuple) put(w *wire.Builder, typ uint16, zoneID uint16) {
	mark := w.Nest(typ)
	ip := w.Nest(wire.TupleIP)
	if t.family == familyIPv6 {
		w.Bytes(wire.IPv6Src, t.src[:])
		w.Bytes(wire.IPv6Dst, t.dst[:])
	} else {
		w.Bytes(wire.IPv4Src, t.src[:4])
		w.Bytes(wire.IPv4Dst, t.dst[:4])
	}
	w.Close(ip)
	proto := w.Nest(wire.TupleProto)
	w.U8(wire.ProtoNum, uint8(t.proto))
	switch {
	case t.proto == ctnetlink.ProtoICMP:
		w.U16(wire.ProtoICMPID, t.sport)
		w.U8(wire.ProtoICMPType, uint8(t.dport>>8))
		w.U8(wire.ProtoICMPCode, uint8(t.dport))
	case t.proto == ctnetlink.ProtoICMPv6:
		w.U16(wire.ProtoICMPv6ID, t.sport)
		w.U8(wire.ProtoICMPv6Type, uint8(t.dport>>8))
		w.U8(wire.ProtoICMPv6Code, uint8(t.dport))
	case hasPorts(t.proto), t.sport|t.dport != 0: // restored DCCP entries have ports
		w.U16(wire.ProtoSrcPort, t.sport)
		w.U16(wire.ProtoDstPort, t.dport)
	}
	w.Close(proto)
	if zoneID != 0 {
		w.U16(wire.TupleZone, zoneID)
	}
	w.Close(mark)
}
