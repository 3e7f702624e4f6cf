package engine

import (
	"encoding/binary"
	"math/bits"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// sum adds b to a checksum in progress (RFC 1071), in the byte order of the
// machine.
func sum(b []byte, s uint64) uint64 {
	var carry uint64
	for ; len(b) >= 32; b = b[32:] {
		s, carry = bits.Add64(s, binary.LittleEndian.Uint64(b), carry)
		s, carry = bits.Add64(s, binary.LittleEndian.Uint64(b[8:]), carry)
		s, carry = bits.Add64(s, binary.LittleEndian.Uint64(b[16:]), carry)
		s, carry = bits.Add64(s, binary.LittleEndian.Uint64(b[24:]), carry)
	}
	for ; len(b) >= 8; b = b[8:] {
		s, carry = bits.Add64(s, binary.LittleEndian.Uint64(b), carry)
	}
	var last uint64
	if len(b) >= 4 {
		last = uint64(binary.LittleEndian.Uint32(b))
		b = b[4:]
	}
	for i, c := range b {
		last += uint64(c) << (i * 8)
	}
	s, carry = bits.Add64(s, last, carry)
	s, carry = bits.Add64(s, 0, carry)
	return s + carry
}

// fold returns the checksum of a sum, as a big-endian number.
func fold(s uint64) uint16 {
	s = s&0xffffffff + s>>32
	s = s&0xffffffff + s>>32
	s = s&0xffff + s>>16
	s = s&0xffff + s>>16
	return bits.ReverseBytes16(^uint16(s))
}

// checksum returns the checksum of b, added to s.
func checksum(b []byte, s uint64) uint16 { return fold(sum(b, s)) }

// isSummed4 reports whether an IPv4 header of 20 bytes has the right checksum.
func isSummed4(h []byte) bool {
	h = h[:ipv4Header]
	s, carry := bits.Add64(binary.LittleEndian.Uint64(h), binary.LittleEndian.Uint64(h[8:]), 0)
	s, carry = bits.Add64(s, uint64(binary.LittleEndian.Uint32(h[16:])), carry)
	return fold(s+carry) == 0
}

// pseudo returns the sum of the pseudo header of a protocol (RFC 9293, RFC 8200).
func (p *packet) pseudo(proto ctnetlink.Protocol, length int) uint64 {
	s, carry := bits.Add64(binary.LittleEndian.Uint64(p.src[:]), binary.LittleEndian.Uint64(p.src[8:]), 0)
	s, carry = bits.Add64(s, binary.LittleEndian.Uint64(p.dst[:]), carry)
	s, carry = bits.Add64(s, binary.LittleEndian.Uint64(p.dst[8:]), carry)
	s, carry = bits.Add64(s, uint64(bits.ReverseBytes32(uint32(length)))|uint64(proto)<<56, carry)
	s, carry = bits.Add64(s, 0, carry)
	return s + carry
}

// verify checks the checksum of a transport protocol with a pseudo header. A
// packet of which only a part was captured passes.
func (t *Table) verify(p *packet, proto ctnetlink.Protocol) Reason {
	if !t.o.Sysctls.Checksum || p.hook == OutputHook || p.cut() {
		return Reason{}
	}
	b := p.payload()
	if checksum(b, p.pseudo(proto, len(b))) != 0 {
		return Reason{Code: BadChecksum}
	}
	return Reason{}
}
