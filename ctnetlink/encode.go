package ctnetlink

import (
	"math"
	"net/netip"
	"time"

	"github.com/gonntrack/gonntrack/internal/wire"
)

// encoder appends netlink messages to a byte slice: a builder that knows our
// types.
type encoder struct{ wire.Builder }

// begin starts a message. Its length is filled in by End.
func (e *encoder) begin(h header) {
	e.Begin(h.Type, h.Flags, h.Seq, h.PortID, uint8(h.Family), h.Version, h.ResID)
}

// timeout appends a Duration in seconds, cut to what they can be.
func (e *encoder) timeout(typ uint16, d time.Duration) {
	v, ok := wireSeconds(d)
	if !ok && d > 0 {
		v = math.MaxUint32
	}
	e.U32(typ, v)
}

// addr appends an address under the number of its family.
func (e *encoder) addr(typ4, typ6 uint16, a netip.Addr) {
	if a.Is4() {
		v := a.As4()
		e.Bytes(typ4, v[:])
	} else {
		v := a.As16()
		e.Bytes(typ6, v[:])
	}
}

// tuple appends those fields of t that are marked as set.
func (e *encoder) tuple(typ uint16, t *Tuple) {
	mark := e.Nest(typ)
	if t.Has&FieldAddrs != 0 {
		ip := e.Nest(wire.TupleIP)
		if t.Has&FieldSrc != 0 {
			e.addr(wire.IPv4Src, wire.IPv6Src, t.Src)
		}
		if t.Has&FieldDst != 0 {
			e.addr(wire.IPv4Dst, wire.IPv6Dst, t.Dst)
		}
		e.Close(ip)
	}
	if t.Has&FieldProto != 0 {
		proto := e.Nest(wire.TupleProto)
		e.U8(wire.ProtoNum, uint8(t.Proto))
		if t.Has&FieldSrcPort != 0 {
			e.U16(wire.ProtoSrcPort, t.SrcPort)
		}
		if t.Has&FieldDstPort != 0 {
			e.U16(wire.ProtoDstPort, t.DstPort)
		}
		id, icmpType, code := uint16(wire.ProtoICMPID), uint16(wire.ProtoICMPType), uint16(wire.ProtoICMPCode)
		if t.Proto == ProtoICMPv6 {
			id, icmpType, code = wire.ProtoICMPv6ID, wire.ProtoICMPv6Type, wire.ProtoICMPv6Code
		}
		if t.Has&FieldICMPID != 0 {
			e.U16(id, t.ICMPID)
		}
		if t.Has&FieldICMPType != 0 {
			e.U8(icmpType, t.ICMPType)
		}
		if t.Has&FieldICMPCode != 0 {
			e.U8(code, t.ICMPCode)
		}
		e.Close(proto)
	}
	if t.Has&FieldZone != 0 {
		e.U16(wire.TupleZone, t.Zone)
	}
	e.Close(mark)
}

// protoInfo appends those fields of p that are marked as set.
func (e *encoder) protoInfo(p *ProtoInfo) {
	mark := e.Nest(uint16(AttrProtoInfo))
	switch p.Proto {
	case ProtoTCP:
		in := e.Nest(wire.InfoTCP)
		if p.Has&InfoState != 0 {
			e.U8(wire.InfoTCPState, p.State.Number())
		}
		if p.Has&InfoWScaleOrig != 0 {
			e.U8(wire.InfoTCPWScaleOrig, p.WScale[0])
		}
		if p.Has&InfoWScaleReply != 0 {
			e.U8(wire.InfoTCPWScaleReply, p.WScale[1])
		}
		if p.Has&InfoFlagsOrig != 0 {
			e.Bytes(wire.InfoTCPFlagsOrig, []byte{byte(p.Flags[0].Value), byte(p.Flags[0].Mask)})
		}
		if p.Has&InfoFlagsReply != 0 {
			e.Bytes(wire.InfoTCPFlagsReply, []byte{byte(p.Flags[1].Value), byte(p.Flags[1].Mask)})
		}
		e.Close(in)
	case ProtoDCCP:
		in := e.Nest(wire.InfoDCCP)
		if p.Has&InfoState != 0 {
			e.U8(wire.InfoDCCPState, p.State.Number())
		}
		if p.Has&InfoRole != 0 {
			e.U8(wire.InfoDCCPRole, p.Role)
		}
		if p.Has&InfoHandshakeSeq != 0 {
			e.U64(wire.InfoDCCPHandshakeSeq, p.HandshakeSeq)
		}
		e.Close(in)
	case ProtoSCTP:
		in := e.Nest(wire.InfoSCTP)
		if p.Has&InfoState != 0 {
			e.U8(wire.InfoSCTPState, p.State.Number())
		}
		if p.Has&InfoVTags != 0 {
			e.U32(wire.InfoSCTPVTagOrig, p.VTag[0])
			e.U32(wire.InfoSCTPVTagReply, p.VTag[1])
		}
		e.Close(in)
	}
	e.Close(mark)
}

// nat appends a translation under AttrNATSrc or AttrNATDst.
func (e *encoder) nat(typ Attr, n *NAT) {
	mark := e.Nest(uint16(typ))
	if n.MinAddr.IsValid() {
		e.addr(wire.NATv4MinIP, wire.NATv6MinIP, n.MinAddr)
	}
	if n.MaxAddr.IsValid() {
		e.addr(wire.NATv4MaxIP, wire.NATv6MaxIP, n.MaxAddr)
	}
	if n.MinPort != 0 {
		p := e.Nest(wire.NATProto)
		e.U16(wire.NATPortMin, n.MinPort)
		if n.MaxPort != 0 {
			e.U16(wire.NATPortMax, n.MaxPort)
		}
		e.Close(p)
	}
	e.Close(mark)
}
