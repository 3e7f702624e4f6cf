package ctnetlink

import (
	"math/bits"
	"strconv"
)

// bitNames returns the names of the bits of a set with "|" between them, "0" for
// the empty set. A bit without a name is written as a number: 0x8000.
func bitNames(set uint32, name func(bit int) string) string {
	if set == 0 {
		return "0"
	}
	var b []byte
	for ; set != 0; set &= set - 1 {
		if b != nil {
			b = append(b, '|')
		}
		bit := bits.TrailingZeros32(set)
		if n := name(bit); n != "" {
			b = append(b, n...)
		} else {
			b = strconv.AppendUint(append(b, "0x"...), 1<<bit, 16)
		}
	}
	return string(b)
}

// nameIn returns the name of a bit in a list, "" for none.
func nameIn(names []string, bit int) string {
	if bit < len(names) {
		return names[bit]
	}
	return ""
}
