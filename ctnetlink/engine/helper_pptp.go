package engine

import "github.com/gonntrack/gonntrack/ctnetlink"

// pptpState is what the helper pptp knows of a control connection.
type pptpState struct {
	session pptpSession
	call    pptpCall
	pns     uint16 // call id of the client, the PPTP network server, as the server has it
	own     uint16 // the same as the client has it, if the control connection is translated
	pac     uint16 // call id of the server, the PPTP access concentrator
}

// pptpSession is the state of the control connection (enum pptp_ctrlsess_state of
// linux/netfilter/nf_conntrack_pptp.h).
type pptpSession uint8

const (
	pptpSessionNone pptpSession = iota
	pptpSessionError
	pptpSessionStop
	pptpSessionRequested
	pptpSessionConfirmed
)

// pptpCall is the state of the call (enum pptp_ctrlcall_state).
type pptpCall uint8

const (
	pptpCallNone pptpCall = iota
	pptpCallOutRequested
	pptpCallOutConfirmed
	pptpCallInRequested
	pptpCallInReplied
	pptpCallInConfirmed
	pptpCallClear
)

// Types of control messages (RFC 2637, section 1.4).
const (
	pptpStartRequest = 1 + iota
	pptpStartReply
	pptpStopRequest
	pptpStopReply
	pptpEchoRequest
	pptpEchoReply
	pptpOutCallRequest
	pptpOutCallReply
	pptpInCallRequest
	pptpInCallReply
	pptpInCallConnected
	pptpCallClearRequest
	pptpCallDisconnect
	pptpWANError
	pptpSetLink
)

const (
	pptpHeader = 12 // of a control message
	pptpCookie = 0x1a2b3c4d
	pptpOK     = 1 // result code
)

// pptpSizes are the lengths of the bodies of messages, by type. The helper does
// not read a message that is shorter.
var pptpSizes = [16]uint8{
	pptpStartRequest: 144, pptpStartReply: 144, pptpStopRequest: 4, pptpStopReply: 4, pptpEchoRequest: 4, pptpEchoReply: 8,
	pptpOutCallRequest: 156, pptpOutCallReply: 20, pptpInCallRequest: 208, pptpInCallReply: 12, pptpInCallConnected: 16,
	pptpCallClearRequest: 4, pptpCallDisconnect: 136,
	pptpWANError: 28, pptpSetLink: 12,
}

// readPPTP is the helper pptp: a call on the control connection is followed by
// packets of GRE, whose keys are the call ids.
func readPPTP(t *Table, p *packet, x *extension) bool {
	b := p.content(int(p.tcp.header))
	if p.v.State != StateEstablished || len(b) < pptpHeader || be16(b[2:]) != 1 || be32(b[4:]) != pptpCookie {
		return true
	}
	typ, body := be16(b[8:]), b[pptpHeader:]
	if int(typ) >= len(pptpSizes) || len(body) < int(pptpSizes[typ]) {
		return true
	}
	if p.dir == original {
		return t.readPNS(p, &x.pptp, typ, body)
	}
	return t.readPAC(p, &x.pptp, typ, body)
}

// readPNS reads a message of the client. If its call id is translated, the message
// gets the one that the server has.
func (t *Table) readPNS(p *packet, s *pptpState, typ uint16, b []byte) bool {
	translated := p.e.translated()
	switch typ {
	case pptpStartRequest:
		if s.session == pptpSessionNone {
			s.session = pptpSessionRequested
		}
		return true
	case pptpStopRequest:
		s.session = pptpSessionStop
		return true
	case pptpOutCallRequest:
		if s.session != pptpSessionConfirmed {
			return true
		}
		s.call, s.pns = pptpCallOutRequested, be16(b)
		if translated {
			s.pns, s.own = p.e.tuples[reply].dport, s.pns
		}
	case pptpInCallReply:
		if s.call != pptpCallInRequested && s.call != pptpCallInReplied || be16(b[2:]) != s.pac {
			return true
		}
		if b[4] == pptpOK {
			s.call, s.pns = pptpCallInReplied, be16(b)
		} else {
			s.call = pptpCallNone
		}
	case pptpCallClearRequest:
		if s.session != pptpSessionConfirmed {
			return true
		}
		s.call = pptpCallClear
	default:
		return true
	}
	return !translated || t.putCallID(p, 0, s.pns)
}

// readPAC reads a message of the server. If the client's call id is translated,
// the message gets the one that the client has.
func (t *Table) readPAC(p *packet, s *pptpState, typ uint16, b []byte) bool {
	at := 0 // where the client's call id is
	switch typ {
	case pptpStartReply:
		if s.session < pptpSessionRequested {
			return true
		}
		if s.session = pptpSessionConfirmed; b[2] != pptpOK {
			s.session = pptpSessionError
		}
		return true
	case pptpStopReply:
		switch {
		case s.session > pptpSessionStop:
		case b[0] == pptpOK:
			s.session = pptpSessionNone
		default:
			s.session = pptpSessionError
		}
		return true
	case pptpOutCallReply:
		if s.session != pptpSessionConfirmed || s.call != pptpCallOutRequested && s.call != pptpCallOutConfirmed ||
			be16(b[2:]) != s.pns {
			return true
		}
		at = 2
		if b[4] != pptpOK {
			s.call = pptpCallNone
			break
		}
		s.call, s.pac = pptpCallOutConfirmed, be16(b)
		t.expectCall(p.e, s)
	case pptpInCallRequest:
		if s.session == pptpSessionConfirmed {
			s.call, s.pac = pptpCallInRequested, be16(b)
		}
		return true
	case pptpInCallConnected:
		if s.session != pptpSessionConfirmed || s.call != pptpCallInReplied && s.call != pptpCallInConfirmed ||
			be16(b) != s.pns {
			return true
		}
		s.call = pptpCallInConfirmed
		t.expectCall(p.e, s)
	case pptpCallDisconnect:
		s.call = pptpCallNone
		t.endCall(p.e, s)
	case pptpWANError, pptpSetLink:
	default:
		return true
	}
	return !p.e.translated() || t.putCallID(p, at, s.own)
}

// putCallID replaces a call id at an offset of the body of a message. It returns
// false if the packet is dropped.
func (t *Table) putCallID(p *packet, at int, id uint16) bool {
	if !p.cut() && !t.replaceData(p, pptpHeader+at, 2, []byte{byte(id >> 8), byte(id)}, false) {
		return p.drop(NotTranslated)
	}
	return true
}

// tuples returns the tuples of the packets of a call, from the client and from
// the server.
func (s *pptpState) tuples(master *entry) (from [2]tuple) {
	for d := range from {
		from[d] = master.tuples[d]
		from[d].proto = ctnetlink.ProtoGRE
	}
	from[original].sport, from[original].dport = s.pns, s.pac
	from[reply].sport, from[reply].dport = s.pac, s.pns
	return from
}

// expectCall expects the packets of a call, from either side, and makes their
// keys known.
func (t *Table) expectCall(master *entry, s *pptpState) {
	from := s.tuples(master)
	var x [2]*expectation
	var nat [2]expectNAT
	if master.translated() {
		from[original].sport = s.own
		nat = [2]expectNAT{{dir: uint32(original), port: s.pns}, {dir: uint32(reply), port: s.own}}
	}
	for d := range from {
		x[d] = &expectation{master: master, tuple: from[d], nat: nat[d], call: true}
		x[d].mask = expectMask{src: allOnes(familyIPv4), port: 0xffff}
		if t.announce(x[d]) != 0 {
			if d == 1 {
				t.dropExpect(x[0], 0, nil)
			}
			return
		}
	}
	if !t.calls.add(master, &from) {
		t.dropExpect(x[1], 0, nil)
		t.dropExpect(x[0], 0, nil)
	}
}

// meetCall is called for the first packet of a call, whose entry is translated as
// the master is. Nothing is expected from the other side any more; but the kernel
// does not find that expectation if the call is translated and the server begins.
func (t *Table) meetCall(e *entry, x *expectation) {
	master := x.master
	other := e.tuples[reply]
	if master.translated() {
		if s := &t.extend(master).pptp; x.nat.dir == uint32(original) {
			other = s.tuples(master)[reply]
		} else {
			other = tuple{}
		}
	}
	if o := t.expect.find(master.zone.id, &other); o != nil {
		t.dropExpect(o, 0, nil)
	}
	if !master.translated() {
		return
	}
	dir := direction(x.nat.dir & 1)
	to := &master.tuples[dir^1]
	for _, source := range [...]bool{true, false} {
		r := natRange{addrs: true, minAddr: to.src, maxAddr: to.src}
		if source {
			r.minAddr, r.maxAddr = to.dst, to.dst
		}
		if source == (dir == original) {
			r.ports, r.minPort, r.maxPort = true, x.nat.port, x.nat.port
		}
		t.bind(e, &r, source)
	}
}

// endCall ends a call: it removes the entry of its packets, or the expectations.
func (t *Table) endCall(master *entry, s *pptpState) {
	t.calls.drop(master)
	for _, tp := range s.tuples(master) {
		if e, _ := t.seek(&tp, master.zone); e != nil {
			t.remove(e, 0, nil)
		} else if x := t.expect.find(master.zone.id, &tp); x != nil {
			t.dropExpect(x, 0, nil)
		}
	}
}

// endCalls ends the call of a control connection that is removed. The entry of a
// call takes the keys of its master with it.
func (t *Table) endCalls(e *entry) {
	x := t.extension(e)
	switch {
	case x == nil:
	case e.protocol() == ctnetlink.ProtoGRE:
		if x.master != nil && x.master.entry != nil {
			t.calls.drop(x.master.entry)
		}
	case x.helper != nil && x.helper.read != nil && x.pptp != (pptpState{}):
		t.endCall(e, &x.pptp)
	}
}

// callKeys are the keys of GRE that PPTP's control connections made known
// (nf_ct_gre_keymap). A table has few.
type callKeys []callKey

type callKey struct {
	master *entry
	from   tuple // of packets in a direction of the master
}

// key returns the key of the sender of a packet whose tuple has all but that, 0
// if it is not known.
func (k callKeys) key(tp *tuple) uint16 {
	for i := range k {
		if f := &k[i].from; f.dport == tp.dport && f.src == tp.src && f.dst == tp.dst && f.family == tp.family {
			return f.sport
		}
	}
	return 0
}

// add adds the keys of a call. It returns false if the control connection has
// another call; if that one differs in the client's key, its keys are lost.
func (k *callKeys) add(master *entry, from *[2]tuple) bool {
	d := 0
	for i := range *k {
		c := &(*k)[i]
		if c.master != master {
			continue
		}
		if c.from.dport != from[d].dport {
			if d == 1 {
				k.drop(master)
			}
			return false
		}
		d++
	}
	if d == 0 {
		*k = append(*k, callKey{master, from[original]}, callKey{master, from[reply]})
	}
	return true
}

// drop removes the keys of a control connection.
func (k *callKeys) drop(master *entry) {
	if len(*k) == 0 {
		return
	}
	left := (*k)[:0]
	for _, c := range *k {
		if c.master != master {
			left = append(left, c)
		}
	}
	clear((*k)[len(left):])
	*k = left
}
