package wire

import (
	"encoding/binary"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// The places of a connection's attributes in an Object, in their order. IPv4 and IPv6
// addresses, which have numbers of their own, share a place.
const (
	sAddr = iota
	sStatus
	sProto
	sPort
	sTCPState
	sWScaleOrig
	sWScaleReply
	sSCTPState
	sVTagOrig
	sVTagReply
	sDCCPState
	sDCCPRole
	sICMPType
	sICMPCode
	sICMPID
	sTimeout
	sMark
	sMasterAddr
	sMasterProto
	sMasterPort
	sSNAT
	sDNAT
	sSPAT
	sDPAT
	sSeqAdj
	sHelper
	sLabels
	sSynproxy
	sZone
	sPorts // the first of ours
	sZones
	sReplyID
	sLongHelper
	nConn
)

// The places of an expectation's attributes.
const (
	xMasterAddr = iota
	xMasterProto
	xMasterPort
	xAddr
	xProto
	xPort
	xMaskAddr
	xMaskProto
	xMaskPort
	xTimeout
	xFlags
	xClass
	xNATAddr
	xNATProto
	xNATPort
	xNATDir
	xHelper
	xFn
	xLongHelper // the first of ours
	xLongFn
	xNATAddr6
	xZone
	nExpect
)

// slots is how many places there are at most.
const slots = nConn

// firstOurs is the first number that conntrack-tools does not know, lastOurs the last of
// those that a receiver passes over if it does not know them.
const (
	firstOurs = 64
	lastOurs  = 127
)

// attr is an attribute: its number, that of its IPv6 form, and the value's length in
// bytes, of that and of the IPv6 form. A length of 0 is not fixed.
type attr struct {
	num, num6 uint8
	len, len6 uint8
}

var connAttrs = [nConn]attr{
	sAddr: {0, 1, 8, 32}, sStatus: {num: 5, len: 4}, sProto: {num: 2, len: 1}, sPort: {num: 3, len: 4},
	sTCPState: {num: 4, len: 1}, sWScaleOrig: {num: 25, len: 1}, sWScaleReply: {num: 26, len: 1},
	sSCTPState: {num: 17, len: 1}, sVTagOrig: {num: 18, len: 4}, sVTagReply: {num: 19, len: 4},
	sDCCPState: {num: 20, len: 1}, sDCCPRole: {num: 21, len: 1},
	sICMPType: {num: 22, len: 1}, sICMPCode: {num: 23, len: 1}, sICMPID: {num: 24, len: 2},
	sTimeout: {num: 6, len: 4}, sMark: {num: 7, len: 4},
	sMasterAddr: {8, 9, 8, 32}, sMasterProto: {num: 10, len: 1}, sMasterPort: {num: 11, len: 4},
	sSNAT: {12, 29, 4, 16}, sDNAT: {13, 30, 4, 16}, sSPAT: {num: 14, len: 2}, sDPAT: {num: 15, len: 2},
	sSeqAdj: {num: 16, len: 24}, sHelper: {num: 27}, sLabels: {num: 28}, sSynproxy: {num: 31, len: 12},
	sZone: {num: 32, len: 2},

	sPorts: {num: 64, len: 8}, sZones: {num: 65, len: 4}, sReplyID: {num: 66, len: 2}, sLongHelper: {num: 67},
}

var expectAttrs = [nExpect]attr{
	xMasterAddr: {0, 1, 8, 32}, xMasterProto: {num: 2, len: 1}, xMasterPort: {num: 3, len: 4},
	xAddr: {4, 5, 8, 32}, xProto: {num: 6, len: 1}, xPort: {num: 7, len: 4},
	xMaskAddr: {8, 9, 8, 32}, xMaskProto: {num: 10, len: 1}, xMaskPort: {num: 11, len: 4},
	xTimeout: {num: 12, len: 4}, xFlags: {num: 13, len: 4}, xClass: {num: 14, len: 4},
	xNATAddr: {num: 15, len: 8}, xNATProto: {num: 17, len: 1}, xNATPort: {num: 16, len: 4},
	xNATDir: {num: 18, len: 4}, xHelper: {num: 19}, xFn: {num: 20},

	xLongHelper: {num: 67}, xLongFn: {num: 68}, xNATAddr6: {num: 69, len: 32}, xZone: {num: 70, len: 2},
}

// The greatest lengths of values that have no fixed one. conntrack-tools refuses a
// message with longer ones; the kernel's names have at most 15 and 31 bytes and a NUL.
const (
	maxHelper     = 12
	maxFn         = 28
	maxLongHelper = 16
	maxLongFn     = 64
	maxLabels     = 1024
	// keptLabels is as much of LABELS as the kernel has room for.
	keptLabels = ctnetlink.MaxLabels / 8
)

// place is where the attribute of a number belongs, and the length that it must have;
// for one whose length is not fixed, that which it may have.
type place struct {
	slot  int8 // -1: unknown
	fixed bool
	len   uint16
}

var connPlaces, expectPlaces = places(connAttrs[:]), places(expectAttrs[:])

func places(attrs []attr) *[lastOurs + 1]place {
	p := new([lastOurs + 1]place)
	for i := range p {
		p[i].slot = -1
	}
	for s, a := range attrs {
		p[a.num] = place{int8(s), a.len != 0, uint16(a.len)}
		if a.num6 != 0 {
			p[a.num6] = place{int8(s), true, uint16(a.len6)}
		}
	}
	return p
}

func init() {
	connPlaces[connAttrs[sHelper].num].len = maxHelper
	connPlaces[connAttrs[sLabels].num].len = maxLabels
	connPlaces[connAttrs[sLongHelper].num].len = maxLongHelper
	expectPlaces[expectAttrs[xHelper].num].len = maxHelper
	expectPlaces[expectAttrs[xFn].num].len = maxFn
	expectPlaces[expectAttrs[xLongHelper].num].len = maxLongHelper
	expectPlaces[expectAttrs[xLongFn].num].len = maxLongFn
}

// set is a set of places.
type set uint64

func (s set) has(slot int) bool { return s>>slot&1 != 0 }

func setOf(slots ...int) (s set) {
	for _, n := range slots {
		s |= 1 << n
	}
	return s
}

// view is where attributes lie in b.
type view struct {
	b    []byte
	have set
	// plain reports whether b is as an object is: each attribute once, in order and with
	// padding of zeros. What changes an attribute makes it false.
	plain bool
	at    [slots]span
}

// span is where a value lies.
type span struct{ off, end uint16 }

// value returns the value of an attribute that is there.
func (v *view) value(slot int) []byte {
	s := v.at[slot]
	return v.b[s.off:s.end:s.end]
}

func (v *view) u8(slot int) uint8   { return v.b[v.at[slot].off] }
func (v *view) u16(slot int) uint16 { return binary.BigEndian.Uint16(v.value(slot)) }
func (v *view) u32(slot int) uint32 { return binary.BigEndian.Uint32(v.value(slot)) }

// parse notes where the attributes of a payload are. It reports whether each is known
// and as long as it must be; of one that is there twice the last counts, and at most 4
// bytes at the end may be left over, as with conntrack-tools.
func (v *view) parse(b []byte, p *[lastOurs + 1]place) bool {
	if len(b) > 0xffff {
		return false
	}
	v.b, v.have, v.plain = b, 0, true
	i, last := 0, int8(-1)
	for len(b)-i > 4 {
		n := int(b[i])<<8 | int(b[i+1])
		num := int(b[i+2])<<8 | int(b[i+3])
		if n < 4 || n > len(b)-i || num > lastOurs {
			return false
		}
		a := p[num]
		switch {
		case a.slot >= 0:
			if n-4 != int(a.len) && (a.fixed || n-4 > int(a.len)) {
				return false
			}
			v.at[a.slot&63] = span{uint16(i + 4), uint16(i + n)}
			v.have |= 1 << (a.slot & 63)
			v.plain = v.plain && a.slot > last && n > 4
			last = a.slot
		case num < firstOurs:
			return false
		default:
			v.plain = false
		}
		end := i + n
		i += (n + 3) &^ 3
		for ; end < i && v.plain; end++ {
			v.plain = end < len(b) && b[end] == 0
		}
	}
	v.plain = v.plain && i == len(b)
	return true
}

// havings returns which attributes an object has.
func havings(o Object, p *[lastOurs + 1]place) (have set) {
	for i := 0; ; {
		num, _, end := o.next(i)
		if end == 0 {
			return have
		}
		if num <= lastOurs && p[num].slot >= 0 {
			have |= 1 << (p[num].slot & 63)
		}
		i = end
	}
}
