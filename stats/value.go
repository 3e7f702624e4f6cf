package stats

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"net/netip"
)

// A value is encoded as bytes such that equal values have equal bytes,
// bytes.Compare of two values is their natural order (absent first, numbers by
// size, IPv4 before IPv6), and no value is the beginning of another, so that
// several can follow each other. The first byte is the type.
const (
	codeAbsent  = 0x00
	codeNumber  = 0x10 // plus the number of bytes, without leading zeros
	codeIPv4    = 0x24
	codeIPv4Net = 0x25 // the prefix length follows the address
	codeIPv6    = 0x30
	codeIPv6Net = 0x31
	codeText    = 0x40 // a NUL ends it
)

// AppendAbsent appends the value of an entry without the key, which is less
// than any other.
func AppendAbsent(dst []byte) []byte { return append(dst, codeAbsent) }

// AppendNumber appends a number.
func AppendNumber(dst []byte, v uint64) []byte {
	n := (bits.Len64(v) + 7) / 8
	dst = append(dst, codeNumber+byte(n))
	for shift := 8 * (n - 1); shift >= 0; shift -= 8 {
		dst = append(dst, byte(v>>shift))
	}
	return dst
}

// AppendAddr appends an address, or an absent value if a is the zero Addr.
func AppendAddr(dst []byte, a netip.Addr) []byte {
	switch {
	case a.Is4():
		b := a.As4()
		return append(append(dst, codeIPv4), b[:]...)
	case a.Is6():
		b := a.As16()
		return append(append(dst, codeIPv6), b[:]...)
	}
	return AppendAbsent(dst)
}

// AppendNetwork appends the network of an address, its first length bits. It
// appends an absent value if a is the zero Addr.
func AppendNetwork(dst []byte, a netip.Addr, length int) []byte {
	start := len(dst)
	dst = AppendAddr(dst, a)
	if dst[start] == codeAbsent {
		return dst
	}
	dst[start]++
	for i := range dst[start+1:] {
		if left := length - 8*i; left < 8 {
			dst[start+1+i] &^= 0xff >> max(left, 0)
		}
	}
	return append(dst, byte(length))
}

// AppendText appends a text, up to the first NUL.
func AppendText(dst []byte, s []byte) []byte {
	if i := bytes.IndexByte(s, 0); i >= 0 {
		s = s[:i]
	}
	return append(append(append(dst, codeText), s...), 0)
}

// cut returns the length of the value at the beginning of b.
func cut(b []byte) int {
	switch c := b[0]; c {
	case codeAbsent:
		return 1
	case codeIPv4:
		return 1 + 4
	case codeIPv4Net:
		return 1 + 4 + 1
	case codeIPv6:
		return 1 + 16
	case codeIPv6Net:
		return 1 + 16 + 1
	case codeText:
		return bytes.IndexByte(b, 0) + 1
	default:
		return 1 + int(c-codeNumber)
	}
}

// ValueKind is the type of a value.
type ValueKind uint8

const (
	Absent  ValueKind = iota // the entry does not have the key
	Number                   // in Value.Number
	Addr                     // in Value.Addr
	Network                  // in Value.Addr and Value.Bits
	Text                     // in Value.Text
)

// Value is a decoded value.
type Value struct {
	Kind   ValueKind
	Number uint64
	Addr   netip.Addr // of an Addr or a Network
	Bits   int        // the prefix length of a Network
	Text   []byte     // valid as long as the Group that it came with
}

// decode decodes the value in b.
func decode(b []byte) Value {
	switch c := b[0]; c {
	case codeAbsent:
		return Value{}
	case codeIPv4, codeIPv6:
		a, _ := netip.AddrFromSlice(b[1:])
		return Value{Kind: Addr, Addr: a}
	case codeIPv4Net, codeIPv6Net:
		a, _ := netip.AddrFromSlice(b[1 : len(b)-1])
		return Value{Kind: Network, Addr: a, Bits: int(b[len(b)-1])}
	case codeText:
		return Value{Kind: Text, Text: b[1 : len(b)-1]}
	default:
		var wide [8]byte
		copy(wide[8-(c-codeNumber):], b[1:])
		return Value{Kind: Number, Number: binary.BigEndian.Uint64(wide[:])}
	}
}
