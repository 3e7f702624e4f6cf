package ctnetlink

import (
	"encoding/binary"
	"net/netip"
)

// encoder appends netlink messages to a byte slice.
type encoder struct {
	b     []byte
	start int // where the current message begins
}

// begin starts a message. Its length is filled in by end.
func (e *encoder) begin(h Header) {
	e.start = len(e.b)
	b := binary.NativeEndian.AppendUint32(e.b, 0)
	b = binary.NativeEndian.AppendUint16(b, h.Type)
	b = binary.NativeEndian.AppendUint16(b, h.Flags)
	b = binary.NativeEndian.AppendUint32(b, h.Seq)
	b = binary.NativeEndian.AppendUint32(b, h.PortID)
	b = append(b, h.Family, h.Version)
	e.b = binary.BigEndian.AppendUint16(b, h.ResID)
}

// end closes the message that begin opened.
func (e *encoder) end() {
	binary.NativeEndian.PutUint32(e.b[e.start:], uint32(len(e.b)-e.start))
}

// attr appends an attribute header for a payload of n bytes.
func (e *encoder) attr(typ uint16, n int) {
	e.b = binary.NativeEndian.AppendUint16(e.b, uint16(nlaHeaderLen+n))
	e.b = binary.NativeEndian.AppendUint16(e.b, typ)
}

// pad fills the message, wherever in the slice it begins, to a multiple of 4.
func (e *encoder) pad() {
	for (len(e.b)-e.start)%4 != 0 {
		e.b = append(e.b, 0)
	}
}

func (e *encoder) u8(typ uint16, v uint8) {
	e.attr(typ, 1)
	e.b = append(e.b, v)
	e.pad()
}

func (e *encoder) u16(typ uint16, v uint16) {
	e.attr(typ, 2)
	e.b = binary.BigEndian.AppendUint16(e.b, v)
	e.pad()
}

func (e *encoder) u32(typ uint16, v uint32) {
	e.attr(typ, 4)
	e.b = binary.BigEndian.AppendUint32(e.b, v)
}

// hostU32 appends a number in host order.
func (e *encoder) hostU32(typ uint16, v uint32) {
	e.attr(typ, 4)
	e.b = binary.NativeEndian.AppendUint32(e.b, v)
}

func (e *encoder) u64(typ uint16, v uint64) {
	e.attr(typ, 8)
	e.b = binary.BigEndian.AppendUint64(e.b, v)
}

// maxPayload bounds what is sent of a string or a bitmap. It is far beyond what
// the kernel takes (16 bytes each), so that cutting changes no answer, and
// keeps every length within its 16 bits.
const maxPayload = 1024

func (e *encoder) bytes(typ uint16, v []byte) {
	v = v[:min(len(v), maxPayload)]
	e.attr(typ, len(v))
	e.b = append(e.b, v...)
	e.pad()
}

// str appends a string with its NUL.
func (e *encoder) str(typ uint16, v string) {
	v = v[:min(len(v), maxPayload)]
	e.attr(typ, len(v)+1)
	e.b = append(append(e.b, v...), 0)
	e.pad()
}

// nest opens a nested attribute and returns the mark that close wants.
func (e *encoder) nest(typ uint16) int {
	mark := len(e.b)
	e.attr(typ|nlaNested, 0)
	return mark
}

func (e *encoder) close(mark int) {
	binary.NativeEndian.PutUint16(e.b[mark:], uint16(len(e.b)-mark))
}

// addr appends an address under the number of its family.
func (e *encoder) addr(typ4, typ6 uint16, a netip.Addr) {
	if a.Is4() {
		v := a.As4()
		e.bytes(typ4, v[:])
	} else {
		v := a.As16()
		e.bytes(typ6, v[:])
	}
}

// tuple appends those fields of t that are marked as set.
func (e *encoder) tuple(typ uint16, t *Tuple) {
	mark := e.nest(typ)
	if t.Has&FieldAddrs != 0 {
		ip := e.nest(tupleIP)
		if t.Has&FieldSrc != 0 {
			e.addr(ipV4Src, ipV6Src, t.Src)
		}
		if t.Has&FieldDst != 0 {
			e.addr(ipV4Dst, ipV6Dst, t.Dst)
		}
		e.close(ip)
	}
	if t.Has&FieldProto != 0 {
		proto := e.nest(tupleProto)
		e.u8(protoNum, t.Proto)
		if t.Has&FieldSrcPort != 0 {
			e.u16(protoSrcPort, t.SrcPort)
		}
		if t.Has&FieldDstPort != 0 {
			e.u16(protoDstPort, t.DstPort)
		}
		id, icmpType, code := uint16(protoICMPID), uint16(protoICMPType), uint16(protoICMPCode)
		if t.Proto == ProtoICMPv6 {
			id, icmpType, code = protoICMPv6ID, protoICMPv6Type, protoICMPv6Code
		}
		if t.Has&FieldICMPID != 0 {
			e.u16(id, t.ICMPID)
		}
		if t.Has&FieldICMPType != 0 {
			e.u8(icmpType, t.ICMPType)
		}
		if t.Has&FieldICMPCode != 0 {
			e.u8(code, t.ICMPCode)
		}
		e.close(proto)
	}
	if t.Has&FieldZone != 0 {
		e.u16(tupleZone, t.Zone)
	}
	e.close(mark)
}

// protoInfo appends those fields of p that are marked as set.
func (e *encoder) protoInfo(p *ProtoInfo) {
	mark := e.nest(uint16(AttrProtoInfo))
	switch p.Proto {
	case ProtoTCP:
		in := e.nest(infoTCP)
		if p.Has&InfoState != 0 {
			e.u8(infoTCPState, p.State)
		}
		if p.Has&InfoWScaleOrig != 0 {
			e.u8(infoTCPWScaleOrig, p.WScale[0])
		}
		if p.Has&InfoWScaleReply != 0 {
			e.u8(infoTCPWScaleReply, p.WScale[1])
		}
		if p.Has&InfoFlagsOrig != 0 {
			e.bytes(infoTCPFlagsOrig, []byte{p.Flags[0].Value, p.Flags[0].Mask})
		}
		if p.Has&InfoFlagsReply != 0 {
			e.bytes(infoTCPFlagsReply, []byte{p.Flags[1].Value, p.Flags[1].Mask})
		}
		e.close(in)
	case ProtoDCCP:
		in := e.nest(infoDCCP)
		if p.Has&InfoState != 0 {
			e.u8(infoDCCPState, p.State)
		}
		if p.Has&InfoRole != 0 {
			e.u8(infoDCCPRole, p.Role)
		}
		if p.Has&InfoHandshakeSeq != 0 {
			e.u64(infoDCCPHandshakeSeq, p.HandshakeSeq)
		}
		e.close(in)
	case ProtoSCTP:
		in := e.nest(infoSCTP)
		if p.Has&InfoState != 0 {
			e.u8(infoSCTPState, p.State)
		}
		if p.Has&InfoVTags != 0 {
			e.u32(infoSCTPVTagOrig, p.VTag[0])
			e.u32(infoSCTPVTagReply, p.VTag[1])
		}
		e.close(in)
	}
	e.close(mark)
}

// nat appends a translation under AttrNATSrc or AttrNATDst.
func (e *encoder) nat(typ Attr, n *NAT) {
	mark := e.nest(uint16(typ))
	if n.MinAddr.IsValid() {
		e.addr(natV4MinIP, natV6MinIP, n.MinAddr)
	}
	if n.MaxAddr.IsValid() {
		e.addr(natV4MaxIP, natV6MaxIP, n.MaxAddr)
	}
	if n.MinPort != 0 {
		p := e.nest(natProto)
		e.u16(protoNATPortMin, n.MinPort)
		if n.MaxPort != 0 {
			e.u16(protoNATPortMax, n.MaxPort)
		}
		e.close(p)
	}
	e.close(mark)
}
