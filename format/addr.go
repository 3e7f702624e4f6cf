package format

import (
	"net/netip"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// AppendAddr appends an address as all styles write it, as glibc's inet_ntop does.
func AppendAddr(dst []byte, a netip.Addr) []byte { return appendAddr(dst, a, 0) }

// appendAddr appends an address as glibc's inet_ntop writes it. An address that
// was not sent is written as the zero address of the family.
func appendAddr(b []byte, a netip.Addr, family ctnetlink.Family) []byte {
	switch {
	case a.Is4():
		return appendIPv4(b, a.As4())
	case a.Is6():
		return appendIPv6(b, a.As16())
	case family == ctnetlink.FamilyIPv6:
		return append(b, "::"...)
	}
	return append(b, "0.0.0.0"...)
}

func appendIPv4(b []byte, a [4]byte) []byte {
	b = append(appendOctet(b, a[0]), '.')
	b = append(appendOctet(b, a[1]), '.')
	b = append(appendOctet(b, a[2]), '.')
	return appendOctet(b, a[3])
}

func appendOctet(b []byte, v uint8) []byte {
	switch {
	case v >= 100:
		return append(b, '0'+v/100, '0'+v/10%10, '0'+v%10)
	case v >= 10:
		return append(b, '0'+v/10, '0'+v%10)
	}
	return append(b, '0'+v)
}

// appendIPv6 appends an address in the form of RFC 5952, except that addresses
// that embed an IPv4 address (RFC 4291, section 2.5.5) end in dotted decimal, as
// inet_ntop writes them: ::1.2.3.4 and ::ffff:1.2.3.4.
func appendIPv6(b []byte, a [16]byte) []byte {
	var words [8]uint16
	for i := range words {
		words[i] = uint16(a[2*i])<<8 | uint16(a[2*i+1])
	}
	zeros, end := zeroRun(&words)
	for i := 0; i < 8; i++ {
		if i == zeros {
			b = append(b, ':', ':')
			if i = end; i == 8 {
				break
			}
		} else if i > 0 {
			b = append(b, ':')
		}
		if i == 6 && zeros == 0 && (end == 6 || end == 5 && words[5] == 0xffff) {
			return appendIPv4(b, [4]byte(a[12:]))
		}
		b = appendHex(b, words[i])
	}
	return b
}

// zeroRun returns the range of words that "::" replaces: the first of the longest
// runs of two or more zeros. Without one both results are -1.
func zeroRun(words *[8]uint16) (start, end int) {
	start, end = -1, -1
	for i := 0; i < 8; i++ {
		j := i
		for j < 8 && words[j] == 0 {
			j++
		}
		if j-i >= 2 && j-i > end-start {
			start, end = i, j
		}
		i = max(i, j-1) // the word at j is not 0
	}
	return start, end
}

// appendAddrPort appends an address, and its port if hasPort; then an IPv6
// address is in brackets. It appends nothing for an address that was not sent.
func appendAddrPort(b []byte, a netip.Addr, port uint64, hasPort bool) []byte {
	switch {
	case !a.IsValid():
		return b
	case !hasPort:
		return appendAddr(b, a, 0)
	case a.Is4():
		b = appendAddr(b, a, 0)
	default:
		b = append(appendAddr(append(b, '['), a, 0), ']')
	}
	return appendUint(append(b, ':'), port)
}

// appendSource appends the source of a tuple, with its port if the protocol has
// ports.
func appendSource(b []byte, t *ctnetlink.Tuple) []byte {
	port, ok := memberSPort.number(t)
	return appendAddrPort(b, t.Src, port, ok)
}

// appendDestination appends the destination of a tuple in the same way.
func appendDestination(b []byte, t *ctnetlink.Tuple) []byte {
	port, ok := memberDPort.number(t)
	return appendAddrPort(b, t.Dst, port, ok)
}
