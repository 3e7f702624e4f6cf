package engine

import "github.com/gonntrack/gonntrack/ctnetlink"

// sipTimeout is the timeout of a connection of SIP in seconds (the parameter
// sip_timeout).
const sipTimeout = 3600

// sipState is what the helper sip knows of an entry.
type sipState struct {
	invite, register uint32 // CSeq of the last request
	port             uint16 // where the client awaits answers, if it sends from another; 0: not known
}

// sipMessage is one message.
type sipMessage struct {
	b    []byte
	cseq uint32
	code uint32 // of a response
}

// sipMethod is what a method does to expectations. A nil function: nothing.
type sipMethod struct {
	name     string
	request  func(t *Table, p *packet, x *extension, m *sipMessage) bool
	response func(t *Table, p *packet, x *extension, m *sipMessage) bool
}

// sipMethods are the methods that the helper reads; other messages pass.
var sipMethods = [...]sipMethod{
	{"INVITE", sipInvite, sipAnswer},
	{"UPDATE", sipOffer, sipAnswer},
	{"ACK", sipOffer, nil},
	{"PRACK", sipOffer, sipAnswer},
	{"BYE", sipBye, nil},
	{"REGISTER", sipRegister, sipRegistered},
}

// readSIP is the helper sip over UDP.
func readSIP(t *Table, p *packet, x *extension) bool {
	b := p.content(8)
	if len(b) == 0 {
		return true
	}
	t.extendTimeout(p.e, sipTimeout)
	if len(b) < len("SIP/2.0 200") {
		return true
	}
	m := &t.path.sip // it would be allocated otherwise
	*m = sipMessage{b: b}
	return t.readSIPMessage(p, x, m) &&
		(!p.e.translated() || t.translateSIP(p, x, m) || t.refuse(p, NotRewritten))
}

// readSIPMessage reads a message. It returns false if the packet is dropped.
func (t *Table) readSIPMessage(p *packet, x *extension, m *sipMessage) bool {
	const version = "SIP/2.0 "
	if hasFold(m.b, version) {
		var ok bool
		if m.code, _, ok = decimal(m.b, len(version)); !ok || m.code == 0 {
			return p.cut() || p.drop(SIPNoCode)
		}
		end, ok := m.readCSeq(p)
		if !ok {
			return p.cut()
		}
		for i := range sipMethods {
			if c := &sipMethods[i]; end < len(m.b) && hasFold(m.b[end+1:], c.name) {
				return c.response == nil || c.response(t, p, x, m)
			}
		}
		return true
	}
	m.notePort(p, x)
	for i := range sipMethods {
		c, n := &sipMethods[i], len(sipMethods[i].name)
		if len(m.b) < n+2 || !hasFold(m.b, c.name) || m.b[n] != ' ' || !isLetter(m.b[n+1]) {
			continue
		}
		if _, ok := m.readCSeq(p); !ok {
			return p.cut()
		}
		return c.request(t, p, x, m)
	}
	return true
}

// readCSeq reads the header CSeq and returns where its number ends. Without one ok
// is false and the packet is dropped, unless it was not captured whole.
func (m *sipMessage) readCSeq(p *packet) (end int, ok bool) {
	at := sipCSeq.find(m.b, 0)
	switch m.cseq, end, ok = decimal(m.b, at); {
	case !ok && p.cut():
		return 0, false
	case !ok && at >= 0 && end > at:
		return 0, p.drop(SIPBadCSeq)
	case !ok:
		return 0, p.drop(SIPNoCSeq)
	}
	return end, true
}

// sipOffer is for requests that may describe media, sipInvite for the one that
// begins a call: it ends what was expected before.
func sipOffer(t *Table, p *packet, _ *extension, m *sipMessage) bool { return t.readSDP(p, m) }

func sipInvite(t *Table, p *packet, x *extension, m *sipMessage) bool {
	t.forgetMedia(p.e)
	if !t.readSDP(p, m) {
		return false
	}
	x.sip.invite = m.cseq
	return true
}

// sipAnswer is for responses to those: media are expected, or none if the call is
// refused.
func sipAnswer(t *Table, p *packet, x *extension, m *sipMessage) bool {
	switch {
	case m.code >= 100 && m.code < 300:
		return t.readSDP(p, m)
	case x.sip.invite == m.cseq:
		t.forgetMedia(p.e)
	}
	return true
}

func sipBye(t *Table, p *packet, _ *extension, _ *sipMessage) bool {
	t.forgetMedia(p.e)
	return true
}

// sipRegister is for the request to register: a call to the contact is expected,
// once the registrar has agreed.
func sipRegister(t *Table, p *packet, x *extension, m *sipMessage) bool {
	e := p.e
	if e.status&ctnetlink.StatusExpected != 0 {
		return true // it may be registered with another address
	}
	at := sipContact.find(m.b, 0)
	if at < 0 {
		return true
	}
	u, ok := readURI(m.b, at, p.family)
	if !ok || u.addr != e.tuples[p.dir].src || !m.transport(u.end, p.proto) {
		return true
	}
	expires, ok := m.expires(p, u.end, m.commonExpires())
	if !ok {
		return p.cut()
	}
	if expires != 0 {
		c := p.expect(0, p.proto, e.tuples[1-p.dir].src, u.addr, u.port)
		c.flags, c.helper = expectPermanent|expectInactive, x.helper
		if e.translated() {
			if !t.expectContact(p, m, c, &u) {
				return false
			}
		} else if no := t.announceShared(c); no != 0 && no != ctnetlink.EALREADY {
			return t.refuse(p, ExpectationRefused)
		}
	}
	x.sip.register = m.cseq
	return true
}

// sipRegistered is for the response to it.
func sipRegistered(t *Table, p *packet, x *extension, m *sipMessage) bool {
	if x.sip.register != m.cseq || m.code >= 100 && m.code < 200 {
		return true
	}
	if m.code < 200 || m.code > 299 {
		t.forgetSignalling(p.e)
		return true
	}
	common := m.commonExpires()
	for at := sipContact.find(m.b, 0); at >= 0; {
		u, ok := readURI(m.b, at, p.family)
		if !ok {
			break
		}
		if u.addr == p.e.tuples[p.dir].dst && m.transport(u.end, p.proto) {
			expires, ok := m.expires(p, u.end, common)
			if !ok {
				return p.cut()
			}
			if expires == 0 {
				break
			}
			if t.activate(p, &u, expires) {
				return true
			}
		}
		if comma := inHeader(m.b, u.end, ","); comma >= 0 {
			at = comma + 1
		} else {
			at = sipContact.find(m.b, u.end)
		}
	}
	t.forgetSignalling(p.e)
	return true
}

// transport reports whether a contact is for the protocol of the packet.
func (m *sipMessage) transport(from int, proto ctnetlink.Protocol) bool {
	at := sipParam(m.b, from, "transport=")
	switch {
	case at < 0:
		return true
	case hasFold(m.b[at:], "TCP"):
		return proto == ctnetlink.ProtoTCP
	case hasFold(m.b[at:], "UDP"):
		return proto == ctnetlink.ProtoUDP
	}
	return false
}

// commonExpires returns the number in the header Expires, 0 without one.
func (m *sipMessage) commonExpires() uint32 {
	v, _, _ := decimal(m.b, sipExpires.find(m.b, 0))
	return v
}

// expires returns the seconds for which a contact is registered: its own, or those
// of all. ok is false if it has none that can be read: the packet is dropped,
// unless it was not captured whole.
func (m *sipMessage) expires(p *packet, from int, common uint32) (v uint32, ok bool) {
	at := sipParam(m.b, from, "expires=")
	if at < 0 {
		return common, true
	}
	if v, _, ok = decimal(m.b, at); !ok && !p.cut() {
		p.drop(SIPBadExpires)
	}
	return v, ok
}

// activate makes the expectation of calls to a contact active. It returns false if
// there is none.
func (t *Table) activate(p *packet, u *sipURI, seconds uint32) bool {
	for _, x := range t.expect.byMaster[p.e] {
		if x.class != 0 || x.tuple.dst != u.addr || x.tuple.proto != p.proto || x.tuple.dport != u.port {
			continue
		}
		x.flags &^= expectInactive
		x.ends = t.now.after(seconds)
		t.expect.observe(x)
		return true
	}
	return false
}

// forgetMedia removes the expectations of media, and forgetSignalling one of
// signalling.
func (t *Table) forgetMedia(e *entry) {
	for {
		gone := false
		for _, x := range t.expect.byMaster[e] {
			if x.class != 0 {
				t.dropExpect(x, 0, nil)
				gone = true
				break
			}
		}
		if !gone {
			return
		}
	}
}

func (t *Table) forgetSignalling(e *entry) {
	for _, x := range t.expect.byMaster[e] {
		if x.class == 0 {
			t.dropExpect(x, 0, nil)
			return
		}
	}
}
