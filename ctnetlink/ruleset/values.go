package ruleset

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// kind is a type of values.
type kind struct {
	what  string
	names map[string]uint32
	max   uint64
	bits  bool // may be tested under a mask
	flags bool // a list without braces is a set of bits, one of which must be set
	addr  int  // 4 or 6: an address
	iface bool // the name of an interface
	port  bool // names are those of services
}

var (
	kindIPv4     = &kind{what: "an IPv4 address", addr: 4}
	kindIPv6     = &kind{what: "an IPv6 address", addr: 6}
	kindName     = &kind{what: "the name of an interface", iface: true}
	kindPort     = &kind{what: "a port", max: 65535, port: true}
	kindNumber8  = &kind{what: "a number", max: 255}
	kindMark     = &kind{what: "a mark", max: 1<<32 - 1, bits: true}
	kindProtocol = &kind{what: "a protocol", max: 255, names: map[string]uint32{
		"icmp": 1, "tcp": 6, "udp": 17, "dccp": 33, "ipv6": 41, "gre": 47, "esp": 50, "ah": 51, "icmpv6": 58,
		"ipv6-icmp": 58, "ospf": 89, "sctp": 132, "udplite": 136, "igmp": 2, "ipip": 4,
	}}
	kindFamily = &kind{what: "ipv4 or ipv6", max: 255, names: map[string]uint32{
		"ipv4": uint32(ctnetlink.FamilyIPv4), "ipv6": uint32(ctnetlink.FamilyIPv6),
	}}
	kindState = &kind{what: "a state", max: 127, bits: true, flags: true, names: map[string]uint32{
		"invalid": bitInvalid, "established": bitEstablished, "related": bitRelated, "new": bitNew,
		"untracked": bitUntracked,
	}}
	kindStatus = &kind{what: "a status", max: 1<<32 - 1, bits: true, flags: true, names: map[string]uint32{
		"expected": 1, "seen-reply": 2, "assured": 4, "confirmed": 8, "snat": 16, "dnat": 32, "dying": 512,
	}}
	kindDirection = &kind{what: "original or reply", max: 1, names: map[string]uint32{"original": 0, "reply": 1}}
	kindTCPFlags  = &kind{what: "a TCP flag", max: 255, bits: true, flags: true, names: map[string]uint32{
		"fin": 1, "syn": 2, "rst": 4, "psh": 8, "ack": 16, "urg": 32, "ecn": 64, "cwr": 128,
	}}
	kindICMPType = &kind{what: "an ICMP type", max: 255, names: map[string]uint32{
		"echo-reply": 0, "destination-unreachable": 3, "source-quench": 4, "redirect": 5, "echo-request": 8,
		"router-advertisement": 9, "router-solicitation": 10, "time-exceeded": 11, "parameter-problem": 12,
		"timestamp-request": 13, "timestamp-reply": 14, "info-request": 15, "info-reply": 16,
		"address-mask-request": 17, "address-mask-reply": 18,
	}}
	kindICMPv6Type = &kind{what: "an ICMPv6 type", max: 255, names: map[string]uint32{
		"destination-unreachable": 1, "packet-too-big": 2, "time-exceeded": 3, "parameter-problem": 4,
		"echo-request": 128, "echo-reply": 129, "mld-listener-query": 130, "mld-listener-report": 131,
		"mld-listener-done": 132, "mld-listener-reduction": 132, "nd-router-solicit": 133, "nd-router-advert": 134,
		"nd-neighbor-solicit": 135, "nd-neighbor-advert": 136, "nd-redirect": 137, "router-renumbering": 138,
		"ind-neighbor-solicit": 141, "ind-neighbor-advert": 142, "mld2-listener-report": 143,
	}}
)

// values reads what a match compares with: a value, a list in braces, or the
// name of a set. Flags may be a list without braces.
func (p *parser) values(k *kind) (*values, error) {
	v := &values{}
	t := p.peek()
	switch {
	case t.is("{"):
		p.next()
		for {
			p.skipEnds()
			if p.accept("}") {
				break
			}
			if err := p.value(k, v); err != nil {
				return nil, err
			}
			if p.skipEnds(); !p.accept(",") && !p.peek().is("}") {
				return nil, p.wrong(p.peek(), "\",\" or \"}\" is expected")
			}
		}
		if len(v.numbers)+len(v.addrs4)+len(v.addrs6)+len(v.names) == 0 {
			return nil, p.wrong(t, "the list is empty")
		}
	case !t.quoted && len(t.text) > 1 && t.text[0] == '@':
		p.next()
		s := p.t.sets[t.text[1:]]
		if s == nil {
			return nil, &Error{p.file, t.line, fmt.Sprintf("there is no set %s in the table %s", t.text[1:], p.t.name)}
		}
		if !s.kind.like(k) {
			return nil, &Error{p.file, t.line, fmt.Sprintf("the set %s does not hold what is compared with it", t.text[1:])}
		}
		return &s.values, nil
	case k.bits:
		n, err := p.bits(k)
		if err != nil {
			return nil, err
		}
		if hi, ok := strings.CutPrefix(p.peek().text, "-"); ok && !k.flags && !p.peek().quoted {
			return nil, p.wrong(p.peek(), "a range has no spaces, such as %d-%s", n, hi)
		}
		v.numbers = []span[uint32]{{n, n}}
	default:
		if err := p.value(k, v); err != nil {
			return nil, err
		}
	}
	v.sort()
	return v, nil
}

// like reports whether a set of the kind can be compared with values of another.
func (k *kind) like(o *kind) bool {
	return k == o || k.max != 0 && k.max == o.max && k.addr == 0 && k.port == o.port && k.names == nil
}

// bits reads flags joined by commas or bars, or in parentheses, or a number.
func (p *parser) bits(k *kind) (uint32, error) {
	paren := p.accept("(")
	var n uint32
	for {
		v := &values{}
		if err := p.value(k, v); err != nil {
			return 0, err
		}
		n |= v.numbers[0].min
		if v.numbers[0].min != v.numbers[0].max {
			return 0, p.wrong(p.peek(), "a range cannot be used here")
		}
		if _, ok := p.acceptAny("|", "or"); ok {
			continue
		}
		if k.flags && p.accept(",") {
			continue
		}
		break
	}
	if paren {
		return n, p.expect(")")
	}
	return n, nil
}

// value reads one value or range, and adds it to v.
func (p *parser) value(k *kind, v *values) error {
	t := p.next()
	if t.isEnd() || !t.quoted && strings.Contains(signs, t.text) {
		return p.wrong(t, "%s is expected", k.what)
	}
	switch {
	case k.iface:
		v.names = append(v.names, t.text)
		return nil
	case k.addr != 0:
		lo, hi, err := parseAddrs(t.text)
		if err != nil || lo.Is4() != (k.addr == 4) {
			return p.wrong(t, "%s is expected", k.what)
		}
		v.addAddrs(lo, hi)
		return nil
	}
	lo, err := k.number(t.text)
	hi := lo
	if before, after, ok := strings.Cut(t.text, "-"); err != nil && ok {
		if lo, err = k.number(before); err == nil {
			hi, err = k.number(after)
		}
	}
	if err != nil {
		return p.wrong(t, "%s is expected", k.what)
	}
	if lo > hi {
		return p.wrong(t, "the range is empty")
	}
	v.numbers = append(v.numbers, span[uint32]{lo, hi})
	return nil
}

// number reads a number or a name.
func (k *kind) number(text string) (uint32, error) {
	if n, ok := k.names[text]; ok {
		return n, nil
	}
	n, err := strconv.ParseUint(text, 0, 32)
	if err != nil && k.port && text != "" && (text[0] < '0' || text[0] > '9') {
		port, err := net.LookupPort("tcp", text)
		if err != nil {
			port, err = net.LookupPort("udp", text)
		}
		return uint32(port), err
	}
	if err == nil && n > k.max {
		err = strconv.ErrRange
	}
	return uint32(n), err
}

// parseAddrs reads an address, a prefix or a range of addresses.
func parseAddrs(text string) (lo, hi netip.Addr, err error) {
	if before, after, ok := strings.Cut(text, "-"); ok {
		if lo, err = netip.ParseAddr(before); err == nil {
			hi, err = netip.ParseAddr(after)
		}
		if err == nil && (lo.BitLen() != hi.BitLen() || hi.Less(lo)) {
			err = strconv.ErrRange
		}
	} else if strings.Contains(text, "/") {
		var prefix netip.Prefix
		if prefix, err = netip.ParsePrefix(text); err == nil {
			lo, hi = prefix.Masked().Addr(), lastOf(prefix)
		}
	} else if lo, err = netip.ParseAddr(text); err == nil {
		hi = lo
	}
	if lo.Is4In6() || lo.Zone() != "" || hi.Zone() != "" {
		err = strconv.ErrSyntax
	}
	return lo, hi, err
}
