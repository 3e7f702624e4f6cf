package ctnetlink

import "encoding/binary"

// A label set is a bitmap of host-order 32-bit words (CTA_LABELS): bit n is
// bit n%32 of word n/32. The kernel keeps 128 bits.

// MaxLabels is how many label bits the kernel has room for.
const MaxLabels = 128

// HasLabel tells whether bit n is set in a label set.
func HasLabel(set []byte, n int) bool {
	w := n / 32 * 4
	if n < 0 || w+4 > len(set) {
		return false
	}
	return binary.NativeEndian.Uint32(set[w:])>>(n%32)&1 != 0
}

// SetLabel sets bit n in a label set, which must be long enough for it.
func SetLabel(set []byte, n int) {
	w := n / 32 * 4
	binary.NativeEndian.PutUint32(set[w:], binary.NativeEndian.Uint32(set[w:])|1<<(n%32))
}
