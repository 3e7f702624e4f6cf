package wire

import (
	"encoding/binary"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// Object is an entry, or an expectation, as the payload of a message: its attributes,
// each once, in the order in which conntrack-tools sends them, then ours. It is what
// caches keep and what is sent. AppendFlow, AppendExpect and Merge make it. It is at
// most MaxObject bytes long, and a payload that Merge takes.
type Object []byte

// Key is what tells entries apart: the original tuple and the zones. It is comparable.
// That of an expectation is the tuple that is expected, and the zone.
type Key struct {
	Src, Dst            [16]byte // IPv4: the first 4 bytes
	Ports               [4]byte  // source and destination port; ICMP: type, code, id
	Keys                [4]byte  // of GRE
	IPv6                bool
	Expect              bool
	Proto               uint8
	ZoneOrig, ZoneReply uint16
}

// The numbers of attributes at whose place an object is read without a view.
const (
	numProto   = 2
	numPort    = 3
	numStatus  = 5
	numICMPID  = 24
	numZone    = 32
	numPorts   = 64
	numZones   = 65
	numExpZone = 70
)

// Expect reports whether o is an expectation. A connection's second attribute is its
// status, which it always has.
func (o Object) Expect() bool {
	if len(o) < 4 {
		return false
	}
	n := (int(o[1]) + 3) &^ 3
	return len(o) >= n+4 && binary.BigEndian.Uint16(o[n+2:]) != numStatus
}

// next returns the number and the value of the attribute at offset i, and the offset of
// that behind it, which is 0 if there is none.
func (o Object) next(i int) (num int, value []byte, end int) {
	if len(o)-i < 4 {
		return 0, nil, 0
	}
	n := int(o[i])<<8 | int(o[i+1])
	if n < 4 || n > len(o)-i {
		return 0, nil, 0
	}
	return int(o[i+2])<<8 | int(o[i+3]), o[i+4 : i+n], i + (n+3)&^3
}

// Key returns the key of an object.
func (o Object) Key() (k Key) {
	if o.Expect() {
		return o.expectKey()
	}
	for i := 0; ; {
		num, v, end := o.next(i)
		if end == 0 {
			return k
		}
		switch {
		case num <= 1:
			k.setAddrs(v)
		case num == numProto && len(v) == 1:
			k.Proto = v[0]
		case num == numPort, num == numPorts && k.Proto != byte(ctnetlink.ProtoGRE):
			copy(k.Ports[:], v)
		case num == numPorts:
			copy(k.Keys[:], v)
		case num >= 22 && num <= 23:
			copy(k.Ports[num-22:num-22+1], v)
		case num == numICMPID && len(v) == 2:
			k.Ports[2], k.Ports[3] = v[1], v[0]
		case num == numZone && len(v) == 2:
			k.ZoneOrig = binary.BigEndian.Uint16(v)
			k.ZoneReply = k.ZoneOrig
		case num == numZones && len(v) == 4:
			k.ZoneOrig, k.ZoneReply = binary.BigEndian.Uint16(v), binary.BigEndian.Uint16(v[2:])
		}
		i = end
	}
}

func (o Object) expectKey() (k Key) {
	k.Expect = true
	for i := 0; ; {
		num, v, end := o.next(i)
		if end == 0 {
			return k
		}
		switch {
		case num == 4 || num == 5:
			k.setAddrs(v)
		case num == 6 && len(v) == 1:
			k.Proto = v[0]
		case num == 7:
			copy(k.Ports[:], v)
		case num == numExpZone && len(v) == 2:
			k.ZoneOrig = binary.BigEndian.Uint16(v)
			k.ZoneReply = k.ZoneOrig
		}
		i = end
	}
}

func (k *Key) setAddrs(v []byte) {
	switch len(v) {
	case 8:
		copy(k.Src[:], v[:4])
		copy(k.Dst[:], v[4:])
	case 32:
		copy(k.Src[:], v[:16])
		copy(k.Dst[:], v[16:])
		k.IPv6 = true
	}
}

// Classic returns the part of an object that conntrack-tools knows, nil if what it does
// not know is needed to tell the entry from others (keys of GRE, ports of UDP-Lite,
// zones of one direction, an expectation's zone). It is a beginning of o.
func (o Object) Classic() []byte {
	expect := o.Expect()
	for i := 0; ; {
		num, v, end := o.next(i)
		if end == 0 {
			return o
		}
		if num >= firstOurs {
			for j := i; end != 0; num, v, end = o.next(j) {
				switch {
				case expect && num == numExpZone,
					!expect && num == numZones,
					!expect && num == numPorts && len(v) == 8 && binary.BigEndian.Uint32(v) != 0:
					return nil
				}
				j = end
			}
			return o[:i]
		}
		i = end
	}
}

// appendAttr appends an attribute.
func appendAttr(dst []byte, num uint8, value []byte) []byte {
	dst = append(dst, 0, byte(4+len(value)), 0, num)
	dst = append(dst, value...)
	switch len(value) & 3 {
	case 1:
		return append(dst, 0, 0, 0)
	case 2:
		return append(dst, 0, 0)
	case 3:
		return append(dst, 0)
	}
	return dst
}

func append8(dst []byte, num, v uint8) []byte { return append(dst, 0, 5, 0, num, v, 0, 0, 0) }

func append16(dst []byte, num uint8, v uint16) []byte {
	return append(dst, 0, 6, 0, num, byte(v>>8), byte(v), 0, 0)
}

// append16LE appends a number that conntrack-tools byte-swaps on little-endian hosts.
func append16LE(dst []byte, num uint8, v uint16) []byte {
	return append(dst, 0, 6, 0, num, byte(v), byte(v>>8), 0, 0)
}

func append32(dst []byte, num uint8, v uint32) []byte {
	return append(dst, 0, 8, 0, num, byte(v>>24), byte(v>>16), byte(v>>8), byte(v))
}
