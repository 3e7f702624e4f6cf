package engine

import (
	"encoding/binary"
	"math/rand/v2"
	"strconv"
	"testing"
)

// simpleChecksum is RFC 1071 word by word.
func simpleChecksum(b []byte) uint16 {
	var s uint32
	for ; len(b) > 1; b = b[2:] {
		s += uint32(binary.BigEndian.Uint16(b))
		s = s&0xffff + s>>16
	}
	if len(b) > 0 {
		s += uint32(b[0]) << 8
	}
	s = s&0xffff + s>>16
	return ^uint16(s)
}

func TestChecksum(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	all := make([]byte, 4096)
	for i := range all {
		all[i] = byte(r.Uint32())
		if r.IntN(3) == 0 {
			all[i] = 0xff
		}
	}
	for n := range 2100 {
		b := all[r.IntN(8):][:n]
		got, want := checksum(b, 0), simpleChecksum(b)
		if got != want {
			t.Fatalf("%d bytes: %#04x, want %#04x", n, got, want)
		}
		if n == ipv4Header && isSummed4(b) != (want == 0) {
			t.Fatalf("header %x", b)
		}
		// A sum in two parts, the first one of an even length.
		at := r.IntN(n+1) &^ 1
		if got := checksum(b[at:], sum(b[:at], 0)); got != want {
			t.Fatalf("%d bytes in two parts: %#04x, want %#04x", n, got, want)
		}
	}
	for _, b := range [][]byte{make([]byte, 40), {0xff, 0xff}, {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}} {
		if got, want := checksum(b, 0), simpleChecksum(b); got != want {
			t.Errorf("%x: %#04x, want %#04x", b, got, want)
		}
	}
}

func TestPseudoHeader(t *testing.T) {
	var p packet
	for i := range p.src {
		p.src[i], p.dst[i] = byte(255-i), byte(0xf0|i)
	}
	for _, n := range []int{0, 8, 1480, 0xffff, 0x12345} {
		b := append(append([]byte(nil), p.src[:]...), p.dst[:]...)
		b = append(binary.BigEndian.AppendUint32(b, uint32(n)), 0, 0, 0, 17)
		if got, want := fold(p.pseudo(17, n)), simpleChecksum(b); got != want {
			t.Errorf("length %d: %#04x, want %#04x", n, got, want)
		}
	}
	h := []byte{0x45, 0, 0, 28, 0, 1, 0, 0, 64, 17, 0, 0, 10, 0, 0, 2, 192, 0, 2, 2}
	if setSum4(h); !isSummed4(h) {
		t.Errorf("%x", h)
	}
	for i := range h {
		if h[i] ^= 0x10; isSummed4(h) {
			t.Errorf("%x", h)
		}
		h[i] ^= 0x10
	}
}

func BenchmarkChecksum(b *testing.B) {
	all := make([]byte, 1500)
	for _, n := range []int{20, 44, 576, 1480} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			b.SetBytes(int64(n))
			for b.Loop() {
				checksum(all[:n], 0)
			}
		})
	}
}
