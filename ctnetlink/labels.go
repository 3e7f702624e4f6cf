package ctnetlink

import (
	"encoding/binary"
	"iter"
	"math/bits"
	"strconv"
)

// Labels is a set of connection labels, small numbers to which a label map gives
// names. It is a bitmap in 32-bit words of host byte order (CTA_LABELS): label n
// is bit n%32 of word n/32. Its length is a multiple of 4 bytes.
type Labels []byte

// MaxLabels is how many labels the kernel has room for: 0 to 127.
const MaxLabels = 128

// NewLabels returns the set of the given labels, with room for MaxLabels. It
// panics if one is negative or not below MaxLabels.
func NewLabels(labels ...int) Labels {
	l := make(Labels, MaxLabels/8)
	for _, n := range labels {
		l.Set(n)
	}
	return l
}

// Has reports whether label n is in the set.
func (l Labels) Has(n int) bool {
	w := n / 32 * 4
	if n < 0 || w+4 > len(l) {
		return false
	}
	return binary.NativeEndian.Uint32(l[w:])>>(n%32)&1 != 0
}

// Set adds label n. It panics if the bitmap has no room for it.
func (l Labels) Set(n int) {
	w := n / 32 * 4
	binary.NativeEndian.PutUint32(l[w:], binary.NativeEndian.Uint32(l[w:])|1<<(n%32))
}

// ContainsAll reports whether every label of other is in the set.
func (l Labels) ContainsAll(other Labels) bool {
	for i, want := range other {
		if want != 0 && (i >= len(l) || l[i]&want != want) {
			return false
		}
	}
	return true
}

// ContainsAny reports whether at least one label of other is in the set.
func (l Labels) ContainsAny(other Labels) bool {
	for i := range min(len(l), len(other)) {
		if l[i]&other[i] != 0 {
			return true
		}
	}
	return false
}

// All returns an iterator over the labels in the set, in ascending order.
func (l Labels) All() iter.Seq[int] {
	return func(yield func(int) bool) {
		for i := 0; i+4 <= len(l); i += 4 {
			for w := binary.NativeEndian.Uint32(l[i:]); w != 0; w &= w - 1 {
				if !yield(i*8 + bits.TrailingZeros32(w)) {
					return
				}
			}
		}
	}
}

// String returns the labels as numbers, such as "1,4,127".
func (l Labels) String() string {
	var b []byte
	for n := range l.All() {
		if b != nil {
			b = append(b, ',')
		}
		b = strconv.AppendInt(b, int64(n), 10)
	}
	return string(b)
}
