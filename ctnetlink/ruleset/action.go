package ruleset

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/ctnetlink/engine"
)

// jump reads the chain of a jump or goto.
func (p *parser) jump(t token) (*branch, error) {
	name, err := p.word("the name of a chain")
	if err != nil {
		return nil, err
	}
	b := &branch{step: jump}
	if t.is("goto") {
		b.step = goTo
	}
	p.jumps = append(p.jumps, pendingJump{p.t, p.c, name, t.line, func(c *chain) { b.to = c }})
	return b, nil
}

// counter reads the numbers that a listing shows after counter.
func (p *parser) counter() ([]op, error) {
	for range 2 {
		if _, ok := p.acceptAny("packets", "bytes"); !ok {
			break
		}
		t := p.next()
		if _, err := strconv.ParseUint(t.text, 10, 64); err != nil {
			return nil, p.wrong(t, "a number is expected")
		}
	}
	return one(&counter{})
}

// log reads the options of log.
func (p *parser) log() ([]op, error) {
	for {
		switch w, ok := p.acceptAny("prefix", "level", "group", "snaplen", "queue-threshold", "flags"); {
		case !ok:
			return one(nothing{})
		case w == "flags":
			p.next()
			p.acceptAny("options", "sequence", "sequence,options")
		default:
			p.next()
		}
	}
}

// reject reads the options of reject.
func (p *parser) reject() ([]op, error) {
	if p.accept("with") {
		t := p.next()
		switch t.text {
		case "tcp":
			if err := p.expect("reset"); err != nil {
				return nil, err
			}
		case "icmp", "icmpv6", "icmpx":
			p.accept("type")
			p.next()
		default:
			return nil, p.unknown(t)
		}
	}
	return one(verdict(reject))
}

// setMark reads what follows ct mark set: a number, or ct mark changed by and, or
// and xor.
func (p *parser) setMark() ([]op, error) {
	if !p.accept("ct") {
		n, err := p.number(kindMark)
		return []op{setMark{0, n}}, err
	}
	if err := p.expect("mark"); err != nil {
		return nil, err
	}
	s := setMark{^uint32(0), 0}
	for {
		w, ok := p.acceptAny("&", "and", "|", "or", "^", "xor")
		if !ok {
			return []op{s}, nil
		}
		n, err := p.number(kindMark)
		if err != nil {
			return nil, err
		}
		switch w {
		case "&", "and":
			s.keep, s.flip = s.keep&n, s.flip&n
		case "|", "or":
			s.keep, s.flip = s.keep&^n, s.flip|n
		default:
			s.flip ^= n
		}
	}
}

// number reads a single number of a kind.
func (p *parser) number(k *kind) (uint32, error) {
	t := p.next()
	n, err := k.number(t.text)
	if err != nil {
		return 0, p.wrong(t, "%s is expected", k.what)
	}
	return n, nil
}

func (p *parser) setZone(original, reply bool) ([]op, error) {
	n, err := p.number(&kind{what: "a zone", max: 65535})
	return []op{setZone{uint16(n), original, reply}}, err
}

// setObject reads the name after ct helper set or ct timeout set.
func (p *parser) setObject(what token) ([]op, error) {
	t := p.next()
	if what.is("helper") {
		if h := p.t.helpers[t.text]; h != nil {
			return one(h)
		}
	} else if o := p.t.policies[t.text]; o != nil {
		return one(o)
	}
	return nil, &Error{p.file, t.line, fmt.Sprintf("there is no ct %s %s in the table %s", what.text, t.text, p.t.name)}
}

// nat reads snat, dnat, masquerade or redirect, after the word.
func (p *parser) nat(t token) ([]op, error) {
	s := &translate{}
	source := true
	switch t.text {
	case "snat":
		s.to.Kind = engine.SNAT
	case "masquerade":
		s.to.Kind = engine.Masquerade
	case "dnat":
		s.to.Kind, source = engine.DNAT, false
	case "redirect":
		s.to.Kind, source = engine.Redirect, false
	}
	p.translations = append(p.translations, translation{p.c, t, s.to.Kind, source})
	needsAddr := t.is("snat") || t.is("dnat")
	if w, ok := p.acceptAny("ip", "ip6"); ok && needsAddr {
		if s.family = ctnetlink.FamilyIPv4; w == "ip6" {
			s.family = ctnetlink.FamilyIPv6
		}
	}
	if p.accept("to") {
		if err := p.target(s, needsAddr); err != nil {
			return nil, err
		}
	} else if needsAddr {
		return nil, p.wrong(p.peek(), "%s to ADDRESS is expected", t.text)
	}
	for {
		w, ok := p.acceptAny("random", "fully-random", "persistent", ",")
		if !ok {
			break
		}
		switch w {
		case "random":
			s.to.Random = true
		case "fully-random":
			s.to.FullyRandom = true
		case "persistent":
			s.to.Persistent = true
		}
	}
	return one(s)
}

// target reads ADDR[-ADDR][:PORT[-PORT]], [ADDR]:PORT or :PORT[-PORT].
func (p *parser) target(s *translate, addrs bool) error {
	t := p.next()
	text, ports := t.text, ""
	switch {
	case strings.HasPrefix(text, ":"):
		if ports, text = text[1:], ""; ports == "" { // the port is a definition
			ports = p.next().text
		}
	case strings.HasPrefix(text, "["):
		inside, rest, ok := strings.Cut(text[1:], "]")
		if second, after, range2 := strings.Cut(rest, "]"); ok && range2 && strings.HasPrefix(second, "-[") {
			inside, rest = inside+"-"+second[2:], after
		}
		text = inside
		if rest != "" {
			if !ok || rest[0] != ':' {
				return p.wrong(t, "an address is expected")
			}
			ports = rest[1:]
		}
	case strings.Count(text, ":") == 1:
		text, ports, _ = strings.Cut(text, ":")
	}
	if ports == "" && p.accept(":") { // the address was a definition
		ports = p.next().text
	}
	if text != "" {
		lo, hi, err := parseAddrs(text)
		if err != nil || !addrs {
			return p.wrong(t, "%s is expected", map[bool]string{true: "an address", false: "a port"}[addrs])
		}
		if err := p.fits(s, lo, t); err != nil {
			return err
		}
		s.to.MinAddr, s.to.MaxAddr = lo, hi
	}
	if ports == "" {
		return nil
	}
	v := &values{}
	lo, err := kindPort.number(ports)
	v.numbers = []span[uint32]{{lo, lo}}
	if before, after, ok := strings.Cut(ports, "-"); err != nil && ok {
		var hi uint32
		if lo, err = kindPort.number(before); err == nil {
			hi, err = kindPort.number(after)
		}
		v.numbers = []span[uint32]{{lo, hi}}
	}
	if err != nil || v.numbers[0].min > v.numbers[0].max {
		return p.wrong(t, "a port or a range of ports is expected")
	}
	s.to.HasPorts, s.to.MinPort, s.to.MaxPort = true, uint16(v.numbers[0].min), uint16(v.numbers[0].max)
	return nil
}

// fits checks the family of an address to translate to.
func (p *parser) fits(s *translate, a netip.Addr, t token) error {
	family := ctnetlink.FamilyIPv6
	if a.Is4() {
		family = ctnetlink.FamilyIPv4
	}
	if s.family != 0 && s.family != family || !p.t.covers(family) {
		return p.wrong(t, "an address of the family of the rule is expected")
	}
	s.family = family
	return nil
}
