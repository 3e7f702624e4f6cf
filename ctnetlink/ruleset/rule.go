package ruleset

import (
	"github.com/gonntrack/gonntrack/ctnetlink"
)

// rule reads a rule up to the end of its line and adds it to the chain.
func (p *parser) rule() error {
	r := rule{line: p.peek().line}
	for {
		t := p.peek()
		if t.isEnd() || t.is("}") {
			break
		}
		o, err := p.part()
		if err != nil {
			return err
		}
		r.ops = append(r.ops, o...)
	}
	p.c.rules = append(p.c.rules, r)
	return p.end()
}

// part reads one match or statement.
func (p *parser) part() ([]op, error) {
	t := p.next()
	if t.quoted {
		return nil, p.unknown(t)
	}
	if f, ok := protocolFields[t.text]; ok {
		return p.header(t, f)
	}
	switch t.text {
	case "ip", "ip6":
		return p.network(t)
	case "meta":
		return p.meta(p.next())
	case "iif", "iifname", "oif", "oifname", "l4proto", "nfproto":
		return p.meta(t)
	case "ct":
		return p.ct()
	case "accept":
		return one(verdict(accept))
	case "drop":
		return one(verdict(drop))
	case "return":
		return one(verdict(leave))
	case "continue":
		return one(nothing{})
	case "reject":
		return p.reject()
	case "jump", "goto":
		o, err := p.jump(t)
		return []op{o}, err
	case "counter":
		return p.counter()
	case "notrack":
		return one(notrack{})
	case "log":
		return p.log()
	case "comment":
		p.next()
		return nil, nil
	case "snat", "dnat", "masquerade", "redirect":
		return p.nat(t)
	}
	return nil, p.unknown(t)
}

func one(o op) ([]op, error) { return []op{o}, nil }

// protocolFields are the transport protocols whose fields a rule can test.
var protocolFields = map[string][4]ctnetlink.Protocol{
	"tcp":     {ctnetlink.ProtoTCP},
	"udp":     {ctnetlink.ProtoUDP},
	"udplite": {ctnetlink.ProtoUDPLite},
	"sctp":    {ctnetlink.ProtoSCTP},
	"dccp":    {ctnetlink.ProtoDCCP},
	"icmp":    {ctnetlink.ProtoICMP},
	"icmpv6":  {ctnetlink.ProtoICMPv6},
	"th":      {},
}

// header reads a match of a field of the transport header.
func (p *parser) header(at token, protos [4]ctnetlink.Protocol) ([]op, error) {
	f := p.next()
	x := &match{protos: protos}
	icmp := at.is("icmp") || at.is("icmpv6")
	kind := kindPort
	switch {
	case f.is("sport") && !icmp:
		x.field = fieldSrcPort
	case f.is("dport") && !icmp:
		x.field = fieldDstPort
	case f.is("flags") && at.is("tcp"):
		x.field, kind = fieldTCPFlags, kindTCPFlags
	case f.is("type") && icmp:
		if x.field, kind = fieldICMPType, kindICMPType; at.is("icmpv6") {
			kind = kindICMPv6Type
		}
	case f.is("code") && icmp:
		x.field, kind = fieldICMPCode, kindNumber8
	default:
		return nil, p.unknown(f)
	}
	switch {
	case at.is("icmp"):
		x.family = ctnetlink.FamilyIPv4
	case at.is("icmpv6"):
		x.family = ctnetlink.FamilyIPv6
	}
	return p.compare(x, kind)
}

// network reads a match of a field of the IP header.
func (p *parser) network(at token) ([]op, error) {
	x, kind := &match{family: ctnetlink.FamilyIPv4}, kindIPv4
	if at.is("ip6") {
		x.family, kind = ctnetlink.FamilyIPv6, kindIPv6
	}
	if fam := p.t.families; fam != "inet" && fam != at.text {
		return nil, &Error{p.file, at.line, at.text + " has no place in a table of the family " + fam}
	}
	switch f := p.next(); {
	case f.is("saddr"):
		x.field = fieldSrc
	case f.is("daddr"):
		x.field = fieldDst
	case f.is("protocol") && at.is("ip"):
		x.field, kind = fieldProtocol, kindProtocol
	case f.is("nexthdr") && at.is("ip6"):
		x.field, kind = fieldNextHeader, kindProtocol
	default:
		return nil, p.unknown(f)
	}
	return p.compare(x, kind)
}

// meta reads a match of what is known about a packet beside its bytes.
func (p *parser) meta(t token) ([]op, error) {
	switch t.text {
	case "iif", "iifname":
		return p.compare(&match{field: fieldIn}, kindName)
	case "oif", "oifname":
		return p.compare(&match{field: fieldOut}, kindName)
	case "l4proto":
		return p.compare(&match{field: fieldProtocol}, kindProtocol)
	case "nfproto":
		return p.compare(&match{field: fieldFamily}, kindFamily)
	}
	return nil, p.unknown(t)
}

// ct reads a match of, or a statement about, connection tracking.
func (p *parser) ct() ([]op, error) {
	t := p.next()
	switch t.text {
	case "state":
		return p.compare(&match{field: fieldState}, kindState)
	case "status":
		return p.compare(&match{field: fieldStatus}, kindStatus)
	case "direction":
		return p.compare(&match{field: fieldDirection}, kindDirection)
	case "mark":
		if p.accept("set") {
			return p.setMark()
		}
		return p.compare(&match{field: fieldMark}, kindMark)
	case "helper", "timeout":
		if p.accept("set") {
			return p.setObject(t)
		}
	case "zone":
		if p.accept("set") {
			return p.setZone(true, true)
		}
	case "original", "reply":
		if p.accept("zone") && p.accept("set") {
			return p.setZone(t.is("original"), t.is("reply"))
		}
	}
	return nil, p.unknown(t)
}

// compare reads the operator and the values of a match, or a verdict map.
func (p *parser) compare(x *match, k *kind) ([]op, error) {
	if p.accept("vmap") {
		return p.verdictMap(x, k)
	}
	if _, ok := p.acceptAny("&", "and"); ok && k.bits {
		mask, err := p.bits(k)
		if err != nil {
			return nil, err
		}
		x.how, x.mask = masked, mask
	}
	explicit := p.accept("==")
	if !explicit && p.accept("!=") {
		explicit, x.not = true, true
	}
	at := p.peek()
	list := at.is("{") || !at.quoted && len(at.text) > 1 && at.text[0] == '@'
	v, err := p.values(k)
	if err != nil {
		return nil, err
	}
	x.values = v
	switch {
	case k.bits && !list && p.accept("/"):
		mask, err := p.bits(k)
		if err != nil {
			return nil, err
		}
		x.how, x.mask = masked, mask
	case k.flags && !list && !explicit && x.how == among:
		x.how = anyBit
	}
	return []op{x}, nil
}

// verdictMap reads the map after vmap.
func (p *parser) verdictMap(x *match, k *kind) ([]op, error) {
	if err := p.expect("{"); err != nil {
		return nil, err
	}
	m := &verdictMap{}
	for {
		p.skipEnds()
		if p.accept("}") {
			break
		}
		e := *x
		e.values = &values{}
		if !p.accept("*") {
			if err := p.value(k, e.values); err != nil {
				return nil, err
			}
			e.values.sort()
		} else {
			e.values.numbers = []span[uint32]{{0, 1<<32 - 1}}
		}
		if err := p.expect(":"); err != nil {
			return nil, err
		}
		var o op
		switch t := p.next(); t.text {
		case "accept":
			o = verdict(accept)
		case "drop":
			o = verdict(drop)
		case "return":
			o = verdict(leave)
		case "continue":
			o = verdict(next)
		case "jump", "goto":
			b, err := p.jump(t)
			if err != nil {
				return nil, err
			}
			o = b
		default:
			return nil, p.wrong(t, "a verdict is expected")
		}
		m.elems = append(m.elems, verdictElem{&e, o})
		if p.skipEnds(); !p.accept(",") && !p.peek().is("}") {
			return nil, p.wrong(p.peek(), "\",\" or \"}\" is expected")
		}
	}
	if len(m.elems) == 0 {
		return nil, p.wrong(p.peek(), "the map is empty")
	}
	return []op{m}, nil
}
