package cmdline

import (
	"math"
	"strings"
)

// The classic command reads numbers with functions of C, each option with its
// own. The functions here do the same.

// isBlank is C's isspace.
func isBlank(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }

// strtoul reads a number as strtoul(3) does with base 10, or 0 for a base by
// prefix (0x, 0): blanks and a sign first, saturating, and a minus sign negates
// in 64 bits. rest is what follows the digits, all of s where there are none.
func strtoul(s string, base uint64) (n uint64, rest string) {
	i := 0
	for i < len(s) && isBlank(s[i]) {
		i++
	}
	negative := false
	if i < len(s) && (s[i] == '+' || s[i] == '-') {
		negative = s[i] == '-'
		i++
	}
	if base == 0 {
		base = 10
		if i < len(s) && s[i] == '0' {
			base = 8
			if i+2 < len(s) && s[i+1]|0x20 == 'x' && digit(s[i+2]) < 16 {
				base = 16
				i += 2
			}
		}
	}
	start, over := i, false
	for ; i < len(s) && digit(s[i]) < base; i++ {
		d := digit(s[i])
		if n > (math.MaxUint64-d)/base {
			over = true
		}
		n = n*base + d
	}
	if i == start {
		return 0, s
	}
	if over {
		n = math.MaxUint64
	} else if negative {
		n = -n
	}
	return n, s[i:]
}

func digit(c byte) uint64 {
	switch {
	case c >= '0' && c <= '9':
		return uint64(c - '0')
	case c|0x20 >= 'a' && c|0x20 <= 'z':
		return uint64(c|0x20-'a') + 10
	}
	return math.MaxUint64
}

// atol reads a signed decimal number as atol(3) does: saturating, and 0 where
// there is none.
func atol(s string) int64 {
	n, rest := strtol(s)
	if rest == s {
		return 0
	}
	return n
}

// strtol is strtol(3) with base 10.
func strtol(s string) (n int64, rest string) {
	trimmed := strings.TrimLeftFunc(s, func(r rune) bool { return r < 0x80 && isBlank(byte(r)) })
	negative := strings.HasPrefix(trimmed, "-")
	digits := trimmed
	if negative || strings.HasPrefix(trimmed, "+") {
		digits = trimmed[1:]
	}
	if digits == "" || digit(digits[0]) > 9 {
		return 0, s
	}
	u, rest := strtoul(digits, 10)
	switch {
	case negative && u > math.MaxInt64:
		return math.MinInt64, rest
	case negative:
		return -int64(u), rest
	case u > math.MaxInt64:
		return math.MaxInt64, rest
	}
	return int64(u), rest
}

// parseUint reads a whole word as a number up to maximum, base by prefix;
// leading blanks and a plus sign are allowed, a minus sign is not.
func parseUint(s string, maximum uint64) (uint64, bool) {
	if strings.Contains(s, "-") {
		return 0, false
	}
	n, rest := strtoul(s, 0)
	return n, rest == "" && s != "" && n <= maximum
}

// unexpected is the refusal of a number, with the option's letter.
func unexpected(value string, letter byte) error {
	return Failuref("unexpected value '%s' with -%c option", value, letter)
}

// parseMark reads value[/mask].
func parseMark(s string) (value, mask uint32, err error) {
	v, m, masked := strings.Cut(s, "/")
	n, ok := parseUint(v, math.MaxUint32)
	mask = math.MaxUint32
	if ok && masked {
		var k uint64
		k, ok = parseUint(m, math.MaxUint32)
		mask = uint32(k)
	}
	if !ok {
		return 0, 0, unexpected(s, 'm')
	}
	return uint32(n), mask, nil
}
