package engine

import (
	"encoding/binary"
	"math/bits"
)

// addr chooses an address in the range as the kernel does: for one client and
// one destination, or with persistent for one client, always the same
// (find_best_ips_proto).
func (r *natRange) addr(tp *tuple, zoneID uint16, source bool) [16]byte {
	if r.minAddr == r.maxAddr {
		return r.minAddr
	}
	words := 4
	if tp.family == familyIPv4 {
		words = 1
	}
	dst := tp.dst
	seed := word(&dst, words-1) ^ uint32(zoneID)
	if r.persistent {
		seed = 0
	}
	h := jenkins(&tp.src, seed)
	var chosen [16]byte
	full := false // a word is not its maximum: the next may have any value
	for i := range words {
		low, width := uint32(0), ^uint32(0)
		if !full {
			low = binary.BigEndian.Uint32(r.minAddr[4*i:])
			width = binary.BigEndian.Uint32(r.maxAddr[4*i:]) - low + 1
		}
		part, _ := bits.Mul32(h, width)
		binary.BigEndian.PutUint32(chosen[4*i:], low+part)
		full = full || word(&chosen, i) != word(&r.maxAddr, i)
		if !source {
			copy(dst[4*i:4*i+4], chosen[4*i:])
		}
		if !r.persistent {
			h ^= word(&dst, i)
		}
	}
	return chosen
}

// word returns 32 bits of an address in host byte order.
func word(a *[16]byte, i int) uint32 { return binary.NativeEndian.Uint32(a[4*i:]) }

// jenkins hashes an address (jhash2 of linux/jhash.h: Bob Jenkins's lookup3, in
// the public domain).
func jenkins(addr *[16]byte, seed uint32) uint32 {
	a := 0xdeadbeef + uint32(len(addr)) + seed
	b, c := a, a
	a, b, c = a+word(addr, 0), b+word(addr, 1), c+word(addr, 2)

	rot := bits.RotateLeft32
	a, c = (a-c)^rot(c, 4), c+b
	b, a = (b-a)^rot(a, 6), a+c
	c, b = (c-b)^rot(b, 8), b+a
	a, c = (a-c)^rot(c, 16), c+b
	b, a = (b-a)^rot(a, 19), a+c
	c, b = (c-b)^rot(b, 4), b+a

	a += word(addr, 3)
	c = (c ^ b) - rot(b, 14)
	a = (a ^ c) - rot(c, 11)
	b = (b ^ a) - rot(a, 25)
	c = (c ^ b) - rot(b, 16)
	a = (a ^ c) - rot(c, 4)
	b = (b ^ a) - rot(a, 14)
	c = (c ^ b) - rot(b, 24)
	return c
}
