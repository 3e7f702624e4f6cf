package cmdline

import (
	"net/netip"
	"strconv"
	"strings"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/filter"
)

// Lists of addresses: `-s 10.0.0.1,10.0.0.0/8,fd00::1-fd00::9'. The classic command
// has single addresses only.

// strictAddr reads an address in its usual form, one of IPv6 also in brackets:
// nothing of inet_aton(3).
func strictAddr(s string) (netip.Addr, bool) {
	inside, bracketed := strings.CutPrefix(s, "[")
	if bracketed {
		var closed bool
		if inside, closed = strings.CutSuffix(inside, "]"); !closed {
			return netip.Addr{}, false
		}
	}
	a, err := netip.ParseAddr(inside)
	return a, err == nil && a.Zone() == "" && (!bracketed || a.Is6())
}

// parseAddrRange reads an address, a network or a range of addresses.
func parseAddrRange(element string) (r filter.AddrRange, err error) {
	const notAnAddress = "is not an IP address"
	from, to, ranged := strings.Cut(element, "-")
	host, length, hasLength := strings.Cut(from, "/")
	lo, ok := strictAddr(host)
	_, _, pasted := splitPasted(element)
	switch {
	case !ok && pasted:
		return r, listErrorf(element, "has a port, which an address of a list cannot have")
	case !ok:
		return r, listErrorf(element, notAnAddress)
	case hasLength && ranged:
		return r, listErrorf(element, "is a range of networks")
	case hasLength:
		bits, ok := decimal(length)
		if !ok || bits > uint64(lo.BitLen()) {
			return r, listErrorf(element, "needs a length from 0 to "+strconv.Itoa(lo.BitLen())+" after the slash")
		}
		return filter.PrefixRange(netip.PrefixFrom(lo, int(bits))), nil
	case !ranged:
		return filter.AddrRange{Min: lo, Max: lo}, nil
	}
	hi, ok := strictAddr(to)
	switch {
	case !ok:
		return r, listErrorf(element, notAnAddress)
	case lo.BitLen() != hi.BitLen():
		return r, listErrorf(element, "is a range from one family to the other")
	case lo.Compare(hi) > 0:
		return r, listErrorf(element, "is a reversed range")
	}
	return filter.AddrRange{Min: lo, Max: hi}, nil
}

// isAddrList reports whether a value may be a list or a range of addresses.
func isAddrList(value string) bool { return strings.ContainsAny(value, ",-") }

// parseAddrs reads a list of addresses, with a ! in front for none of them. One that
// leaves nothing to choose is refused.
func parseAddrs(value string) (set filter.AddrSet, negated bool, err error) {
	var ranges []filter.AddrRange
	negated, err = elements(value, func(element string) error {
		r, err := parseAddrRange(element)
		ranges = append(ranges, r)
		return err
	})
	if err != nil {
		return nil, negated, err
	}
	set = filter.NewAddrSet(ranges...)
	if negated && len(set) == 1 && set[0].Min.IsUnspecified() && !set[0].Max.Next().IsValid() {
		return nil, negated, errNothing
	}
	return set, negated, nil
}

// addrSet reads a list of addresses, which fixes the family if all are of one.
func (p *parser) addrSet(value string) (a filter.Address, err error) {
	a.In, a.Not, err = parseAddrs(value)
	if err != nil {
		return a, err
	}
	if family := a.In.Family(); family != ctnetlink.FamilyAny {
		return a, p.req.fixFamily(family)
	}
	return a, nil
}

// checkFamily refuses a list of addresses of both families if one family is fixed:
// a part of the list would match nothing.
func checkFamily(r *Request, set filter.AddrSet) error {
	if set != nil && set.Family() == ctnetlink.FamilyAny && r.Family != ctnetlink.FamilyAny {
		return Usagef("mismatched address family")
	}
	return nil
}

// addressSet keeps the list that is the value of -s, -d, -r or -q, of which refused
// is the error for commands that take one address.
func (p *parser) addressSet(o Option, value string, refused error) error {
	list, err := p.addrSet(value)
	if _, wrong := err.(listError); wrong {
		return refused
	}
	if err != nil {
		return err
	}
	p.dropLength(o)
	p.lists.set(deferredValue{option: o, refused: refused, apply: func(r *Request) error {
		if o == OptSrc && r.Has(OptMaskSrc) || o == OptDst && r.Has(OptMaskDst) {
			return Usagef("Can't use --mask-%s with a list of addresses", OptionNames[o])
		}
		w, t := &r.criteria().Orig, &r.Orig
		if o == OptReplySrc || o == OptReplyDst {
			w, t = &r.criteria().Reply, &r.Reply
		}
		field := addressField(o)
		*t = t.Only(t.Has &^ field)
		w.SetAddr(field, list)
		return checkFamily(r, list.In)
	}})
	return nil
}

// addressField returns the field that -s, -d, -r or -q is about.
func addressField(o Option) ctnetlink.Fields {
	if o == OptSrc || o == OptReplySrc {
		return ctnetlink.FieldSrc
	}
	return ctnetlink.FieldDst
}

// dropLength forgets the length of an earlier value of -s or -d, in whose place
// another one stands.
func (p *parser) dropLength(o Option) {
	switch {
	case p.lengths&addressField(o) == 0:
	case o == OptSrc:
		p.req.given.remove(OptMaskSrc)
	case o == OptDst:
		p.req.given.remove(OptMaskDst)
	}
}
