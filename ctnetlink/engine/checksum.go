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
	for len(b) >= 8 {
		s, carry = bits.Add64(s, binary.LittleEndian.Uint64(b), 0)
		s += carry
		b = b[8:]
	}
	var last [8]byte
	copy(last[:], b)
	s, carry = bits.Add64(s, binary.LittleEndian.Uint64(last[:]), 0)
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

// pseudo returns the sum of the pseudo header of a protocol (RFC 9293, RFC 8200).
func (p *packet) pseudo(proto ctnetlink.Protocol, length int) uint64 {
	var b [8]byte
	binary.BigEndian.PutUint32(b[:], uint32(length))
	b[7] = byte(proto)
	return sum(p.src[:], sum(p.dst[:], sum(b[:], 0)))
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
