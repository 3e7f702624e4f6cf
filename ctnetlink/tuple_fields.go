package ctnetlink

import (
	"net/netip"

	"github.com/gonntrack/gonntrack/internal/wire"
)

// NewTuple returns the tuple of a packet of protocol p from src to dst. Addresses
// of IPv4 in IPv6 form become IPv4 addresses. Ports are set where the protocol
// has them; for GRE they are the keys.
func NewTuple(p Protocol, src, dst netip.AddrPort) Tuple {
	t := Tuple{
		Has: FieldAddrs | FieldProto, Proto: p,
		Src: src.Addr().Unmap().WithZone(""), Dst: dst.Addr().Unmap().WithZone(""),
	}
	if p.HasPorts() || p == ProtoGRE {
		t.SrcPort, t.DstPort, t.Has = src.Port(), dst.Port(), t.Has|FieldPorts
	}
	return t
}

// NewICMPTuple returns the tuple of an ICMP query, or of an ICMPv6 query where
// the addresses are IPv6, with the given type, code and identifier.
func NewICMPTuple(src, dst netip.Addr, icmpType, code uint8, id uint16) Tuple {
	t := NewTuple(ProtoICMP, netip.AddrPortFrom(src, 0), netip.AddrPortFrom(dst, 0))
	if t.Src.Is6() {
		t.Proto = ProtoICMPv6
	}
	t.ICMPType, t.ICMPCode, t.ICMPID, t.Has = icmpType, code, id, t.Has|FieldICMP
	return t
}

// Reverse returns the tuple of the answer: with source and destination
// exchanged, and the ICMP type of the reply. A zone is kept.
func (t *Tuple) Reverse() Tuple {
	r := *t
	r.Src, r.Dst = t.Dst, t.Src
	r.SrcPort, r.DstPort = t.DstPort, t.SrcPort
	r.Has = t.Has &^ (FieldAddrs | FieldPorts)
	for _, pair := range [...][2]Fields{
		{FieldSrc, FieldDst}, {FieldDst, FieldSrc}, {FieldSrcPort, FieldDstPort}, {FieldDstPort, FieldSrcPort},
	} {
		if t.Has&pair[0] != 0 {
			r.Has |= pair[1]
		}
	}
	if t.Has&FieldICMPType != 0 {
		if inverse, ok := t.Proto.InverseICMPType(t.ICMPType); ok {
			r.ICMPType = inverse
		}
	}
	return r
}

// Only returns the tuple with no more than the given fields.
func (t *Tuple) Only(fields Fields) Tuple {
	only := Tuple{Has: t.Has & fields}
	if only.Has&FieldSrc != 0 {
		only.Src = t.Src
	}
	if only.Has&FieldDst != 0 {
		only.Dst = t.Dst
	}
	if only.Has&FieldZone != 0 {
		only.Zone = t.Zone
	}
	if only.Has&FieldProto != 0 {
		only.Proto = t.Proto
	}
	if only.Has&FieldSrcPort != 0 {
		only.SrcPort = t.SrcPort
	}
	if only.Has&FieldDstPort != 0 {
		only.DstPort = t.DstPort
	}
	if only.Has&FieldICMPType != 0 {
		only.ICMPType = t.ICMPType
	}
	if only.Has&FieldICMPCode != 0 {
		only.ICMPCode = t.ICMPCode
	}
	if only.Has&FieldICMPID != 0 {
		only.ICMPID = t.ICMPID
	}
	return only
}

// meets reports whether t has every field of want with the same value. The
// masks, where valid, say which bits of an address are compared.
func (t *Tuple) meets(want *Tuple, srcMask, dstMask netip.Addr) bool {
	has := want.Has
	if has == 0 {
		return true
	}
	return t.Has&has == has &&
		(has&FieldSrc == 0 || wire.SameAddr(t.Src, want.Src, srcMask)) &&
		(has&FieldDst == 0 || wire.SameAddr(t.Dst, want.Dst, dstMask)) &&
		(has&FieldZone == 0 || t.Zone == want.Zone) &&
		(has&FieldProto == 0 || t.Proto == want.Proto) &&
		(has&FieldSrcPort == 0 || t.SrcPort == want.SrcPort) &&
		(has&FieldDstPort == 0 || t.DstPort == want.DstPort) &&
		(has&FieldICMPType == 0 || t.ICMPType == want.ICMPType) &&
		(has&FieldICMPCode == 0 || t.ICMPCode == want.ICMPCode) &&
		(has&FieldICMPID == 0 || t.ICMPID == want.ICMPID)
}

// check returns an error about a field that is set but not in Has, or in Has but
// not set. name is that of the tuple.
func (t *Tuple) check(name string) error {
	if t.Has == 0 && *t == (Tuple{}) {
		return nil
	}
	for _, f := range [...]struct {
		field Fields
		name  string
		set   bool
	}{
		{FieldSrc, "Src", t.Src.IsValid()}, {FieldDst, "Dst", t.Dst.IsValid()}, {FieldZone, "Zone", t.Zone != 0},
		{FieldProto, "Proto", t.Proto != 0}, {FieldSrcPort, "SrcPort", t.SrcPort != 0},
		{FieldDstPort, "DstPort", t.DstPort != 0}, {FieldICMPType, "ICMPType", t.ICMPType != 0},
		{FieldICMPCode, "ICMPCode", t.ICMPCode != 0}, {FieldICMPID, "ICMPID", t.ICMPID != 0},
	} {
		switch has := t.Has&f.field != 0; {
		case f.set && !has:
			return &FieldError{name + "." + f.name, "set, but Has lacks Field" + f.name}
		case has && !f.set && f.field&FieldAddrs != 0:
			return &FieldError{name + "." + f.name, "not set, but Has includes Field" + f.name}
		case f.field == FieldSrc && t.Src.Zone() != "", f.field == FieldDst && t.Dst.Zone() != "":
			return &FieldError{name + "." + f.name, "an address with a zone, which tuples do not have"}
		}
	}
	return nil
}
