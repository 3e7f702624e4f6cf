package engine

import "github.com/gonntrack/gonntrack/ctnetlink"

// sdpMedia are the kinds of media for which connections are expected, with their
// classes of expectations.
var sdpMedia = [...]struct {
	name  string
	class uint32
}{{"audio ", 1}, {"video ", 2}, {"image ", 3}}

// mostMedia is the number of media of one message for which connections are
// expected.
const mostMedia = 3

// readSDP makes the expectations of the media that a message describes (RFC 8866),
// if it describes any. It returns false if the packet is dropped.
func (t *Table) readSDP(p *packet, m *sipMessage) bool {
	start := sdpLine(m.b, 0, len(m.b), "v=")
	if start < 0 || start >= len(m.b) || !isDigit(m.b[start]) {
		return true
	}
	at := sdpLine(m.b, start, len(m.b), "m=")
	end := at
	if at < 0 {
		end = len(m.b)
	}
	common, hasCommon := sdpAddr(m.b, start, end, p.family)
	last, hasLast := common, hasCommon
	for n := 0; at >= 0 && n < mostMedia; {
		port, ok := sdpPort(m.b, at)
		if !ok {
			break
		}
		next := sdpLine(m.b, at, len(m.b), "m=")
		if end = next; end < 0 {
			end = len(m.b)
		}
		class := uint32(0)
		for _, media := range sdpMedia {
			if len(m.b) >= at+len(media.name) && string(m.b[at:at+len(media.name)]) == media.name {
				class = media.class
			}
		}
		if class == 0 || port == 0 {
			at = next
			continue
		}
		if port < 1024 || port > 65535 {
			return p.cut() || p.drop(SIPPort, int64(port))
		}
		addr, own := sdpAddr(m.b, at, end, p.family)
		if !own {
			if addr = common; !hasCommon {
				return p.cut() || p.drop(SIPNoSDPAddress)
			}
		}
		if !t.expectMedia(p, m, &addr, at, uint16(port), class) {
			return false
		}
		if translated := p.e.translated(); translated && own && !p.cut() {
			if t.mangleSDPAddr(p, m, at, "c=", &addr) != sdpDone {
				return p.drop(SIPMediaNotRewritten)
			}
		}
		last, hasLast = addr, true
		n++
		at = sdpLine(m.b, at, len(m.b), "m=")
	}
	if hasLast && p.e.translated() {
		return t.translateSession(p, m, start, &last)
	}
	return true
}

// sdpLine returns where the value of the first line of a type begins, behind an
// offset and before another; -1 if there is none.
func sdpLine(b []byte, from, before int, typ string) int {
	for i := from; i < before; i++ {
		if !isNewline(b[i]) {
			continue
		}
		at := i + 1
		if b[i] == '\r' && at < before && b[at] == '\n' {
			at++
		}
		if at < before && hasFold(b[at:before], typ) {
			return at + len(typ)
		}
		i = at // as in the headers
	}
	return -1
}

// sdpPort reads the kind of media, and the port; 0 if it has none.
func sdpPort(b []byte, at int) (port uint32, ok bool) {
	i := at
	for i < len(b) && isLetter(b[i]) {
		i++
	}
	if i == at || i >= len(b) || b[i] != ' ' {
		return 0, false
	}
	port, _, _ = decimal(b, i+1)
	return port, true
}

// sdpAddr reads the address in the first line c= of a part of a message.
func sdpAddr(b []byte, from, before int, family ctnetlink.Family) (addr [16]byte, ok bool) {
	at := sdpLine(b, from, before, "c=")
	if at < 0 {
		return addr, false
	}
	at, n := sdpAddrAt(b, at, family)
	if n == 0 {
		return addr, false
	}
	addr, _ = readAddr(b[at:], family, false)
	return addr, true
}

// sdpAddrAt returns the place of the address in a line, whose value begins at an
// offset; n is 0 if it has none.
func sdpAddrAt(b []byte, from int, family ctnetlink.Family) (at, n int) {
	word := "IN IP4 "
	if family == familyIPv6 {
		word = "IN IP6 "
	}
	for at = from; at+len(word) <= len(b) && !isNewline(b[at]); at++ {
		if string(b[at:at+len(word)]) == word {
			at += len(word)
			_, n = readAddr(b[at:], family, false)
			return at, n
		}
	}
	return 0, 0
}

// expectMedia makes the expectations of RTP at an even port and RTCP at the next
// one, from the other end of the master. Media at another host than the sender's
// are not expected. The media's description begins at an offset; addr becomes the
// address where they are to go.
func (t *Table) expectMedia(p *packet, m *sipMessage, addr *[16]byte, at int, port uint16, class uint32) bool {
	e := p.e
	if *addr != e.tuples[p.dir].src {
		return true
	}
	port &^= 1
	rtp := p.expect(class, ctnetlink.ProtoUDP, e.tuples[1-p.dir].src, *addr, port)
	rtcp := p.expect(class, ctnetlink.ProtoUDP, e.tuples[1-p.dir].src, *addr, port+1)
	if e.translated() {
		*addr = e.tuples[1-p.dir].dst
		return t.expectPair(p, m, rtp, rtcp, at)
	}
	if no := t.announceShared(rtp); no != 0 && no != ctnetlink.EALREADY {
		return t.refuse(p, ExpectationRefused)
	}
	if no := t.announceShared(rtcp); no != 0 && no != ctnetlink.EALREADY {
		t.dropExpect(rtp, 0, nil)
		return t.refuse(p, ExpectationRefused)
	}
	return true
}
