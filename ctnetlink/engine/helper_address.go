package engine

import (
	"net/netip"
	"strconv"
)

// parseIPv6 reads an IPv6 address in any form of RFC 4291 that ends before the
// first end, and returns the index of that; -1 if b has something else. Numbers
// may have any number of leading zeros.
func parseIPv6(b []byte, end byte) (addr [16]byte, at int) {
	n, gap := 0, -1 // bytes that were read; where :: is
	if len(b) >= 2 && b[0] == ':' && b[1] == ':' && end != ':' {
		gap, at = 0, 2
	}
	for at == 0 || at < len(b) && (b[at] != end || gap != n) {
		if n == 16 {
			return addr, -1
		}
		if size := dottedQuad(b[at:], addr[n:], end); size > 0 {
			n, at = n+4, at+size
			break
		}
		v, size := hexGroup(b[at:], end)
		if size == 0 {
			return addr, -1
		}
		addr[n], addr[n+1] = byte(v>>8), byte(v)
		n, at = n+2, at+size
		if at == len(b) || b[at] == end {
			break
		}
		if b[at] != ':' {
			return addr, -1
		}
		if at++; at < len(b) && b[at] == ':' {
			if gap >= 0 {
				return addr, -1
			}
			gap, at = n, at+1
		}
	}
	if at >= len(b) || b[at] != end || (gap < 0) != (n == 16) {
		return addr, -1
	}
	if gap >= 0 {
		copy(addr[16-(n-gap):], addr[gap:n])
		clear(addr[gap : 16-(n-gap)])
	}
	return addr, at
}

// hexGroup reads a number of up to 16 bits at the start of b, which ends before
// the first end or other character. size is 0 if there is none.
func hexGroup(b []byte, end byte) (v uint32, size int) {
	for _, c := range b {
		d := hexDigit(c)
		if c == end || d > 15 {
			break
		}
		if v = v<<4 | uint32(d); v > 0xffff {
			return 0, 0
		}
		size++
	}
	return v, size
}

// dottedQuad reads an IPv4 address that ends before the first end into to, and
// returns its length; 0 if b has something else.
func dottedQuad(b, to []byte, end byte) (size int) {
	if len(to) < 4 || end == '.' {
		return 0
	}
	var (
		v      [4]byte
		n      int
		number uint32
		digits bool
	)
	for i, c := range b {
		switch {
		case c != end && isDigit(c):
			if number = number*10 + uint32(c-'0'); number > 255 {
				return 0
			}
			digits = true
			continue
		case !digits || n == 4:
			return 0
		}
		v[n] = byte(number)
		n++
		number, digits = 0, false
		if c == end {
			if n < 4 {
				return 0
			}
			copy(to, v[:])
			return i
		}
		if c != '.' {
			return 0
		}
	}
	return 0
}

// hexDigit returns the value of a hexadecimal digit, 255 for other characters.
func hexDigit(c byte) uint8 {
	switch c = lower(c); {
	case isDigit(c):
		return c - '0'
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10
	}
	return 255
}

// appendIPv4 appends an address in decimal.
func appendIPv4(b []byte, addr *[16]byte) []byte {
	for i, v := range addr[:4] {
		if i > 0 {
			b = append(b, '.')
		}
		b = strconv.AppendUint(b, uint64(v), 10)
	}
	return b
}

// appendIPv6 appends an address with all its digits, as helpers of Linux write it.
func appendIPv6(b []byte, addr *[16]byte) []byte {
	const digits = "0123456789abcdef"
	for i, v := range addr {
		if i > 0 && i%2 == 0 {
			b = append(b, ':')
		}
		b = append(b, digits[v>>4], digits[v&15])
	}
	return b
}

// appendIPv6Short appends an address in the form of RFC 5952.
func appendIPv6Short(b []byte, addr *[16]byte) []byte { return netip.AddrFrom16(*addr).AppendTo(b) }
