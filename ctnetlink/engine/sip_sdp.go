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
	first := sdpLine(m.b, start, len(m.b), "m=")
	if first < 0 {
		return true
	}
	common, hasCommon := sdpAddr(m.b, start, first, p.family)
	for at, n := first, 0; at >= 0 && n < mostMedia; {
		port, ok := sdpPort(m.b, at)
		if !ok {
			return true
		}
		next := sdpLine(m.b, at, len(m.b), "m=")
		end := next
		if end < 0 {
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
			return p.drop(SIPPort, int64(port))
		}
		addr, ok := sdpAddr(m.b, at, end, p.family)
		if !ok {
			if addr = common; !hasCommon {
				return p.drop(SIPNoSDPAddress)
			}
		}
		if !t.expectMedia(p, addr, uint16(port), class) {
			return false
		}
		n++
		at = next
	}
	return true
}

// sdpLine returns where the value of the first line of a type begins, behind an
// offset and before another; -1 if there is none.
func sdpLine(b []byte, from, before int, typ string) int {
	for i := from; i < before; i++ {
		if isNewline(b[i]) && i+1 < before && hasFold(b[i+1:before], typ) {
			return i + 1 + len(typ)
		}
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
	word := "IN IP4 "
	if family == familyIPv6 {
		word = "IN IP6 "
	}
	for ; at+len(word) <= len(b) && !isNewline(b[at]); at++ {
		if string(b[at:at+len(word)]) == word {
			addr, n := readAddr(b[at+len(word):], family, false)
			return addr, n > 0
		}
	}
	return addr, false
}

// expectMedia makes the expectations of RTP at an even port and RTCP at the next
// one, from the other end of the master. Media at another host than the sender's
// are not expected.
func (t *Table) expectMedia(p *packet, addr [16]byte, port uint16, class uint32) bool {
	e := p.e
	if addr != e.tuples[p.dir].src {
		return true
	}
	port &^= 1
	rtp := p.expect(class, ctnetlink.ProtoUDP, e.tuples[1-p.dir].src, addr, port)
	rtcp := p.expect(class, ctnetlink.ProtoUDP, e.tuples[1-p.dir].src, addr, port+1)
	if no := t.announceShared(rtp); no != 0 && no != ctnetlink.EALREADY {
		return p.drop(ExpectationRefused)
	}
	if no := t.announceShared(rtcp); no != 0 && no != ctnetlink.EALREADY {
		t.dropExpect(rtp, 0, nil)
		return p.drop(ExpectationRefused)
	}
	return true
}
