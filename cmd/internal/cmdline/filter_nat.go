package cmdline

import (
	"strings"

	"github.com/gonntrack/gonntrack/filter"
)

// natOption reads the value of -n, -g or -j.
func (p *parser) natOption(o Option, value string, n *filter.NAT) error {
	p.lists.unset(o, 0)
	to, refused, err := p.natValue(o, value)
	switch {
	case err != nil:
		return err
	case refused == nil:
		*n = to
		return nil
	}
	p.lists.set(deferredValue{option: o, refused: refused, apply: func(r *Request) error {
		*n = to
		return checkFamily(r, to.In)
	}})
	return nil
}

// natNegation reads the word after -n, -g or -j when it is a negation. The classic
// command ignores it.
func (p *parser) natNegation(o Option, value string) error {
	if err := p.generic(o, "", false); err != nil {
		return err
	}
	to, _, err := p.natValue(o, value)
	n := nat(p.req, o)
	p.lists.set(deferredValue{option: o, wrong: err, apply: func(r *Request) error {
		*n = to
		return checkFamily(r, to.In)
	}})
	return nil
}

// nat returns the translation of an option.
func nat(r *Request, o Option) *filter.NAT {
	switch o {
	case OptSrcNAT:
		return &r.SrcNAT
	case OptDstNAT:
		return &r.DstNAT
	}
	return &r.AnyNAT
}

// natValue reads a translation. refused is the error for a command that does not
// select entries, nil if it takes the value as well.
func (p *parser) natValue(o Option, value string) (to filter.NAT, refused, err error) {
	text, negated := strings.CutPrefix(value, "!")
	if negated {
		refused = Usagef("Invalid IP address `%s'", value)
	}
	wrong := func(err error) (filter.NAT, error, error) {
		if negated {
			err = refused
		}
		return filter.NAT{}, nil, err
	}
	addr, port, hasPort, err := splitNAT(text)
	if err != nil {
		return wrong(err)
	}
	a, length, hasLength, err := parsePrefix(addr)
	if isAddrList(addr) && !hasPort {
		if err == nil && hasLength {
			err = noCIDR(o)
		}
		if err != nil {
			if negated {
				err = refused
			}
			return p.natSet(value, err)
		}
	}
	if err != nil {
		return wrong(err)
	}
	if err := p.req.fixFamily(familyOf(a)); err != nil {
		return filter.NAT{}, nil, err
	}
	to = filter.NAT{Given: true, Not: negated, Addr: a, Port: port, HasPort: hasPort}
	if !hasLength {
		return to, refused, nil
	}
	bits, err := parseLength(length, a.BitLen())
	if err != nil {
		return wrong(noCIDR(o))
	}
	if bits < a.BitLen() {
		to.Mask = maskOf(a, bits)
	}
	if !negated {
		refused = noCIDR(o)
	}
	return to, refused, nil
}

// natSet reads a list of addresses to which was translated. refused is the error for
// commands that take one, and that of a list that is wrong.
func (p *parser) natSet(value string, refused error) (to filter.NAT, _, err error) {
	list, err := p.addrSet(value)
	if _, wrong := err.(listError); wrong {
		return to, nil, refused
	}
	return filter.NAT{Given: true, In: list.In, Not: list.Not}, refused, err
}
