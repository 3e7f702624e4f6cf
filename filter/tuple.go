package filter

import (
	"net/netip"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/internal/wire"
)

// Tuple is a set of criteria on the tuple of one direction. The zero Tuple has
// none.
type Tuple struct {
	// has names the fields with a criterion, so that Match does not look at
	// the others.
	has      ctnetlink.Fields
	src, dst Address
	numbers  [indexes]Set
}

// Address is a criterion on an address. Without a valid Addr and without In it is
// no criterion.
type Address struct {
	Addr netip.Addr
	// Mask, when valid, has the bits set that are compared. It may have holes.
	Mask netip.Addr
	// In, when not nil, are the addresses that match; Addr and Mask do not count.
	In AddrSet
	// Not reverses the criterion.
	Not bool
}

// given reports whether there is a criterion.
func (a *Address) given() bool { return a.In != nil || a.Addr.IsValid() }

// SetAddr sets the criterion on FieldSrc or FieldDst, in place of an earlier
// one; an Address that is no criterion removes it.
func (w *Tuple) SetAddr(field ctnetlink.Fields, a Address) {
	if a.In != nil {
		a.Addr, a.Mask = netip.Addr{}, netip.Addr{}
	}
	switch field {
	case ctnetlink.FieldSrc:
		w.src = a
	case ctnetlink.FieldDst:
		w.dst = a
	default:
		return
	}
	w.has &^= field
	if a.given() {
		w.has |= field
	}
}

// Addr returns the criterion on FieldSrc or FieldDst.
func (w *Tuple) Addr(field ctnetlink.Fields) Address {
	switch field {
	case ctnetlink.FieldSrc:
		return w.src
	case ctnetlink.FieldDst:
		return w.dst
	}
	return Address{}
}

// The places of the numbers of a tuple.
const (
	indexZone = iota
	indexProto
	indexSrcPort
	indexDstPort
	indexICMPType
	indexICMPCode
	indexICMPID
	indexes
)

// numberIndex returns the place of a field's number; -1 if field is not a
// single field with a number.
func numberIndex(field ctnetlink.Fields) int {
	switch field {
	case ctnetlink.FieldZone:
		return indexZone
	case ctnetlink.FieldProto:
		return indexProto
	case ctnetlink.FieldSrcPort:
		return indexSrcPort
	case ctnetlink.FieldDstPort:
		return indexDstPort
	case ctnetlink.FieldICMPType:
		return indexICMPType
	case ctnetlink.FieldICMPCode:
		return indexICMPCode
	case ctnetlink.FieldICMPID:
		return indexICMPID
	}
	return -1
}

// SetNumber sets the criterion on FieldProto, FieldSrcPort, FieldDstPort,
// FieldICMPType, FieldICMPCode, FieldICMPID or FieldZone, in place of an
// earlier one; a nil Set removes it.
func (w *Tuple) SetNumber(field ctnetlink.Fields, s Set) {
	i := numberIndex(field)
	if i < 0 {
		return
	}
	w.numbers[i] = s
	w.has &^= field
	if s != nil {
		w.has |= field
	}
}

// Number returns the criterion on a field with a number; nil when there is
// none.
func (w *Tuple) Number(field ctnetlink.Fields) Set {
	if i := numberIndex(field); i >= 0 {
		return w.numbers[i]
	}
	return nil
}

// Add makes every field that t.Has names a criterion, in place of earlier ones
// on the same fields.
func (w *Tuple) Add(t *ctnetlink.Tuple) {
	for h := t.Has; h != 0; h &= h - 1 {
		switch field := h & -h; field {
		case ctnetlink.FieldSrc:
			w.SetAddr(field, Address{Addr: t.Src})
		case ctnetlink.FieldDst:
			w.SetAddr(field, Address{Addr: t.Dst})
		default:
			w.SetNumber(field, Values(number(t, field)))
		}
	}
}

func (w *Tuple) match(t *ctnetlink.Tuple) bool {
	// A zone that was not sent is 0, every other field must be there.
	if missing := w.has &^ t.Has; missing&^ctnetlink.FieldZone != 0 {
		return false
	}
	for h := w.has; h != 0; h &= h - 1 {
		var same bool
		switch h & -h {
		case ctnetlink.FieldProto:
			same = w.numbers[indexProto].Contains(uint32(t.Proto))
		case ctnetlink.FieldSrc:
			same = w.src.equal(t.Src) != w.src.Not
		case ctnetlink.FieldDst:
			same = w.dst.equal(t.Dst) != w.dst.Not
		case ctnetlink.FieldSrcPort:
			same = w.numbers[indexSrcPort].Contains(uint32(t.SrcPort))
		case ctnetlink.FieldDstPort:
			same = w.numbers[indexDstPort].Contains(uint32(t.DstPort))
		case ctnetlink.FieldICMPType:
			same = w.numbers[indexICMPType].Contains(uint32(t.ICMPType))
		case ctnetlink.FieldICMPCode:
			same = w.numbers[indexICMPCode].Contains(uint32(t.ICMPCode))
		case ctnetlink.FieldICMPID:
			same = w.numbers[indexICMPID].Contains(uint32(t.ICMPID))
		case ctnetlink.FieldZone:
			same = w.numbers[indexZone].Contains(uint32(t.Zone))
		}
		if !same {
			return false
		}
	}
	return true
}

// number returns the value of a field with a number.
func number(t *ctnetlink.Tuple, field ctnetlink.Fields) uint32 {
	switch field {
	case ctnetlink.FieldProto:
		return uint32(t.Proto)
	case ctnetlink.FieldSrcPort:
		return uint32(t.SrcPort)
	case ctnetlink.FieldDstPort:
		return uint32(t.DstPort)
	case ctnetlink.FieldICMPType:
		return uint32(t.ICMPType)
	case ctnetlink.FieldICMPCode:
		return uint32(t.ICMPCode)
	case ctnetlink.FieldICMPID:
		return uint32(t.ICMPID)
	}
	return uint32(t.Zone)
}

// equal reports whether b is the address, regardless of Not.
func (a *Address) equal(b netip.Addr) bool {
	if a.In != nil {
		return a.In.Contains(b)
	}
	return wire.SameAddr(a.Addr, b, a.Mask)
}

// anyHost reports whether one of the four ends of an entry has an address of Host
// and a port of HostPort, regardless of Not.
func (m *Filter) anyHost(orig, reply *ctnetlink.Tuple) bool {
	either := func(t *ctnetlink.Tuple) bool {
		return t.Has&ctnetlink.FieldSrc != 0 && m.Host.equal(t.Src) && m.hostPort(t, ctnetlink.FieldSrcPort, t.SrcPort) ||
			t.Has&ctnetlink.FieldDst != 0 && m.Host.equal(t.Dst) && m.hostPort(t, ctnetlink.FieldDstPort, t.DstPort)
	}
	return either(orig) || either(reply)
}

// hostPort reports whether HostPort contains the port of a tuple that is in field.
func (m *Filter) hostPort(t *ctnetlink.Tuple, field ctnetlink.Fields, port uint16) bool {
	return m.HostPort == nil || t.Has&field != 0 && m.HostPort.Contains(uint32(port))
}
