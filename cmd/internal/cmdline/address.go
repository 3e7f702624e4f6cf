package cmdline

import (
	"math"
	"net/netip"
	"strings"
)

// parseAddr reads an IPv4 address in every form of inet_aton(3), else an IPv6
// address as inet_pton(3).
func parseAddr(s string) (netip.Addr, bool) {
	if a, ok := inetAton(s); ok {
		return a, true
	}
	a, err := netip.ParseAddr(s)
	if err != nil || !a.Is6() || a.Zone() != "" {
		return netip.Addr{}, false
	}
	return a, true
}

// inetAton reads one to four numbers between dots, each with a base by prefix;
// the last fills the bytes that are left.
func inetAton(s string) (netip.Addr, bool) {
	var value uint64
	for part := 0; ; part++ {
		if s == "" || digit(s[0]) > 9 {
			return netip.Addr{}, false
		}
		n, rest := strtoul(s, 0)
		if n > math.MaxUint32 {
			return netip.Addr{}, false
		}
		if rest != "" && rest[0] == '.' && part < 3 {
			if n > 255 {
				return netip.Addr{}, false
			}
			value |= n << (24 - 8*part)
			s = rest[1:]
			continue
		}
		// glibc takes anything behind a blank.
		if rest != "" && !isBlank(rest[0]) || n > math.MaxUint32>>(8*part) {
			return netip.Addr{}, false
		}
		value |= n
		return netip.AddrFrom4([4]byte{byte(value >> 24), byte(value >> 16), byte(value >> 8), byte(value)}), true
	}
}

// parsePrefix reads ADDRESS[/LENGTH]. bits is -1 without a length. The caller
// checks the family of the address before the length.
func parsePrefix(s string) (a netip.Addr, length string, hasLength bool, err error) {
	addr, length, hasLength := strings.Cut(s, "/")
	a, ok := parseAddr(addr)
	if !ok {
		return a, "", false, Usagef("Invalid IP address `%s'", s)
	}
	return a, length, hasLength, nil
}

// parseLength reads the length of a prefix for an address of so many bits.
func parseLength(s string, bits int) (int, error) {
	n, rest := strtol(s)
	if rest != "" || s == "" || n < 0 || n > int64(bits) {
		return 0, Usagef("Invalid netmask")
	}
	return int(n), nil
}

// maskOf returns the mask of a prefix's length in the family of a.
func maskOf(a netip.Addr, length int) netip.Addr {
	var b [16]byte
	for i := range length {
		b[i/8] |= 0x80 >> (i % 8)
	}
	if a.Is4() {
		return netip.AddrFrom4([4]byte(b[:4]))
	}
	return netip.AddrFrom16(b)
}

// splitNAT splits a translation: ip, ip:port, [v6]:port, or a bare v6 address.
// The port's text is checked here, the address is not.
func splitNAT(s string) (addr string, port uint16, hasPort bool, err error) {
	var text string
	switch {
	case strings.HasPrefix(s, "["):
		inside, after, ok := strings.Cut(s[1:], "]")
		if !ok {
			return "", 0, false, Usagef("No closing ']' around IPv6 address")
		}
		if inside == "" {
			return "", 0, false, Usagef("No IPv6 address specified")
		}
		_, text, ok = strings.Cut(after, ":")
		if !ok {
			return s, 0, false, nil // brackets without a port: no address
		}
		addr = inside
	case strings.Count(s, ":") == 1:
		addr, text, _ = strings.Cut(s, ":")
	default:
		return s, 0, false, nil
	}
	if text == "" {
		return "", 0, false, Usagef("No port specified after `:'")
	}
	n, ok := uint64(0), true
	for i := 0; i < len(text) && ok; i++ {
		n = n*10 + digit(text[i])
		ok = digit(text[i]) <= 9 && n <= math.MaxUint16
	}
	if !ok {
		return "", 0, false, Usagef("Invalid port `%s'", text)
	}
	return addr, uint16(n), true, nil
}

func noCIDR(o Option) error {
	return Usagef("CIDR notation unavailable for `--%s'", OptionNames[o])
}

// IsAddress reports whether a word begins like an address, or a list of them, as the
// commands with names read it: 10.0.0.2, !10.0.0.0/8, [fd00::1]:80.
func IsAddress(word string) bool {
	word = strings.TrimPrefix(word, "!")
	if inside, bracketed := strings.CutPrefix(word, "["); bracketed {
		word, _, _ = strings.Cut(inside, "]")
	} else {
		word, _, _ = strings.Cut(word, ",")
		word, _, _ = strings.Cut(word, "-")
		word, _, _ = strings.Cut(word, "/")
		if strings.Count(word, ":") == 1 {
			word, _, _ = strings.Cut(word, ":")
		}
	}
	_, err := netip.ParseAddr(word)
	return err == nil
}
