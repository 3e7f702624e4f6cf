package ctnetlink

import (
	"encoding/binary"
	"net/netip"
)

// Tuple is one direction of an entry: who sends to whom. Ports and ids are
// plain numbers (host order).
type Tuple struct {
	// Has marks which fields were sent, or are to be sent.
	Has Fields
	// Proto is the transport protocol's number.
	Proto uint8
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

// Fields is a set of fields of a Tuple.
type Fields uint16

const (
	FieldSrc Fields = 1 << iota
	FieldDst
	FieldZone
	FieldProto
	FieldSrcPort
	FieldDstPort
	FieldICMPType
	FieldICMPCode
	FieldICMPID

	FieldAddrs = FieldSrc | FieldDst
	FieldPorts = FieldSrcPort | FieldDstPort
	FieldICMP  = FieldICMPType | FieldICMPCode | FieldICMPID
)

// Family returns the family of the tuple's addresses, FamilyAny if it has none.
func (t *Tuple) Family() uint8 {
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
	a := attrs{b: b}
	for a.next() {
		switch a.typ {
		case tupleIP:
			if err := t.decodeIP(a.val); err != nil {
				return err
			}
		case tupleProto:
			if err := t.decodeProto(a.val); err != nil {
				return err
			}
		case tupleZone:
			if len(a.val) < 2 {
				return ErrMalformed
			}
			t.Zone, t.Has = be16(a.val), t.Has|FieldZone
		}
	}
	if a.malformed {
		return ErrMalformed
	}
	return nil
}

func (t *Tuple) decodeIP(b []byte) error {
	a := attrs{b: b}
	for a.next() {
		var addr netip.Addr
		switch a.typ {
		case ipV4Src, ipV4Dst:
			if len(a.val) < 4 {
				return ErrMalformed
			}
			addr = netip.AddrFrom4([4]byte(a.val))
		case ipV6Src, ipV6Dst:
			if len(a.val) < 16 {
				return ErrMalformed
			}
			addr = netip.AddrFrom16([16]byte(a.val))
		default:
			continue
		}
		if a.typ == ipV4Src || a.typ == ipV6Src {
			t.Src, t.Has = addr, t.Has|FieldSrc
		} else {
			t.Dst, t.Has = addr, t.Has|FieldDst
		}
	}
	if a.malformed {
		return ErrMalformed
	}
	return nil
}

func (t *Tuple) decodeProto(b []byte) error {
	a := attrs{b: b}
	for a.next() {
		if len(a.val) < protoLen[min(a.typ, protoICMPv6Code+1)] {
			return ErrMalformed
		}
		switch a.typ {
		case protoNum:
			t.Proto, t.Has = a.val[0], t.Has|FieldProto
		case protoSrcPort:
			t.SrcPort, t.Has = be16(a.val), t.Has|FieldSrcPort
		case protoDstPort:
			t.DstPort, t.Has = be16(a.val), t.Has|FieldDstPort
		case protoICMPID, protoICMPv6ID:
			t.ICMPID, t.Has = be16(a.val), t.Has|FieldICMPID
		case protoICMPType, protoICMPv6Type:
			t.ICMPType, t.Has = a.val[0], t.Has|FieldICMPType
		case protoICMPCode, protoICMPv6Code:
			t.ICMPCode, t.Has = a.val[0], t.Has|FieldICMPCode
		}
	}
	if a.malformed {
		return ErrMalformed
	}
	return nil
}

// protoLen is the least length of each attribute in CTA_TUPLE_PROTO, and of
// unknown ones.
var protoLen = [...]int{
	protoNum: 1, protoSrcPort: 2, protoDstPort: 2,
	protoICMPID: 2, protoICMPType: 1, protoICMPCode: 1,
	protoICMPv6ID: 2, protoICMPv6Type: 1, protoICMPv6Code: 1,
	protoICMPv6Code + 1: 0,
}
