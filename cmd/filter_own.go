package cmd

import (
	"math"
	"strings"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// filterOption takes one of the program's own options that choose entries.
func (p *parser) filterOption(o option, value string) error {
	r := p.req
	c := r.criteria()
	wrong := func(what string) error { return wrongList(o.own().long, value, listError(what)) }
	switch o {
	case optHost:
		return p.host(value)
	case optPort:
		text, negated := strings.CutPrefix(value, "!")
		set, err := parseSet(text, decimal, math.MaxUint16)
		if strings.HasPrefix(text, "!") {
			err = listError("negated twice")
		}
		if err != nil {
			return wrong(err.Error())
		}
		c.Port, c.NotPort = set, negated
	case optMinBytes:
		n, ok := parseSize(value)
		if !ok {
			return wrong("a number of bytes is required, with an optional suffix K, M, G or T (powers of 1024)")
		}
		c.MinBytes = n
	case optMinPackets:
		n, ok := decimal(value)
		if !ok || n == 0 {
			return wrong("a number of packets is required")
		}
		c.MinPackets = n
	case optOlder, optYounger, optExpiresWithin:
		d, ok := parseDuration(value)
		if !ok {
			return wrong("a duration is required: seconds, or a form such as 90s, 5m, 1h30m, 2d, 1w")
		}
		*map[option]*time.Duration{optOlder: &c.Older, optYounger: &c.Younger, optExpiresWithin: &c.ExpiresWithin}[o] = d
	case optRelated:
		r.ownSet |= ctnetlink.StatusExpected
	case optAssured:
		r.ownSet |= ctnetlink.StatusAssured
	case optUnreplied:
		r.ownClear |= ctnetlink.StatusSeenReply
	case optOffloaded:
		c.StatusAny = ctnetlink.StatusOffload | ctnetlink.StatusHWOffload
	}
	return nil
}

// host reads the address of --host, or the negation of one.
func (p *parser) host(value string) error {
	text, negated := strings.CutPrefix(value, "!")
	a, length, hasLength, err := parsePrefix(text)
	if err != nil {
		return usagef("Invalid IP address `%s'", value)
	}
	if err := p.req.fixFamily(familyOf(a)); err != nil {
		return err
	}
	c := p.req.criteria()
	c.Host.Addr, c.Host.Not = a, negated
	if c.Host.Mask = maskOf(a, a.BitLen()); !hasLength {
		return nil
	}
	bits, err := parseLength(length, a.BitLen())
	if err != nil {
		return err
	}
	if negated && bits == 0 {
		return wrongList("host", value, errNothing)
	}
	c.Host.Mask = maskOf(a, bits)
	return nil
}
