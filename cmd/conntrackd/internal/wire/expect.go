package wire

import (
	"encoding/binary"
	"net/netip"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// AppendExpect is AppendFlow for an expectation. One that the table told tells all but
// its translation, class and function where it has none: before is used for nothing
// that the message has.
func AppendExpect(dst []byte, e *ctnetlink.Expect, before Object) (Object, error) {
	m, t, k := e.Master(), e.Tuple(), e.Mask()
	for _, x := range [...]*ctnetlink.Tuple{m, t, k} {
		const need = ctnetlink.FieldAddrs | ctnetlink.FieldProto
		if x.Has&need != need || x.Src.Is4() != x.Dst.Is4() || x.Src.Is4() != t.Src.Is4() {
			return dst, ErrNoTuple
		}
	}
	var old view
	if len(before) > 0 {
		old.parse(before, expectPlaces)
	}
	dst = appendTuple(dst, 0, m)
	dst = appendTuple(dst, 4, t)
	dst = appendTuple(dst, 8, k)
	if d, ok := e.Timeout(); ok {
		dst = append32(dst, 12, uint32(d/time.Second))
	} else {
		dst = old.copyExpect(dst, xTimeout)
	}
	if v, ok := e.Flags(); ok {
		dst = append32(dst, 13, uint32(v))
	} else {
		dst = old.copyExpect(dst, xFlags)
	}
	if v, ok := e.Class(); ok {
		dst = append32(dst, 14, v)
	} else {
		dst = old.copyExpect(dst, xClass)
	}
	nat, hasNAT := e.NAT()
	addr4 := nat.Tuple.Src.Is4()
	if hasNAT {
		if addr4 {
			dst = appendAddrs(dst, 15, 0, nat.Tuple.Src, orZero(nat.Tuple.Dst, true))
		}
		dst = append8(dst, 17, uint8(nat.Tuple.Proto))
		dst = append(dst, 0, 8, 0, 16)
		dst = binary.BigEndian.AppendUint16(dst, nat.Tuple.SrcPort)
		dst = binary.BigEndian.AppendUint16(dst, nat.Tuple.DstPort)
		dst = append32(dst, 18, uint32(b2i(nat.Reply)))
	} else {
		for slot := xNATAddr; slot <= xNATDir; slot++ {
			dst = old.copyExpect(dst, slot)
		}
	}
	helper, hasHelper := e.Helper()
	fn, hasFn := e.Fn()
	if n := len(helper); n > 0 && n < maxHelper {
		dst = appendName(dst, 19, helper)
	} else if !hasHelper {
		dst = old.copyExpect(dst, xHelper)
	}
	if n := len(fn); n > 0 && n < maxFn {
		dst = appendName(dst, 20, fn)
	} else if !hasFn {
		dst = old.copyExpect(dst, xFn)
	}
	if n := len(helper); n >= maxHelper && n < maxLongHelper {
		dst = appendName(dst, 67, helper)
	} else if !hasHelper {
		dst = old.copyExpect(dst, xLongHelper)
	}
	if n := len(fn); n >= maxFn && n < maxLongFn {
		dst = appendName(dst, 68, fn)
	} else if !hasFn {
		dst = old.copyExpect(dst, xLongFn)
	}
	if !hasNAT {
		dst = old.copyExpect(dst, xNATAddr6)
	} else if nat.Tuple.Src.Is6() {
		dst = appendAddrs(dst, 0, 69, nat.Tuple.Src, orZero(nat.Tuple.Dst, false))
	}
	if z, ok := e.Zone(); ok && z != 0 {
		dst = append16(dst, numExpZone, z)
	}
	return dst, nil
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// orZero returns a, or the zero address of a family if a is of another.
func orZero(a netip.Addr, v4 bool) netip.Addr {
	switch {
	case v4 && !a.Is4():
		return netip.IPv4Unspecified()
	case !v4 && !a.Is6():
		return netip.IPv6Unspecified()
	}
	return a
}

// appendTuple appends a tuple under the numbers from num on.
func appendTuple(dst []byte, num uint8, t *ctnetlink.Tuple) []byte {
	dst = appendAddrs(dst, num, num+1, t.Src, t.Dst)
	dst = append8(dst, num+2, uint8(t.Proto))
	if t.Has&ctnetlink.FieldPorts != 0 {
		dst = append(dst, 0, 8, 0, num+3, byte(t.SrcPort>>8), byte(t.SrcPort), byte(t.DstPort>>8), byte(t.DstPort))
	}
	return dst
}

// copyExpect is copy for an expectation.
func (v *view) copyExpect(dst []byte, slot int) []byte {
	if !v.have.has(slot) {
		return dst
	}
	return appendAttr(dst, expectAttrs[slot].num, v.value(slot))
}

// namesExpect reports whether the attributes name an expectation: its master, what is
// expected and the mask, of one family.
func (v *view) namesExpect() bool {
	need := setOf(xMasterAddr, xMasterProto, xAddr, xProto, xMaskAddr, xMaskProto)
	if v.have&need != need {
		return false
	}
	if hasClassicPorts(v.u8(xProto)) {
		need |= setOf(xPort)
	}
	n := len(v.value(xAddr))
	return v.have&need == need && len(v.value(xMasterAddr)) == n && len(v.value(xMaskAddr)) == n
}

// ofExpect returns which attributes of a received expectation are kept, and completes
// their values.
func (v *view) ofExpect() set {
	keep := ^set(0)
	ip6 := len(v.value(xAddr)) == 32
	if ip6 {
		keep &^= setOf(xNATAddr)
	} else {
		keep &^= setOf(xNATAddr6)
	}
	if v.have.has(xZone) && v.u16(xZone) == 0 {
		keep &^= setOf(xZone)
	}
	v.name(xHelper, xLongHelper, maxHelper)
	v.name(xFn, xLongFn, maxFn)
	return keep
}

// ExpectSpec is Spec for an expectation. A NAT tuple of zeros, which the kernel tells of
// an expectation without translation, is left out.
func (o Object) ExpectSpec(s *ctnetlink.ExpectSpec) error {
	*s = ctnetlink.ExpectSpec{}
	var v view
	if !v.parse(o, expectPlaces) || !v.namesExpect() {
		return BadPayload
	}
	s.Master = v.tuple(xMasterAddr)
	s.Tuple = v.tuple(xAddr)
	s.Mask = v.tuple(xMaskAddr)
	s.Family = s.Tuple.Family()
	if v.have.has(xTimeout) {
		s.SetTimeout(time.Duration(v.u32(xTimeout)) * time.Second)
	}
	if v.have.has(xFlags) {
		s.Flags = ctnetlink.ExpectFlags(v.u32(xFlags))
	}
	if v.have.has(xClass) {
		s.Class = v.u32(xClass)
	}
	if v.have.has(xZone) {
		s.SetZone(v.u16(xZone))
	}
	b, _ := v.text(xHelper, xLongHelper)
	s.Helper = string(b)
	b, _ = v.text(xFn, xLongFn)
	s.Fn = string(b)
	v.expectNAT(s)
	return nil
}

// tuple returns the tuple whose addresses are in a place.
func (v *view) tuple(slot int) (t ctnetlink.Tuple) {
	t.Src, t.Dst = v.pair(slot)
	t.Proto, t.Has = ctnetlink.Protocol(v.u8(slot+1)), ctnetlink.FieldAddrs|ctnetlink.FieldProto
	if v.have.has(slot + 2) {
		t.SrcPort, t.DstPort = v.ports(slot + 2)
		t.Has |= ctnetlink.FieldPorts
	}
	return t
}

// expectNAT sets the translation.
func (v *view) expectNAT(s *ctnetlink.ExpectSpec) {
	var t ctnetlink.Tuple
	switch {
	case v.have.has(xNATAddr6):
		t.Src, t.Dst = v.pair(xNATAddr6)
	case v.have.has(xNATAddr):
		t.Src, t.Dst = v.pair(xNATAddr)
	default:
		return
	}
	if v.have.has(xNATPort) {
		t.SrcPort, t.DstPort = v.ports(xNATPort)
		t.Has |= ctnetlink.FieldPorts
	}
	if t.Src.IsUnspecified() && t.SrcPort == 0 {
		return
	}
	t.Has |= ctnetlink.FieldAddrs | ctnetlink.FieldProto
	t.Proto = s.Tuple.Proto
	if v.have.has(xNATProto) && v.u8(xNATProto) != 0 {
		t.Proto = ctnetlink.Protocol(v.u8(xNATProto))
	}
	s.NAT = ctnetlink.ExpectNAT{Tuple: t}
	s.NAT.Reply = v.have.has(xNATDir) && v.u32(xNATDir) != 0
}
