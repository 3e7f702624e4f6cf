package wire

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// ErrNoTuple is the error about an entry that lacks addresses or a protocol.
var ErrNoTuple = errors.New("wire: an entry without a tuple")

// Options are what the configuration says about objects.
type Options uint8

// The options.
const (
	// WindowTracking has objects tell the window scales of TCP.
	WindowTracking Options = 1 << iota
	// NoTimeout has them not tell the timeout.
	NoTimeout
)

// AppendFlow appends the object of an entry with the default options.
func AppendFlow(dst []byte, f *ctnetlink.Flow, before Object) (Object, error) {
	return Options(0).AppendFlow(dst, f, before)
}

// AppendFlow appends the object of an entry that the table told. Attributes that the
// message lacks are those of before, if that is not nil (events do not tell all); before
// is the object of the same entry and does not overlap dst. The error is ErrNoTuple,
// with dst unchanged.
func (opt Options) AppendFlow(dst []byte, f *ctnetlink.Flow, before Object) (Object, error) {
	o := f.Orig()
	const need = ctnetlink.FieldAddrs | ctnetlink.FieldProto
	if o.Has&need != need || o.Src.Is4() != o.Dst.Is4() {
		return dst, ErrNoTuple
	}
	var old view
	if len(before) > 0 {
		old.parse(before, connPlaces)
	}
	dst = appendAddrs(dst, 0, 1, o.Src, o.Dst)
	status, ok := f.Status()
	if !ok && old.have.has(sStatus) {
		status = ctnetlink.Status(old.u32(sStatus))
	}
	dst = append32(dst, numStatus, uint32(status))
	dst = append8(dst, numProto, uint8(o.Proto))
	if hasClassicPorts(uint8(o.Proto)) {
		dst = append(dst, 0, 8, 0, numPort, byte(o.SrcPort>>8), byte(o.SrcPort), byte(o.DstPort>>8), byte(o.DstPort))
	}
	dst = opt.appendInfo(dst, f, &old)
	if o.Proto == ctnetlink.ProtoICMP || o.Proto == ctnetlink.ProtoICMPv6 {
		dst = append8(dst, 22, o.ICMPType)
		dst = append8(dst, 23, o.ICMPCode)
		dst = append16LE(dst, numICMPID, o.ICMPID)
	}
	if opt&NoTimeout == 0 {
		if t, ok := f.Timeout(); ok {
			dst = append32(dst, 6, uint32(t/time.Second))
		} else {
			dst = old.copy(dst, sTimeout)
		}
	}
	if v, ok := f.Mark(); ok {
		dst = append32(dst, 7, v)
	} else {
		dst = old.copy(dst, sMark)
	}
	dst = appendMaster(dst, f, &old)
	dst = appendNAT(dst, f, status, &old)
	dst = appendAdjust(dst, f, &old)
	helper, hasHelper := f.Helper()
	if n := len(helper); n > 0 && n < maxHelper {
		dst = appendName(dst, 27, helper)
	} else if !hasHelper {
		dst = old.copy(dst, sHelper)
	}
	dst = appendLabels(dst, f, &old)
	if s, ok := f.Synproxy(); ok {
		dst = append(dst, 0, 16, 0, 31)
		dst = binary.BigEndian.AppendUint32(dst, s.ITS)
		dst = binary.BigEndian.AppendUint32(dst, s.ISN)
		dst = binary.BigEndian.AppendUint32(dst, s.TSOff)
	} else {
		dst = old.copy(dst, sSynproxy)
	}
	if z, ok := f.Zone(); ok && z != 0 {
		dst = append16(dst, numZone, z)
	}
	dst = appendOurs(dst, f, &old)
	if n := len(helper); n >= maxHelper && n < maxLongHelper {
		dst = appendName(dst, 67, helper)
	} else if !hasHelper {
		dst = old.copy(dst, sLongHelper)
	}
	return dst, nil
}

// copy appends an attribute of v, if it is there.
func (v *view) copy(dst []byte, slot int) []byte {
	if !v.have.has(slot) {
		return dst
	}
	val := v.value(slot)
	num := connAttrs[slot].num
	if n6 := connAttrs[slot].num6; n6 != 0 && len(val) == int(connAttrs[slot].len6) {
		num = n6
	}
	return appendAttr(dst, num, val)
}

// appendAddrs appends a pair of addresses under the number of their family.
func appendAddrs(dst []byte, num4, num6 uint8, src, dest netip.Addr) []byte {
	if src.Is4() {
		s, d := src.As4(), dest.As4()
		return append(dst, 0, 12, 0, num4, s[0], s[1], s[2], s[3], d[0], d[1], d[2], d[3])
	}
	s, d := src.As16(), dest.As16()
	dst = append(dst, 0, 36, 0, num6)
	dst = append(dst, s[:]...)
	return append(dst, d[:]...)
}

// appendAddr appends an address under the number of its family.
func appendAddr(dst []byte, num4, num6 uint8, addr netip.Addr) []byte {
	if addr.Is4() {
		a := addr.As4()
		return append(dst, 0, 8, 0, num4, a[0], a[1], a[2], a[3])
	}
	a := addr.As16()
	dst = append(dst, 0, 20, 0, num6)
	return append(dst, a[:]...)
}

// appendName appends a name with its NUL.
func appendName(dst []byte, num uint8, name []byte) []byte {
	n := len(name) + 1
	dst = append(dst, 0, byte(4+n), 0, num)
	dst = append(dst, name...)
	for i := 0; i < 1+(4-n&3)&3; i++ {
		dst = append(dst, 0)
	}
	return dst
}

// appendInfo appends the state of the protocol.
func (opt Options) appendInfo(dst []byte, f *ctnetlink.Flow, old *view) []byte {
	p, _ := f.ProtoInfo()
	has := func(proto ctnetlink.Protocol, field ctnetlink.InfoFields) bool {
		return p.Proto == proto && p.Has&field != 0
	}
	switch f.Orig().Proto {
	case ctnetlink.ProtoTCP:
		if has(ctnetlink.ProtoTCP, ctnetlink.InfoState) {
			dst = append8(dst, 4, p.State.Number())
		} else {
			dst = old.copy(dst, sTCPState)
		}
		if opt&WindowTracking == 0 {
			break
		}
		for i, field := range [...]ctnetlink.InfoFields{ctnetlink.InfoWScaleOrig, ctnetlink.InfoWScaleReply} {
			if has(ctnetlink.ProtoTCP, field) {
				dst = append8(dst, 25+uint8(i), p.WScale[i])
			} else {
				dst = old.copy(dst, sWScaleOrig+i)
			}
		}
	case ctnetlink.ProtoSCTP:
		if has(ctnetlink.ProtoSCTP, ctnetlink.InfoState) {
			dst = append8(dst, 17, p.State.Number())
		} else {
			dst = old.copy(dst, sSCTPState)
		}
		if has(ctnetlink.ProtoSCTP, ctnetlink.InfoVTags) {
			dst = append32(dst, 18, p.VTag[0])
			dst = append32(dst, 19, p.VTag[1])
		} else {
			dst = old.copy(old.copy(dst, sVTagOrig), sVTagReply)
		}
	case ctnetlink.ProtoDCCP:
		if has(ctnetlink.ProtoDCCP, ctnetlink.InfoState) {
			dst = append8(dst, 20, p.State.Number())
		} else {
			dst = old.copy(dst, sDCCPState)
		}
		if has(ctnetlink.ProtoDCCP, ctnetlink.InfoRole) {
			dst = append8(dst, 21, p.Role)
		} else {
			dst = old.copy(dst, sDCCPRole)
		}
	}
	return dst
}

// appendMaster appends the tuple of the connection that an entry is related to.
func appendMaster(dst []byte, f *ctnetlink.Flow, old *view) []byte {
	m, ok := f.Master()
	if !ok || m.Has&ctnetlink.FieldAddrs != ctnetlink.FieldAddrs || m.Src.Is4() != m.Dst.Is4() {
		return old.copy(old.copy(old.copy(dst, sMasterAddr), sMasterProto), sMasterPort)
	}
	dst = appendAddrs(dst, 8, 9, m.Src, m.Dst)
	dst = append8(dst, 10, uint8(m.Proto))
	if m.Has&ctnetlink.FieldPorts == ctnetlink.FieldPorts {
		dst = append(dst, 0, 8, 0, 11, byte(m.SrcPort>>8), byte(m.SrcPort), byte(m.DstPort>>8), byte(m.DstPort))
	}
	return dst
}

// appendNAT appends what the reply tuple has otherwise than the original one.
func appendNAT(dst []byte, f *ctnetlink.Flow, status ctnetlink.Status, old *view) []byte {
	o, r := f.Orig(), f.Reply()
	if r.Has&ctnetlink.FieldAddrs != ctnetlink.FieldAddrs || r.Src.Is4() != o.Src.Is4() || r.Dst.Is4() != o.Src.Is4() {
		for slot := sSNAT; slot <= sDPAT; slot++ {
			dst = old.copy(dst, slot)
		}
		return dst
	}
	src, dest := status&ctnetlink.StatusSrcNATDone != 0, status&ctnetlink.StatusDstNATDone != 0
	if src && r.Dst != o.Src {
		dst = appendAddr(dst, 12, 29, r.Dst)
	}
	if dest && r.Src != o.Dst {
		dst = appendAddr(dst, 13, 30, r.Src)
	}
	if !hasClassicPorts(uint8(o.Proto)) {
		return dst
	}
	if src && r.DstPort != o.SrcPort {
		dst = append16LE(dst, 14, r.DstPort)
	}
	if dest && r.SrcPort != o.DstPort {
		dst = append16LE(dst, 15, r.SrcPort)
	}
	return dst
}

// appendAdjust appends the sequence adjustment of both directions.
func appendAdjust(dst []byte, f *ctnetlink.Flow, old *view) []byte {
	o, hasOrig := f.SeqAdj(false)
	r, hasReply := f.SeqAdj(true)
	if !hasOrig && !hasReply {
		return old.copy(dst, sSeqAdj)
	}
	dst = append(dst, 0, 28, 0, 16)
	for _, s := range [...]ctnetlink.SeqAdj{o, r} {
		dst = binary.BigEndian.AppendUint32(dst, s.Pos)
		dst = binary.BigEndian.AppendUint32(dst, uint32(s.Before))
		dst = binary.BigEndian.AppendUint32(dst, uint32(s.After))
	}
	return dst
}

// appendLabels appends the labels, if there are any, or were: an update that takes the
// last one away must tell so.
func appendLabels(dst []byte, f *ctnetlink.Flow, old *view) []byte {
	l, ok := f.Labels()
	if !ok {
		return old.copy(dst, sLabels)
	}
	n := min(len(l)&^3, keptLabels)
	start := len(dst)
	dst = append(dst, 0, byte(4+n), 0, 28)
	any := uint32(0)
	for i := 0; i < n; i += 4 {
		w := binary.NativeEndian.Uint32(l[i:])
		any |= w
		dst = binary.BigEndian.AppendUint32(dst, w)
	}
	if n == 0 || any == 0 && !old.have.has(sLabels) {
		return dst[:start]
	}
	return dst
}

// appendOurs appends what only our own nodes know, but long names.
func appendOurs(dst []byte, f *ctnetlink.Flow, old *view) []byte {
	o, r := f.Orig(), f.Reply()
	switch o.Proto {
	case ctnetlink.ProtoGRE, ctnetlink.ProtoUDPLite:
		if r.Has&ctnetlink.FieldPorts != ctnetlink.FieldPorts && old.have.has(sPorts) {
			dst = old.copy(dst, sPorts)
		} else if o.SrcPort|o.DstPort|r.SrcPort|r.DstPort != 0 {
			dst = append(dst, 0, 12, 0, numPorts)
			for _, p := range [...]uint16{o.SrcPort, o.DstPort, r.SrcPort, r.DstPort} {
				dst = binary.BigEndian.AppendUint16(dst, p)
			}
		}
	}
	if o.Zone != 0 || r.Zone != 0 {
		dst = append(dst, 0, 8, 0, numZones, byte(o.Zone>>8), byte(o.Zone), byte(r.Zone>>8), byte(r.Zone))
	}
	if o.Proto == ctnetlink.ProtoICMP || o.Proto == ctnetlink.ProtoICMPv6 {
		if r.Has&ctnetlink.FieldICMPID == 0 {
			dst = old.copy(dst, sReplyID)
		} else if r.ICMPID != o.ICMPID {
			dst = append16(dst, 66, r.ICMPID)
		}
	}
	return dst
}
