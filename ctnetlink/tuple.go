package ctnetlink

import (
	"encoding/binary"
	"net/netip"

	"github.com/gonntrack/gonntrack/internal/wire"
)

// Tuple is one direction of an entry: who sends to whom. Ports and ids are
// plain numbers (host order).
type Tuple struct {
	// Has marks which fields were sent, or are to be sent.
	Has Fields
	// Proto is the transport protocol's number.
	Proto Protocol
	// ICMPType and ICMPCode are those of ICMP or ICMPv6.
	ICMPType, ICMPCode uint8
	// ICMPID is the identifier of an ICMP or ICMPv6 query.
	ICMPID uint16
	// SrcPort and DstPort are the ports; for GRE, the keys.
	SrcPort, DstPort uint16
	// Zone is the direction's own zone.
	Zone uint16
	// Src and Dst are the addresses; IPv4 ones are 4 bytes long.
	Src, Dst netip.Addr
}

// Fields is a set of fields of a Tuple. The bits are those of CTA_FILTER.
type Fields uint16

const (
	FieldSrc      Fields = wire.FilterIPSrc
	FieldDst      Fields = wire.FilterIPDst
	FieldZone     Fields = wire.FilterZone
	FieldProto    Fields = wire.FilterProto
	FieldSrcPort  Fields = wire.FilterSrcPort
	FieldDstPort  Fields = wire.FilterDstPort
	FieldICMPType Fields = wire.FilterICMPType
	FieldICMPCode Fields = wire.FilterICMPCode
	FieldICMPID   Fields = wire.FilterICMPID

	FieldAddrs = FieldSrc | FieldDst
	FieldPorts = FieldSrcPort | FieldDstPort
	FieldICMP  = FieldICMPType | FieldICMPCode | FieldICMPID
)

// Family returns the family of the tuple's addresses, FamilyAny if it has none.
func (t *Tuple) Family() Family {
	switch {
	case t.Src.Is4() || t.Dst.Is4():
		return FamilyIPv4
	case t.Src.Is6() || t.Dst.Is6():
		return FamilyIPv6
	}
	return FamilyAny
}

func be16(b []byte) uint16 { return binary.BigEndian.Uint16(b) }
func be32(b []byte) uint32 { return binary.BigEndian.Uint32(b) }
func be64(b []byte) uint64 { return binary.BigEndian.Uint64(b) }

// decode fills t from the payload of a tuple attribute. What is too short to
// be what it claims makes the whole tuple malformed.
func (t *Tuple) decode(b []byte) error {
	*t = Tuple{}
	a := wire.Attrs{B: b}
	for a.Next() {
		switch a.Type {
		case wire.TupleIP:
			if err := t.decodeIP(a.Val); err != nil {
				return err
			}
		case wire.TupleProto:
			if err := t.decodeProto(a.Val); err != nil {
				return err
			}
		case wire.TupleZone:
			if len(a.Val) < 2 {
				return ErrMalformed
			}
			t.Zone, t.Has = be16(a.Val), t.Has|FieldZone
		}
	}
	if a.Malformed {
		return ErrMalformed
	}
	return nil
}

func (t *Tuple) decodeIP(b []byte) error {
	a := wire.Attrs{B: b}
	for a.Next() {
		var addr netip.Addr
		switch a.Type {
		case wire.IPv4Src, wire.IPv4Dst:
			if len(a.Val) < 4 {
				return ErrMalformed
			}
			addr = netip.AddrFrom4([4]byte(a.Val))
		case wire.IPv6Src, wire.IPv6Dst:
			if len(a.Val) < 16 {
				return ErrMalformed
			}
			addr = netip.AddrFrom16([16]byte(a.Val))
		default:
			continue
		}
		if a.Type == wire.IPv4Src || a.Type == wire.IPv6Src {
			t.Src, t.Has = addr, t.Has|FieldSrc
		} else {
			t.Dst, t.Has = addr, t.Has|FieldDst
		}
	}
	if a.Malformed {
		return ErrMalformed
	}
	return nil
}

func (t *Tuple) decodeProto(b []byte) error {
	a := wire.Attrs{B: b}
	for a.Next() {
		if len(a.Val) < protoLen[min(a.Type, wire.ProtoICMPv6Code+1)] {
			return ErrMalformed
		}
		switch a.Type {
		case wire.ProtoNum:
			t.Proto, t.Has = Protocol(a.Val[0]), t.Has|FieldProto
		case wire.ProtoSrcPort:
			t.SrcPort, t.Has = be16(a.Val), t.Has|FieldSrcPort
		case wire.ProtoDstPort:
			t.DstPort, t.Has = be16(a.Val), t.Has|FieldDstPort
		case wire.ProtoICMPID, wire.ProtoICMPv6ID:
			t.ICMPID, t.Has = be16(a.Val), t.Has|FieldICMPID
		case wire.ProtoICMPType, wire.ProtoICMPv6Type:
			t.ICMPType, t.Has = a.Val[0], t.Has|FieldICMPType
		case wire.ProtoICMPCode, wire.ProtoICMPv6Code:
			t.ICMPCode, t.Has = a.Val[0], t.Has|FieldICMPCode
		}
	}
	if a.Malformed {
		return ErrMalformed
	}
	return nil
}

// protoLen is the least length of each attribute in CTA_TUPLE_PROTO, and of
// unknown ones.
var protoLen = [...]int{
	wire.ProtoNum: 1, wire.ProtoSrcPort: 2, wire.ProtoDstPort: 2,
	wire.ProtoICMPID: 2, wire.ProtoICMPType: 1, wire.ProtoICMPCode: 1,
	wire.ProtoICMPv6ID: 2, wire.ProtoICMPv6Type: 1, wire.ProtoICMPv6Code: 1,
	wire.ProtoICMPv6Code + 1: 0,
}
