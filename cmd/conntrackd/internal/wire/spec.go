package wire

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// Spec sets s to the entry as it was told: both tuples with their translation, status,
// timeout and all else. It is what listings show.
//
// A translation is in Reply and, as a translation to exactly that address and port, in
// SrcNAT and DstNAT, marked by AttrNATSrc and AttrNATDst. A request that creates the entry
// needs the reply tuple without it: s.Reply = s.Orig.Reverse(), with the zone that
// s.Reply had.
//
// Spec uses the memory of the labels and of the helper's name that s had, so that the
// same s can be used again for many objects. The error is a Damage; only an object that
// Merge and AppendFlow have not made has it.
func (o Object) Spec(s *ctnetlink.FlowSpec) error {
	labels, helper := s.Labels[:0], s.Helper
	*s = ctnetlink.FlowSpec{}
	var v view
	if !v.parse(o, connPlaces) || !v.namesConn() {
		return BadPayload
	}
	s.Orig.Src, s.Orig.Dst = v.pair(sAddr)
	s.Family = s.Orig.Family()
	s.Orig.Has, s.Orig.Proto = ctnetlink.FieldAddrs|ctnetlink.FieldProto, ctnetlink.Protocol(v.u8(sProto))
	v.protocol(s)
	v.reply(s)
	v.numbers(s)
	v.related(s)
	if b, ok := v.text(sHelper, sLongHelper); ok {
		if string(b) != helper {
			helper = string(b)
		}
		s.SetHelper(helper)
	}
	if v.have.has(sLabels) {
		b := v.value(sLabels)
		for i := 0; i+4 <= len(b); i += 4 {
			labels = binary.NativeEndian.AppendUint32(labels, binary.BigEndian.Uint32(b[i:]))
		}
		s.Labels, s.Set = labels, s.Set.With(ctnetlink.AttrLabels)
	}
	return nil
}

// pair returns the two addresses of an attribute.
func (v *view) pair(slot int) (src, dest netip.Addr) {
	b := v.value(slot)
	if len(b) == 8 {
		return netip.AddrFrom4([4]byte(b)), netip.AddrFrom4([4]byte(b[4:]))
	}
	return netip.AddrFrom16([16]byte(b)), netip.AddrFrom16([16]byte(b[16:]))
}

func (v *view) addr(slot int) netip.Addr {
	b := v.value(slot)
	if len(b) == 4 {
		return netip.AddrFrom4([4]byte(b))
	}
	return netip.AddrFrom16([16]byte(b))
}

// text returns a name without its NUL.
func (v *view) text(short, long int) ([]byte, bool) {
	slot := short
	if !v.have.has(short) {
		slot = long
	}
	if !v.have.has(slot) {
		return nil, false
	}
	b, _, _ := bytes.Cut(v.value(slot), []byte{0})
	return b, len(b) > 0
}

// swapped16 returns a number that is sent in little-endian form.
func (v *view) swapped16(slot int) uint16 { return binary.LittleEndian.Uint16(v.value(slot)) }

// protocol sets what the protocol has in the original tuple, and its state.
func (v *view) protocol(s *ctnetlink.FlowSpec) {
	t := &s.Orig
	var p ctnetlink.ProtoInfo
	state := sTCPState
	switch t.Proto {
	case ctnetlink.ProtoTCP:
		for i := range p.WScale {
			if v.have.has(sWScaleOrig + i) {
				p.WScale[i], p.Has = v.u8(sWScaleOrig+i), p.Has|ctnetlink.InfoWScaleOrig<<i
			}
		}
	case ctnetlink.ProtoSCTP:
		state = sSCTPState
		if v.have.has(sVTagOrig) && v.have.has(sVTagReply) {
			p.VTag = [2]uint32{v.u32(sVTagOrig), v.u32(sVTagReply)}
			p.Has |= ctnetlink.InfoVTags
		}
	case ctnetlink.ProtoDCCP:
		state = sDCCPState
		if v.have.has(sDCCPRole) {
			p.Role, p.Has = v.u8(sDCCPRole), p.Has|ctnetlink.InfoRole
		}
	case ctnetlink.ProtoICMP, ctnetlink.ProtoICMPv6:
		t.ICMPType, t.ICMPCode, t.ICMPID = v.u8(sICMPType), v.u8(sICMPCode), v.swapped16(sICMPID)
		t.Has |= ctnetlink.FieldICMP
		return
	case ctnetlink.ProtoGRE, ctnetlink.ProtoUDPLite:
		if v.have.has(sPorts) {
			b := v.value(sPorts)
			t.SrcPort, t.DstPort = binary.BigEndian.Uint16(b), binary.BigEndian.Uint16(b[2:])
		}
		t.Has |= ctnetlink.FieldPorts
		return
	case ctnetlink.ProtoUDP:
		state = -1
	default:
		return
	}
	t.SrcPort, t.DstPort = v.ports(sPort)
	t.Has |= ctnetlink.FieldPorts
	if state >= 0 && v.have.has(state) {
		p.State, p.Has = ctnetlink.NewState(t.Proto, v.u8(state)), p.Has|ctnetlink.InfoState
	}
	if p.Has != 0 {
		p.Proto = t.Proto
		s.SetProtoInfo(p)
	}
}

func (v *view) ports(slot int) (src, dest uint16) {
	n := v.u32(slot)
	return uint16(n >> 16), uint16(n)
}

// reply sets the reply tuple, the translations that it shows, and the zones.
func (v *view) reply(s *ctnetlink.FlowSpec) {
	s.Reply = s.Orig.Reverse()
	o, r := &s.Orig, &s.Reply
	if v.have.has(sSNAT) {
		r.Dst = v.addr(sSNAT)
	}
	if v.have.has(sDNAT) {
		r.Src = v.addr(sDNAT)
	}
	if v.have.has(sSPAT) {
		r.DstPort = v.swapped16(sSPAT)
	}
	if v.have.has(sDPAT) {
		r.SrcPort = v.swapped16(sDPAT)
	}
	if v.have.has(sPorts) {
		b := v.value(sPorts)
		r.SrcPort, r.DstPort = binary.BigEndian.Uint16(b[4:]), binary.BigEndian.Uint16(b[6:])
	}
	if v.have.has(sReplyID) {
		r.ICMPID = v.u16(sReplyID)
	}
	// A query's id is what the kernel translates as its source port.
	srcPort, destPort := r.DstPort, r.SrcPort
	if o.Has&ctnetlink.FieldICMPID != 0 {
		srcPort = r.ICMPID
	}
	if r.Dst != o.Src || r.DstPort != o.SrcPort || r.ICMPID != o.ICMPID {
		s.SetSrcNAT(ctnetlink.NAT{MinAddr: r.Dst, MaxAddr: r.Dst, MinPort: srcPort, MaxPort: srcPort})
	}
	if r.Src != o.Dst || r.SrcPort != o.DstPort {
		s.SetDstNAT(ctnetlink.NAT{MinAddr: r.Src, MaxAddr: r.Src, MinPort: destPort, MaxPort: destPort})
	}
	if v.have.has(sZone) {
		s.SetZone(v.u16(sZone))
	}
	if v.have.has(sZones) {
		zo, zr := v.ports(sZones)
		if zo != 0 {
			o.Zone, o.Has = zo, o.Has|ctnetlink.FieldZone
		}
		if zr != 0 {
			r.Zone, r.Has = zr, r.Has|ctnetlink.FieldZone
		}
	}
}

// numbers sets the fields that are plain numbers.
func (v *view) numbers(s *ctnetlink.FlowSpec) {
	if v.have.has(sStatus) {
		s.SetStatus(ctnetlink.Status(v.u32(sStatus)))
	}
	if v.have.has(sTimeout) {
		s.SetTimeout(time.Duration(v.u32(sTimeout)) * time.Second)
	}
	if v.have.has(sMark) {
		s.Mark, s.Set = v.u32(sMark), s.Set.With(ctnetlink.AttrMark)
	}
	if v.have.has(sSeqAdj) {
		b := v.value(sSeqAdj)
		for i, at := range [...]ctnetlink.Attr{ctnetlink.AttrSeqAdjOrig, ctnetlink.AttrSeqAdjReply} {
			s.SeqAdj[i] = ctnetlink.SeqAdj{
				Pos:    binary.BigEndian.Uint32(b[12*i:]),
				Before: int32(binary.BigEndian.Uint32(b[12*i+4:])),
				After:  int32(binary.BigEndian.Uint32(b[12*i+8:])),
			}
			s.Set = s.Set.With(at)
		}
	}
	if v.have.has(sSynproxy) {
		b := v.value(sSynproxy)
		s.Synproxy.ITS = binary.BigEndian.Uint32(b)
		s.Synproxy.ISN = binary.BigEndian.Uint32(b[4:])
		s.Synproxy.TSOff = binary.BigEndian.Uint32(b[8:])
		// Every entry that was made through ctnetlink has it, with zeros.
		if s.Synproxy != (ctnetlink.Synproxy{}) {
			s.Set = s.Set.With(ctnetlink.AttrSynproxy)
		}
	}
}

// related sets the master.
func (v *view) related(s *ctnetlink.FlowSpec) {
	if !v.have.has(sMasterAddr) || !v.have.has(sMasterProto) {
		return
	}
	m := ctnetlink.Tuple{Has: ctnetlink.FieldAddrs | ctnetlink.FieldProto, Proto: ctnetlink.Protocol(v.u8(sMasterProto))}
	m.Src, m.Dst = v.pair(sMasterAddr)
	if v.have.has(sMasterPort) {
		m.SrcPort, m.DstPort = v.ports(sMasterPort)
		m.Has |= ctnetlink.FieldPorts
	}
	s.SetMaster(m)
}
