package wire

import (
	"bytes"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// Merge appends to dst the object that a received payload makes of before: what the
// payload does not tell is taken from before, which may be nil and does not overlap dst.
// The object has each attribute once and in order; attributes of other protocols than
// the entry's are left out. An error is a Damage, with dst unchanged: a payload that is
// malformed, or without what names an entry: addresses, protocol and, for the protocols
// that have them, ports or ICMP's type, code and id.
//
// A payload that is an Object is taken in full, ours included. t says whether it is
// about a connection or an expectation; before is of the same key.
func Merge(dst []byte, t Type, before Object, payload []byte) (Object, error) {
	var told view
	if t.Expect() {
		if !told.parse(payload, expectPlaces) || !told.namesExpect() {
			return dst, BadPayload
		}
		told.keep(told.ofExpect())
		if before != nil && !before.Expect() {
			before = nil
		}
		const named = 1<<xPort | 1<<xMasterPort | 1<<xMaskPort | 1<<xZone
		mask := ^set(named)
		mask = mask.withoutNames(told.have, 1<<xHelper|1<<xLongHelper)
		mask = mask.withoutNames(told.have, 1<<xFn|1<<xLongFn)
		return told.merge(dst, expectAttrs[:], expectPlaces, before, mask), nil
	}
	if !told.parse(payload, connPlaces) || !told.namesConn() {
		return dst, BadPayload
	}
	told.keep(told.ofConn())
	if before != nil && before.Expect() {
		before = nil
	}
	// These are not before's to tell: if they are not sent, they do not exist.
	const named = 1<<sAddr | 1<<sProto | 1<<sPort | 1<<sICMPType | 1<<sICMPCode | 1<<sICMPID | 1<<sZone | 1<<sZones
	mask := (told.ofProto() &^ named).withoutNames(told.have, 1<<sHelper|1<<sLongHelper)
	return told.merge(dst, connAttrs[:], connPlaces, before, mask), nil
}

// withoutNames returns s without the places of a name if have has one of them.
func (s set) withoutNames(have, names set) set {
	if have&names != 0 {
		return s &^ names
	}
	return s
}

// keep drops the attributes that are not in s.
func (v *view) keep(s set) {
	if v.have&^s != 0 {
		v.have, v.plain = v.have&s, false
	}
}

// merge appends the attributes of v, and those of before, of the places in mask, that v
// does not have.
func (v *view) merge(dst []byte, attrs []attr, p *[lastOurs + 1]place, before Object, mask set) Object {
	more := havings(before, p) & mask &^ v.have
	if more == 0 {
		if v.plain {
			return append(dst, v.b...)
		}
		return mergeAttrs(dst, attrs, v, v)
	}
	var old view
	old.parse(before, p)
	old.have &= mask
	return mergeAttrs(dst, attrs, v, &old)
}

// mergeAttrs appends the attributes of told, and of old where told has none.
func mergeAttrs(dst []byte, attrs []attr, told, old *view) Object {
	all := told.have | old.have
	for slot := range attrs {
		if !all.has(slot) {
			continue
		}
		from := told
		if !told.have.has(slot) {
			from = old
		}
		a, v := &attrs[slot], from.value(slot)
		num := a.num
		if a.num6 != 0 && len(v) == int(a.len6) {
			num = a.num6
		}
		dst = appendAttr(dst, num, v)
	}
	return dst
}

// The attributes that only some protocols have.
const (
	ofTCP   set = 1<<sTCPState | 1<<sWScaleOrig | 1<<sWScaleReply
	ofSCTP  set = 1<<sSCTPState | 1<<sVTagOrig | 1<<sVTagReply
	ofDCCP  set = 1<<sDCCPState | 1<<sDCCPRole
	ofICMP  set = 1<<sICMPType | 1<<sICMPCode | 1<<sICMPID | 1<<sReplyID
	ofPorts set = 1<<sPort | 1<<sSPAT | 1<<sDPAT
	ofKeys  set = 1 << sPorts
	ofAny   set = 1<<nConn - 1 - (ofTCP | ofSCTP | ofDCCP | ofICMP | ofPorts | ofKeys)
)

// ofProto returns the attributes that an entry of the told protocol may have.
func (v *view) ofProto() set {
	switch ctnetlink.Protocol(v.u8(sProto)) {
	case ctnetlink.ProtoTCP:
		return ofAny | ofTCP | ofPorts
	case ctnetlink.ProtoUDP:
		return ofAny | ofPorts
	case ctnetlink.ProtoSCTP:
		return ofAny | ofSCTP | ofPorts
	case ctnetlink.ProtoDCCP:
		return ofAny | ofDCCP | ofPorts
	case ctnetlink.ProtoICMP, ctnetlink.ProtoICMPv6:
		return ofAny | ofICMP
	case ctnetlink.ProtoGRE, ctnetlink.ProtoUDPLite:
		return ofAny | ofKeys
	}
	return ofAny
}

// hasClassicPorts reports whether conntrack-tools sends the ports of a protocol.
func hasClassicPorts(p uint8) bool {
	switch ctnetlink.Protocol(p) {
	case ctnetlink.ProtoTCP, ctnetlink.ProtoUDP, ctnetlink.ProtoSCTP, ctnetlink.ProtoDCCP:
		return true
	}
	return false
}

// namesConn reports whether the attributes name a connection, and are of one family.
func (v *view) namesConn() bool {
	need := setOf(sAddr, sProto)
	if v.have&need != need {
		return false
	}
	p := v.u8(sProto)
	switch {
	case hasClassicPorts(p):
		need |= setOf(sPort)
	case ctnetlink.Protocol(p) == ctnetlink.ProtoICMP, ctnetlink.Protocol(p) == ctnetlink.ProtoICMPv6:
		need |= setOf(sICMPType, sICMPCode, sICMPID)
	}
	return v.have&need == need
}

// ofConn returns which attributes of a received connection are kept, and cuts and
// completes their values.
func (v *view) ofConn() set {
	keep := v.ofProto()
	ip6 := len(v.value(sAddr)) == 32
	for _, slot := range [...]int{sSNAT, sDNAT, sMasterAddr} {
		if v.have.has(slot) && len(v.value(slot)) >= 16 != ip6 {
			keep &^= setOf(slot)
		}
	}
	if !v.have.has(sStatus) {
		v.add(sStatus, "\x00\x00\x00\x00")
	}
	for _, slot := range [...]int{sSPAT, sDPAT, sZone} {
		if v.have.has(slot) && v.u16(slot) == 0 {
			keep &^= setOf(slot)
		}
	}
	if v.have.has(sZones) {
		keep &^= setOf(sZone)
		if v.u32(sZones) == 0 {
			keep &^= setOf(sZones)
		}
	}
	if v.have.has(sLabels) {
		s := &v.at[sLabels]
		if n := s.end - s.off; n == 0 || n%4 != 0 {
			keep &^= setOf(sLabels)
		} else if n > keptLabels {
			s.end, v.plain = s.off+keptLabels, false
		}
	}
	v.name(sHelper, sLongHelper, maxHelper)
	return keep
}

// add adds an attribute that was not received.
func (v *view) add(slot int, value string) {
	n := len(v.b)
	v.plain = false
	// The copy keeps what lies behind a received payload from being overwritten.
	v.b = append(v.b[:n:n], value...)
	v.at[slot] = span{uint16(n), uint16(len(v.b))}
	v.have |= 1 << slot
}

// name ends the name of a helper or function with one NUL, and puts it in the place for
// long names if it is longer than limit then. An empty one is dropped.
func (v *view) name(short, long, limit int) {
	from := short
	if v.have.has(long) {
		from = long
	}
	if !v.have.has(from) {
		return
	}
	b := v.value(from)
	end := bytes.IndexByte(b, 0)
	if end > 0 && end == len(b)-1 && v.have&setOf(short, long) == setOf(from) && from == long == (len(b) > limit) {
		return
	}
	v.have &^= setOf(short, long)
	v.plain = false
	switch {
	case len(b) == 0 || end == 0:
		return
	case end < 0:
		v.add(from, string(b)+"\x00")
	default:
		v.at[from].end = v.at[from].off + uint16(end) + 1
	}
	s, to := v.at[from], short
	if int(s.end-s.off) > limit {
		to = long
	}
	v.have &^= setOf(from)
	v.have |= setOf(to)
	v.at[to] = s
}
