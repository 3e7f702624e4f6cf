package engine

import (
	"strconv"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// fnSIP is the name of the function that translates connections that the helper sip
// expects.
const fnSIP = "sip"

// Headers whose addresses are translated.
var (
	sipVia  = sipHeader{"Via", "v"}
	sipFrom = sipHeader{"From", "f"}
	sipTo   = sipHeader{"To", "t"}
)

// translateSIP translates the addresses in the request line, in the first Via, in
// all contacts, in From and in To (nf_nat_sip). It returns false if that is not
// possible.
func (t *Table) translateSIP(p *packet, x *extension, m *sipMessage) bool {
	if p.cut() {
		return true
	}
	if m.code == 0 {
		method := 0
		for method < len(m.b) && isLetter(m.b[method]) {
			method++
		}
		if u, ok := readURI(m.b, method+1, p.family); ok && method > 0 && !t.mapURI(p, x, m, &u) {
			return false
		}
	}
	if !t.translateVia(p, x, m) {
		return false
	}
	for at := sipContact.find(m.b, 0); at >= 0; {
		u, ok := readURI(m.b, at, p.family)
		if !ok {
			break
		}
		if !t.mapURI(p, x, m, &u) {
			return false
		}
		if comma := inHeader(m.b, u.end, ","); comma >= 0 {
			at = comma + 1
		} else {
			at = sipContact.find(m.b, u.end)
		}
	}
	for _, h := range [...]sipHeader{sipFrom, sipTo} {
		if at := h.find(m.b, 0); at >= 0 {
			if u, ok := readURI(m.b, at, p.family); ok && !t.mapURI(p, x, m, &u) {
				return false
			}
		}
	}
	if p.dir == reply && x.sip.port != 0 {
		t.redirectSIP(p, x.sip.port)
	}
	return true
}

// mapURI translates an address and port that are those of an end of the connection,
// and sets u.end to where the text goes on.
func (t *Table) mapURI(p *packet, x *extension, m *sipMessage, u *sipURI) bool {
	own, peer := &p.e.tuples[p.dir], &p.e.tuples[1-p.dir]
	to := *u
	switch {
	case u.addr == own.src && u.port == own.sport:
		to.addr, to.port = peer.dst, peer.dport
	case u.addr == own.dst && u.port == own.dport:
		if to.addr, to.port = peer.src, peer.sport; x.sip.port != 0 {
			to.port = x.sip.port
		}
	}
	if to == *u {
		return true
	}
	var buf [56]byte
	text := appendAddrPort(buf[:0], p.family, &to.addr, to.port)
	if !t.mangleSIP(p, m, u.at, u.end, text) {
		return false
	}
	u.end = u.at + len(text)
	return true
}

// appendAddrPort appends an address as messages of SIP have it, and a port.
func appendAddrPort(b []byte, family ctnetlink.Family, addr *[16]byte, port uint16) []byte {
	b = appendSIPAddr(b, family, addr, true)
	return strconv.AppendUint(append(b, ':'), uint64(port), 10)
}

// appendSIPAddr appends an address; bracketed: an IPv6 address gets brackets.
func appendSIPAddr(b []byte, family ctnetlink.Family, addr *[16]byte, bracketed bool) []byte {
	switch {
	case family == familyIPv4:
		return appendIPv4(b, addr)
	case bracketed:
		return append(appendIPv6Short(append(b, '['), addr), ']')
	}
	return appendIPv6Short(b, addr)
}

// translateVia translates the first Via, if it is that of this hop, and its
// parameters maddr, received and rport (RFC 3581).
func (t *Table) translateVia(p *packet, x *extension, m *sipMessage) bool {
	u, ok := m.via(p)
	own, peer := &p.e.tuples[p.dir], &p.e.tuples[1-p.dir]
	mine := u.addr == own.src && u.port == own.sport
	if m.code != 0 {
		mine = u.addr == own.dst && u.port == own.dport
	}
	if !ok || !mine {
		return true
	}
	if !t.mapURI(p, x, m, &u) {
		return false
	}
	return t.viaParam(p, m, u.end, "maddr=", own.src, peer.dst, true) &&
		t.viaParam(p, m, u.end, "received=", own.dst, peer.src, false) &&
		t.viaPort(p, m, u.end, own.dport, peer.sport)
}

// via returns the address in the first Via.
func (m *sipMessage) via(p *packet) (u sipURI, ok bool) {
	at := sipVia.find(m.b, 0)
	if at < 0 {
		return u, false
	}
	word := "UDP "
	if p.proto == ctnetlink.ProtoTCP {
		word = "TCP "
	}
	if at = inHeader(m.b, at, word); at < 0 {
		return u, false
	}
	return readHost(m.b, at+len(word), p.family)
}

// viaParam replaces an address in a parameter by another; bracketed: an IPv6
// address gets brackets.
func (t *Table) viaParam(p *packet, m *sipMessage, from int, name string, old, with [16]byte, bracketed bool) bool {
	at := sipParam(m.b, from, name)
	if at < 0 || old == with {
		return true
	}
	addr, n := readAddr(m.b[at:], p.family, bracketed)
	if n == 0 || addr != old {
		return true
	}
	var buf [48]byte
	return t.mangleSIP(p, m, at, at+n, appendSIPAddr(buf[:0], p.family, &with, bracketed))
}

func (t *Table) viaPort(p *packet, m *sipMessage, from int, old, with uint16) bool {
	at := sipParam(m.b, from, "rport=")
	v, end, ok := decimal(m.b, at)
	if !ok || v != uint32(old) || old == with {
		return true
	}
	var buf [8]byte
	return t.mangleSIP(p, m, at, end, strconv.AppendUint(buf[:0], uint64(with), 10))
}

// mangleSIP replaces a part of a message. It returns false if that is not possible.
func (t *Table) mangleSIP(p *packet, m *sipMessage, at, end int, with []byte) bool {
	if !t.replaceData(p, at, end-at, with, true) {
		return false
	}
	m.b = p.content(8)
	return true
}

// notePort remembers the port of the first Via of a request that is sent from
// another port: it is where the sender awaits answers.
func (m *sipMessage) notePort(p *packet, x *extension) {
	o := &p.e.tuples[p.dir]
	if u, ok := m.via(p); ok && u.port != o.sport && u.addr == o.src {
		x.sip.port = u.port
	}
}

// redirectSIP sends a packet to the port where the client awaits it.
func (t *Table) redirectSIP(p *packet, port uint16) {
	if p.proto != ctnetlink.ProtoUDP {
		return
	}
	t.own(p)
	b := p.payload()
	var check []byte
	if be16(b[6:]) != 0 {
		check = b[6:8]
	}
	replace(check, b[2:], []byte{byte(port >> 8), byte(port)})
	p.v.Fate = Translated
}

// expectContact makes the expectation of calls to a contact of a translated master,
// and writes where they are to go into the contact.
func (t *Table) expectContact(p *packet, m *sipMessage, c *expectation, u *sipURI) bool {
	own, peer := &p.e.tuples[p.dir], &p.e.tuples[1-p.dir]
	port := u.port
	if port == own.sport {
		port = peer.dport
	}
	c.fn = fnSIP
	c.nat = expectNAT{dir: uint32(1 - p.dir), addr: u.addr, port: u.port}
	c.tuple.dst = peer.dst
	port, ok := t.expectPort(p, c, port, SIPNoPort)
	if !ok {
		return false
	}
	if c.tuple.dst == u.addr && port == u.port || p.cut() {
		return true
	}
	var buf [56]byte
	text := appendAddrPort(buf[:0], p.family, &c.tuple.dst, port)
	if !t.mangleSIP(p, m, u.at, u.end, text) {
		t.dropExpect(c, 0, nil)
		return t.refuse(p, NotRewritten)
	}
	u.end = u.at + len(text)
	return true
}

// followSIP translates the new entry of a connection that the helper sip expects:
// to where the master's end is, and from where the other side knows the sender, if
// that is the master's end too or announced the port.
func (t *Table) followSIP(e *entry, x *expectation) {
	dir := x.nat.dir & 1
	t.bind(e, &natRange{
		addrs: true, minAddr: x.nat.addr, maxAddr: x.nat.addr, ports: true, minPort: x.nat.port, maxPort: x.nat.port,
	}, false)
	from := &e.tuples[original]
	for _, pair := range t.expect.byMaster[x.master] {
		if pair.tuple.family == e.family() && pair.tuple.proto == e.protocol() && pair.nat.addr == from.src &&
			pair.nat.port == from.sport {
			t.bind(e, &natRange{
				addrs: true, minAddr: pair.tuple.dst, maxAddr: pair.tuple.dst,
				ports: true, minPort: pair.tuple.dport, maxPort: pair.tuple.dport,
			}, true)
			return
		}
	}
	if x.master.tuples[dir].src == from.src {
		to := x.master.tuples[1-dir].dst
		t.bind(e, &natRange{addrs: true, minAddr: to, maxAddr: to}, true)
	}
}
