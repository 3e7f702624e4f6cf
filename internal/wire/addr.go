package wire

import "net/netip"

// SameAddr reports whether a and b agree in the bits that are set in mask, or in
// all bits if mask is the zero Addr. Addresses of two families never agree, nor
// does any under a mask of another family.
func SameAddr(a, b, mask netip.Addr) bool {
	if !mask.IsValid() {
		return a == b
	}
	if a.BitLen() != b.BitLen() || a.BitLen() != mask.BitLen() {
		return false
	}
	a16, b16, m16 := a.As16(), b.As16(), mask.As16()
	first := 0
	if mask.Is4() {
		first = 12 // the rest is the same in all IPv4 addresses
	}
	for i := first; i < 16; i++ {
		if (a16[i]^b16[i])&m16[i] != 0 {
			return false
		}
	}
	return true
}
