package config

import (
	"net"
	"net/netip"
)

// The dedicated links.

// maxLinks is the greatest number of dedicated links.
const maxLinks = 4

func (k Kind) String() string { return [...]string{"", "Multicast", "UDP", "TCP"}[min(k, TCP)] }

// link reads a dedicated link.
func (p *parser) link(k Kind, t token) bool {
	c := p.config
	first := p.accept("Default")
	if !p.brace() {
		return false
	}
	l := linkReader{parser: p, link: Link{Kind: k, Checksum: true, Line: t.line}}
	seen := make(map[string]int)
	for !p.accept("}") {
		p.twice(seen)
		w := p.peek()
		f := linkClauses[w.text]
		if w.kind != keyword || f.read == nil || f.kinds&(1<<k) == 0 {
			return p.syntax()
		}
		p.take()
		if !f.read(&l, w) {
			return false
		}
		if len(c.Links) == maxLinks {
			return p.fatal(t.line, "too many dedicated links in the configuration file (Maximum: %d)", maxLinks)
		}
	}
	if len(c.Links) > 0 && c.Links[0].Kind != k {
		return p.fatal(t.line, "cannot use `%v' with other dedicated link protocols!", k)
	}
	if len(c.Links) == maxLinks {
		return true // without clauses: of no effect
	}
	if first {
		p.defaultLink = len(c.Links)
	}
	c.Links = append(c.Links, l.link)
	return true
}

// linkReader reads the clauses of a link.
type linkReader struct {
	*parser
	link Link
	// Which family the addresses of a multicast link were told in: 4, 6, or 0.
	family int
}

// linkClause is a clause of a link and the kinds of links that have it, as bits.
type linkClause struct {
	kinds uint
	read  func(l *linkReader, t token) bool
}

const (
	multicastOnly = 1 << Multicast
	tcpOnly       = 1 << TCP
	unicast       = 1<<UDP | 1<<TCP
	allKinds      = multicastOnly | unicast
)

var linkClauses = map[string]linkClause{
	"IPv4_address": {allKinds, func(l *linkReader, _ token) bool {
		if l.link.Kind == Multicast {
			return l.group(4)
		}
		return l.address(&l.link.Local, 4)
	}},
	"IPv6_address": {allKinds, func(l *linkReader, _ token) bool {
		if l.link.Kind == Multicast {
			return l.group(6)
		}
		return l.address(&l.link.Local, 6)
	}},
	"IPv4_interface": {multicastOnly, (*linkReader).ipv4Interface},
	"IPv6_interface": {multicastOnly, func(l *linkReader, t token) bool {
		_, ok := l.expect(address)
		if ok {
			l.warn(t.line, "`IPv6_interface' not required, ignoring")
		}
		return ok
	}},
	"IPv4_Destination_Address": {unicast, func(l *linkReader, _ token) bool { return l.address(&l.link.Remote, 4) }},
	"IPv6_Destination_Address": {unicast, func(l *linkReader, _ token) bool { return l.address(&l.link.Remote, 6) }},
	"Interface":                {allKinds, (*linkReader).iface},
	"Group":                    {multicastOnly, func(l *linkReader, _ token) bool { return l.number(&l.link.Port) }},
	"Port":                     {unicast, func(l *linkReader, _ token) bool { return l.number(&l.link.Port) }},
	"SndSocketBuffer":          {allKinds, func(l *linkReader, _ token) bool { return l.number(&l.link.SndBuffer) }},
	"RcvSocketBuffer":          {allKinds, func(l *linkReader, _ token) bool { return l.number(&l.link.RcvBuffer) }},
	"Checksum": {allKinds, func(l *linkReader, _ token) bool {
		t, ok := l.expect(boolean)
		l.link.Checksum = t.on()
		return ok
	}},
	"ErrorQueueLength": {tcpOnly, func(l *linkReader, _ token) bool { return l.number(&l.config.ErrorQueueLength) }},
}

// number takes a number.
func (l *linkReader) number(to *int) bool {
	n, ok := l.parser.number()
	*to = n
	return ok
}

// address takes an address of the family, which is the unspecified one if it is wrong.
func (l *linkReader) address(to *netip.Addr, family int) bool {
	_, ok := l.valid(to, family)
	return ok
}

// valid is address, and reports whether it was right.
func (l *linkReader) valid(to *netip.Addr, family int) (valid, ok bool) {
	t, ok := l.expect(address)
	if !ok {
		return false, false
	}
	a, err := netip.ParseAddr(t.text)
	if valid = err == nil && a.Is4() == (family == 4); valid {
		*to = a
		return true, true
	}
	l.warn(t.line, "%s is not a valid IPv%d address", t.text, family)
	*to = netip.IPv4Unspecified()
	if family == 6 {
		*to = netip.IPv6Unspecified()
	}
	return false, true
}

// group takes the group of a multicast link.
func (l *linkReader) group(family int) bool {
	t := l.peek()
	valid, ok := l.valid(&l.link.Remote, family)
	switch {
	case !valid:
	case family == 4 && l.family == 6:
		l.warn(t.line, "your multicast address is IPv4 but is binded to an IPv6 interface? "+
			"Surely, this is not what you want")
	case family == 6 && l.family == 4:
		l.warn(t.line, "your multicast address is IPv6 but is binded to an IPv4 interface? "+
			"Surely this is not what you want")
	default:
		l.family = family
	}
	return ok
}

// ipv4Interface takes the own address of a multicast link.
func (l *linkReader) ipv4Interface(token) bool {
	t := l.peek()
	valid, ok := l.valid(&l.link.Local, 4)
	switch {
	case !valid:
	case l.family == 6:
		l.warn(t.line, "your multicast interface is IPv4 but is binded to an IPv6 interface? "+
			"Surely, this is not what you want")
	default:
		l.family = 4
	}
	return ok
}

// iface takes the name of an interface.
func (l *linkReader) iface(token) bool {
	t, ok := l.expect(word)
	if !ok {
		return false
	}
	l.link.Interface = t.text
	if _, err := net.InterfaceByName(t.text); err != nil {
		l.warn(t.line, "%s is an invalid interface", t.text)
	}
	return true
}
