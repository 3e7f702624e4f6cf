package cmd

import (
	"math"
	"net/netip"
	"strings"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/format"
)

// The classic command reads numbers with C's functions, each option with its
// own; the functions here are theirs as far as a command line can tell.

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
	return failuref("unexpected value '%s' with -%c option", value, letter)
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
// judges the address's family before the length.
func parsePrefix(s string) (a netip.Addr, length string, hasLength bool, err error) {
	addr, length, hasLength := strings.Cut(s, "/")
	a, ok := parseAddr(addr)
	if !ok {
		return a, "", false, usagef("Invalid IP address `%s'", s)
	}
	return a, length, hasLength, nil
}

// parseLength reads the length of a prefix for an address of so many bits.
func parseLength(s string, bits int) (int, error) {
	n, rest := strtol(s)
	if rest != "" || s == "" || n < 0 || n > int64(bits) {
		return 0, usagef("Invalid netmask")
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
			return "", 0, false, usagef("No closing ']' around IPv6 address")
		}
		if inside == "" {
			return "", 0, false, usagef("No IPv6 address specified")
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
		return "", 0, false, usagef("No port specified after `:'")
	}
	n, ok := uint64(0), true
	for i := 0; i < len(text) && ok; i++ {
		n = n*10 + digit(text[i])
		ok = digit(text[i]) <= 9 && n <= math.MaxUint16
	}
	if !ok {
		return "", 0, false, usagef("Invalid port `%s'", text)
	}
	return addr, uint16(n), true, nil
}

func noCIDR(o option) error {
	return usagef("CIDR notation unavailable for `--%s'", optionNames[o])
}

// eventMask is a set of kinds of events, by -e.
type eventMask uint8

const (
	eventNew eventMask = 1 << iota
	eventUpdate
	eventDestroy
	eventAll = eventNew | eventUpdate | eventDestroy
)

// name is an element of a comma-separated list: any beginning of it will do,
// in any case, and the first in the list's order wins.
type name struct {
	text string
	bits uint32
}

var statusNames = []name{
	{"ASSURED", uint32(ctnetlink.StatusAssured)},
	{"SEEN_REPLY", uint32(ctnetlink.StatusSeenReply)},
	{"UNSET", 0},
	{"FIXED_TIMEOUT", uint32(ctnetlink.StatusFixedTimeout)},
	{"EXPECTED", uint32(ctnetlink.StatusExpected)},
	{"OFFLOAD", uint32(ctnetlink.StatusOffload)},
	{"HW_OFFLOAD", uint32(ctnetlink.StatusHWOffload)},
}

var eventNames = []name{
	{"ALL", uint32(eventAll)}, {"NEW", uint32(eventNew)},
	{"UPDATES", uint32(eventUpdate)}, {"DESTROY", uint32(eventDestroy)},
}

// Bits of the elements of -o.
const (
	outXML = 1 << iota
	outExtended
	outTimestamp
	outID
	outKTimestamp
	outLabels
	outUserspace
	outSave
	// What follows is this program's own, tried after the classic names.
	outJSON
	outJSONL
	outCSV
	outTable
	outNetlink
	outProm

	outOwn = outJSON | outJSONL | outCSV | outTable | outNetlink | outProm
)

var outputNames = []name{
	{"xml", outXML}, {"extended", outExtended}, {"timestamp", outTimestamp}, {"id", outID},
	{"ktimestamp", outKTimestamp}, {"labels", outLabels}, {"userspace", outUserspace}, {"save", outSave},
	{"json", outJSON}, {"jsonl", outJSONL}, {"csv", outCSV}, {"table", outTable}, {"netlink", outNetlink}, {"prom", outProm},
}

// ownStyle is the form of output that a bit of outOwn stands for: those that the
// classic command does not have.
func ownStyle(bit uint32) format.Style {
	switch bit {
	case outJSON:
		return format.StyleJSON
	case outJSONL:
		return format.StyleJSONL
	case outCSV:
		return format.StyleCSV
	case outTable:
		return format.StyleTable
	case outNetlink:
		return format.StyleNetlink
	}
	return format.StyleProm
}

// ignoredNames are tried before every list's own.
var ignoredNames = []struct{ text, option string }{{"SRC_NAT", "src-nat"}, {"DST_NAT", "dst-nat"}}

// parseList reads a comma-separated list and calls add with each element's
// bits. negated elements (!NAME) and UNREPLIED exist in a status list only.
func (p *parser) parseList(list string, names []name, status bool, add func(n name, negated bool)) error {
	for rest, more := list, true; more; {
		at := rest
		var element string
		element, rest, more = strings.Cut(rest, ",")
		negated := status && strings.HasPrefix(element, "!")
		if negated {
			element, at = element[1:], at[1:]
		}
		switch {
		case element == "":
			return badParameter(at)
		case p.ignored(element):
		case status && !negated && element == "UNREPLIED":
			add(name{"SEEN_REPLY", uint32(ctnetlink.StatusSeenReply)}, true)
		default:
			n, ok := findName(names, element)
			if !ok {
				return badParameter(at)
			}
			add(n, negated)
		}
	}
	return nil
}

// badParameter names the list from the bad element on, without its `!'.
func badParameter(at string) error { return usagef("Bad parameter `%s'", at) }

func (p *parser) ignored(element string) bool {
	for _, n := range ignoredNames {
		if hasPrefixFold(n.text, element) {
			p.warn("WARNING: ignoring %s, use --%s instead\n", n.text, n.option)
			return true
		}
	}
	return false
}

func findName(names []name, element string) (name, bool) {
	for _, n := range names {
		if hasPrefixFold(n.text, element) {
			return n, true
		}
	}
	return name{}, false
}

// hasPrefixFold tells whether s begins with prefix, whatever the case.
func hasPrefixFold(s, prefix string) bool {
	return len(prefix) <= len(s) && strings.EqualFold(s[:len(prefix)], prefix)
}
