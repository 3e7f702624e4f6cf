package ruleset

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/ctnetlink/engine"
)

// namedSet is a set that rules name.
type namedSet struct {
	kind   *kind
	values values
}

// setKinds are the types of sets.
var setKinds = map[string]*kind{
	"ipv4_addr": kindIPv4, "ipv6_addr": kindIPv6, "inet_service": kindPort, "inet_proto": kindProtocol,
	"ifname": kindName, "mark": kindMark, "icmp_type": kindICMPType, "icmpv6_type": kindICMPv6Type,
}

// set reads a set.
func (p *parser) set() error {
	name, err := p.word("the name of the set")
	if err != nil {
		return err
	}
	if err := p.expect("{"); err != nil {
		return err
	}
	s := &namedSet{}
	var elements *token
	start := 0
	for p.skipEnds(); !p.accept("}"); p.skipEnds() {
		switch t := p.next(); t.text {
		case "type":
			k := p.next()
			if s.kind = setKinds[k.text]; s.kind == nil {
				return p.unknown(k)
			}
		case "flags":
			for {
				f := p.next()
				if !f.is("interval") && !f.is("constant") {
					return p.unknown(f)
				}
				if !p.accept(",") {
					break
				}
			}
		case "auto-merge":
		case "comment":
			p.next()
		case "elements":
			if err := p.expect("="); err != nil {
				return err
			}
			elements, start = &t, p.at
			if err := p.skipBraces(); err != nil {
				return err
			}
		case "":
			return p.wrong(t, "\"}\" is expected")
		default:
			return p.unknown(t)
		}
		if err := p.end(); err != nil {
			return err
		}
	}
	if s.kind == nil {
		return p.wrong(p.peek(), "the set %s has no type", name)
	}
	p.t.sets[name] = s
	if elements != nil {
		end := p.at
		p.at = start
		if err := p.elements(s); err != nil {
			return err
		}
		p.at = max(p.at, end)
	}
	return p.end()
}

// skipBraces passes over a list in braces.
func (p *parser) skipBraces() error {
	t := p.peek()
	if err := p.expect("{"); err != nil {
		return err
	}
	for depth := 1; depth > 0; {
		switch n := p.next(); {
		case n.is("{"):
			depth++
		case n.is("}"):
			depth--
		case n.text == "" && !n.quoted:
			return p.wrong(t, "the list is not closed")
		}
	}
	return nil
}

// elements reads the elements of a set.
func (p *parser) elements(s *namedSet) error {
	v, err := p.values(s.kind)
	if err != nil {
		return err
	}
	s.values.merge(v)
	s.values.sort()
	return nil
}

// element reads what follows add element.
func (p *parser) element() error {
	t := p.next()
	s := p.t.sets[t.text]
	if s == nil {
		return &Error{p.file, t.line, fmt.Sprintf("there is no set %s in the table %s", t.text, p.t.name)}
	}
	if err := p.elements(s); err != nil {
		return err
	}
	return p.end()
}

// object reads a ct helper or a ct timeout, after ct.
func (p *parser) object() error {
	t := p.next()
	return p.objectOf(t.text, t.line)
}

func (p *parser) objectOf(what string, line int) error {
	if what != "helper" && what != "timeout" {
		return &Error{p.file, line, fmt.Sprintf("ct %s is not supported here", what)}
	}
	name, err := p.word("the name of the object")
	if err != nil {
		return err
	}
	if err := p.expect("{"); err != nil {
		return err
	}
	var helper setHelper
	var policy []token
	for p.skipEnds(); !p.accept("}"); p.skipEnds() {
		switch t := p.next(); {
		case t.is("type") && what == "helper":
			helper.name = p.next().text
			if err := p.expect("protocol"); err != nil {
				return err
			}
			helper.proto, err = p.objectProtocol()
		case t.is("protocol") && what == "timeout":
			helper.proto, err = p.objectProtocol()
		case t.is("l3proto"):
			helper.family, err = p.objectFamily()
		case t.is("policy") && what == "timeout":
			if err := p.expect("="); err != nil {
				return err
			}
			start := p.at
			err = p.skipBraces()
			policy = slices.Clone(p.tokens[start:p.at])
		case t.is("comment"):
			p.next()
		case t.text == "" && !t.quoted:
			return p.wrong(t, "\"}\" is expected")
		default:
			return p.unknown(t)
		}
		if err != nil {
			return err
		}
		if err := p.end(); err != nil {
			return err
		}
	}
	if helper.proto == 0 {
		return &Error{p.file, line, fmt.Sprintf("the object %s has no protocol", name)}
	}
	if what == "helper" {
		return p.addHelper(name, helper, line)
	}
	return p.addTimeouts(name, helper, policy)
}

func (p *parser) addHelper(name string, h setHelper, line int) error {
	families := []ctnetlink.Family{h.family}
	if h.family == 0 {
		families = []ctnetlink.Family{ctnetlink.FamilyIPv4, ctnetlink.FamilyIPv6}
	}
	if !slices.ContainsFunc(families, func(f ctnetlink.Family) bool { return engine.HasHelper(h.name, f, h.proto) }) {
		return &Error{p.file, line, fmt.Sprintf("there is no helper %q for %s", h.name, h.proto)}
	}
	p.t.helpers[name] = &h
	return p.end()
}

func (p *parser) objectProtocol() (ctnetlink.Protocol, error) {
	t := p.next()
	n, err := kindProtocol.number(t.text)
	if err != nil || n == 0 {
		return 0, p.wrong(t, "a protocol is expected")
	}
	return ctnetlink.Protocol(n), nil
}

func (p *parser) objectFamily() (ctnetlink.Family, error) {
	switch t := p.next(); t.text {
	case "ip":
		return ctnetlink.FamilyIPv4, nil
	case "ip6":
		return ctnetlink.FamilyIPv6, nil
	case "inet":
		return 0, nil
	default:
		return 0, p.wrong(t, "ip, ip6 or inet is expected")
	}
}

// timeoutNames are the names of timeouts in a policy, by protocol, with their
// index in [engine.Timeouts].
var timeoutNames = map[ctnetlink.Protocol]map[string]int{
	ctnetlink.ProtoTCP: {
		"syn_sent": 1, "syn_recv": 2, "established": 3, "fin_wait": 4, "close_wait": 5, "last_ack": 6, "time_wait": 7,
		"close": 8, "syn_sent2": 9, "retrans": 10, "unack": 11,
	},
	ctnetlink.ProtoUDP:     {"unreplied": 0, "replied": 1},
	ctnetlink.ProtoUDPLite: {"unreplied": 0, "replied": 1},
	ctnetlink.ProtoGRE:     {"unreplied": 0, "replied": 1},
	ctnetlink.ProtoSCTP: {
		"closed": 1, "cookie_wait": 2, "cookie_echoed": 3, "established": 4, "shutdown_sent": 5, "shutdown_recd": 6,
		"shutdown_ack_sent": 7,
	},
	ctnetlink.ProtoICMP:   {"timeout": 0},
	ctnetlink.ProtoICMPv6: {"timeout": 0},
}

// addTimeouts reads the policy of a ct timeout: names and seconds. nft gives the
// kernel a number for each timeout; those that the policy does not name are the
// defaults, whatever the machine's variables are.
func (p *parser) addTimeouts(name string, h setHelper, policy []token) error {
	defaults := engine.DefaultSysctls()
	o := &setTimeouts{family: h.family, proto: h.proto}
	switch h.proto {
	case ctnetlink.ProtoTCP:
		o.timeouts = defaults.TCP
	case ctnetlink.ProtoUDP, ctnetlink.ProtoUDPLite:
		o.timeouts = defaults.UDP
	case ctnetlink.ProtoGRE:
		o.timeouts = defaults.GRE
	case ctnetlink.ProtoSCTP:
		o.timeouts = defaults.SCTP
	case ctnetlink.ProtoICMP:
		o.timeouts = defaults.ICMP
	case ctnetlink.ProtoICMPv6:
		o.timeouts = defaults.ICMPv6
	default:
		o.timeouts = defaults.Generic
	}
	words := slices.DeleteFunc(policy, func(t token) bool {
		return t.isEnd() || t.is("{") || t.is("}") || t.is(",") || t.is(":")
	})
	for len(words) > 1 {
		i, ok := timeoutNames[h.proto][words[0].text]
		if !ok {
			return p.wrong(words[0], "a timeout of %s is expected", h.proto)
		}
		seconds, ok := parseSeconds(words[1].text)
		if !ok {
			return p.wrong(words[1], "a time in seconds is expected")
		}
		o.timeouts[i] = seconds
		words = words[2:]
	}
	if len(words) > 0 {
		return p.wrong(words[0], "pairs of a name and a time are expected")
	}
	p.t.policies[name] = o
	return p.end()
}

// parseSeconds reads a time such as 30, 30s or 1h30m.
func parseSeconds(text string) (uint32, bool) {
	if n, err := strconv.ParseUint(text, 10, 31); err == nil {
		return uint32(n), true
	}
	var days uint64
	if before, after, ok := strings.Cut(text, "d"); ok {
		n, err := strconv.ParseUint(before, 10, 16)
		if err != nil {
			return 0, false
		}
		if days, text = n, after; text == "" {
			text = "0s"
		}
	}
	d, err := time.ParseDuration(text)
	total := days*86400 + uint64(max(d, 0)/time.Second)
	return uint32(total), err == nil && d >= 0 && total <= math.MaxInt32
}
