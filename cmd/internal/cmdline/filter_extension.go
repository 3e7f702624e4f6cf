package cmdline

import (
	"strings"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// filterOption takes an extension that selects entries.
func (p *parser) filterOption(o Option, value string) error {
	r := p.req
	c := r.criteria()
	wrong := func(what string) error { return wrongList(o.Extension().Long, value, listError(what)) }
	switch o {
	case OptHost:
		return p.hostOption(value)
	case OptPort:
		text, negated := strings.CutPrefix(value, "!")
		set, err := portSet(text, nil)
		if strings.HasPrefix(text, "!") {
			err = listError("negated twice")
		}
		if err != nil {
			return wrong(err.Error())
		}
		c.Port, c.NotPort = set, negated
	case OptMinBytes:
		n, ok := parseSize(value)
		if !ok {
			return wrong("a number of bytes is required, with an optional suffix K, M, G or T (powers of 1024)")
		}
		c.MinBytes = n
	case OptMinPackets:
		n, ok := decimal(value)
		if !ok || n == 0 {
			return wrong("a number of packets is required")
		}
		c.MinPackets = n
	case OptOlder, OptYounger, OptExpiresWithin:
		d, ok := parseDuration(value)
		if !ok {
			return wrong("a duration is required: seconds, or a form such as 90s, 5m, 1h30m, 2d, 1w")
		}
		*map[Option]*time.Duration{OptOlder: &c.Older, OptYounger: &c.Younger, OptExpiresWithin: &c.ExpiresWithin}[o] = d
	case OptGrowing, OptIdle:
		d, ok := parseDuration(value)
		if !ok {
			return wrong("a duration is required: seconds, or a form such as 90s, 5m, 1h30m")
		}
		r.Compare = d
	case OptRelated:
		r.extSet |= ctnetlink.StatusExpected
	case OptAssured:
		r.extSet |= ctnetlink.StatusAssured
	case OptUnreplied:
		r.extClear |= ctnetlink.StatusSeenReply
	case OptOffloaded:
		c.StatusAny = ctnetlink.StatusOffload | ctnetlink.StatusHWOffload
	}
	return nil
}

// hostOption reads the address of --host, with a port of that end, or a list of
// addresses, or the negation of either.
func (p *parser) hostOption(value string) error {
	r := p.req
	text, negated := strings.CutPrefix(value, "!")
	c := r.criteria()
	if addr, port, ok := splitPasted(text); ok {
		ports, err := portSet(port, nil)
		if err != nil {
			return wrongList("host", value, err)
		}
		text, c.HostPort = addr, ports
	}
	if a, ok := strictAddr(text); ok {
		text = a.String() // without brackets
	}
	a, length, hasLength, err := parsePrefix(text)
	if isAddrList(text) && (err != nil || hasLength) {
		list, err := p.addrSet(value)
		if _, wrong := err.(listError); wrong {
			return wrongList("host", value, err)
		}
		c.Host = list
		p.lists.set(deferredValue{option: OptHost, apply: func(r *Request) error { return checkFamily(r, list.In) }})
		return err
	}
	if err != nil {
		return Usagef("Invalid IP address `%s'", value)
	}
	if err := r.fixFamily(familyOf(a)); err != nil {
		return err
	}
	c.Host.Addr, c.Host.Not = a, negated
	if c.Host.Mask = maskOf(a, a.BitLen()); !hasLength {
		return nil
	}
	bits, err := parseLength(length, a.BitLen())
	if err != nil {
		return err
	}
	if negated && bits == 0 && c.HostPort == nil {
		return wrongList("host", value, errNothing)
	}
	c.Host.Mask = maskOf(a, bits)
	return nil
}
