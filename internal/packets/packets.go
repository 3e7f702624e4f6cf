// Package packets builds IP packets for tests, byte by byte.
//
// A packet is a value with a method Bytes:
//
//	packets.UDP{Src: packets.Port("10.0.0.2:1000"), Dst: packets.Port("192.0.2.2:53"), Data: []byte("x")}.Bytes()
//	packets.TCP{Src: c, Dst: s, Flags: packets.SYN, Seq: 1, Options: packets.MSS(1460)}.Bytes()
//
// Lengths and checksums are right unless a field says otherwise. A field whose
// zero value means "the right number" takes [Zero] for the number 0. Addresses
// decide the family: IPv6 if the source is an IPv6 address.
//
// All numbers are in host byte order; Bytes puts them in network byte order.
package packets

import (
	"encoding/binary"
	"net/netip"
)

// Zero is the number 0 in fields whose zero value means "the right number".
const Zero = -1

// Transport protocols (IANA).
const (
	ProtoICMP    = 1
	ProtoTCP     = 6
	ProtoUDP     = 17
	ProtoGRE     = 47
	ProtoESP     = 50
	ProtoAH      = 51
	ProtoICMPv6  = 58
	ProtoSCTP    = 132
	ProtoUDPLite = 136
)

// Addr returns the address in a string such as "10.0.0.2" or "fd00:a::2". It
// panics if s is not an address.
func Addr(s string) netip.Addr { return netip.MustParseAddr(s) }

// Port returns the address and port in a string such as "10.0.0.2:1000" or
// "[fd00:a::2]:1000". It panics if s is something else.
func Port(s string) netip.AddrPort { return netip.MustParseAddrPort(s) }

var be = binary.BigEndian

// number returns a field's number: right if v is 0, 0 if v is Zero, else v.
func number(v, right int) int {
	switch v {
	case 0:
		return right
	case Zero:
		return 0
	}
	return v
}

// Checksum returns the Internet checksum of the parts, as if they were one
// (RFC 1071). Only the last may have an odd length.
func Checksum(parts ...[]byte) uint16 {
	var sum uint64
	for _, b := range parts {
		for ; len(b) >= 2; b = b[2:] {
			sum += uint64(be.Uint16(b))
		}
		if len(b) == 1 {
			sum += uint64(b[0]) << 8
		}
	}
	for sum>>16 != 0 {
		sum = sum&0xffff + sum>>16
	}
	return ^uint16(sum)
}

// pseudo returns the pseudo header of a transport checksum (RFC 768, RFC 8200).
func pseudo(src, dst netip.Addr, proto uint8, length int) []byte {
	b := append(src.AsSlice(), dst.AsSlice()...)
	if src.Is4() {
		return be.AppendUint16(append(b, 0, proto), uint16(length))
	}
	return be.AppendUint32(be.AppendUint32(b, uint32(length)), uint32(proto))
}

// Sum is the checksum of a transport header: the right one if it is the zero
// Sum.
type Sum struct {
	Bad  bool   // one that is wrong
	None bool   // 0
	Is   uint16 // this one, if it is not 0
}

func (s Sum) number(right uint16) uint16 {
	switch {
	case s.None:
		return 0
	case s.Is != 0:
		return s.Is
	case s.Bad && right == 0x1111: // 0 would mean "none" in UDP
		return 0x2222
	case s.Bad:
		return right ^ 0x1111
	}
	return right
}
