package engine

import (
	"strconv"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// expectPair makes the expectations of RTP and RTCP of a translated master, at the
// first pair of ports that is free, and writes the port into the description of
// the media. addr becomes the address where they are to go.
func (t *Table) expectPair(p *packet, m *sipMessage, rtp, rtcp *expectation, at int) bool {
	mapped := p.e.tuples[1-p.dir].dst
	for _, x := range [...]*expectation{rtp, rtcp} {
		x.fn = fnSIP
		x.nat = expectNAT{dir: uint32(1 - p.dir), addr: x.tuple.dst, port: x.tuple.dport}
		x.tuple.dst = mapped
	}
	port := uint32(rtp.tuple.dport)
	for ; port < 1<<16; port += 2 {
		rtp.tuple.dport, rtcp.tuple.dport = uint16(port), uint16(port+1)
		no := t.announceShared(rtp)
		if no == 0 {
			if no = t.announceShared(rtcp); no == 0 {
				break
			}
			t.dropExpect(rtp, 0, nil)
		}
		if no != ctnetlink.EBUSY {
			return p.drop(SIPNoMediaPort)
		}
	}
	if port >= 1<<16 {
		return p.drop(SIPNoMediaPort)
	}
	if uint16(port) == rtp.nat.port || p.cut() {
		return true
	}
	for at < len(m.b) && !isDigit(m.b[at]) {
		at++
	}
	_, end, _ := decimal(m.b, at)
	var buf [8]byte
	if t.mangleSDP(p, m, at, end, strconv.AppendUint(buf[:0], uint64(port), 10)) {
		return true
	}
	t.dropExpect(rtp, 0, nil)
	t.dropExpect(rtcp, 0, nil)
	return p.drop(SIPMediaNotRewritten)
}

// translateSession writes the address of the media into the lines o= and c= of a
// session, whose description begins at an offset.
func (t *Table) translateSession(p *packet, m *sipMessage, start int, addr *[16]byte) bool {
	if p.cut() {
		return true
	}
	if t.mangleSDPAddr(p, m, start, "o=", addr) != sdpDone {
		return p.drop(SIPSessionNotRewritten)
	}
	if t.mangleSDPAddr(p, m, start, "c=", addr) == sdpFailed {
		return p.drop(SIPSessionNotRewritten)
	}
	return true
}

// sdpResult says how a line was translated.
type sdpResult uint8

const (
	sdpDone    sdpResult = iota
	sdpMissing           // there is no such line, or it has no address
	sdpFailed
)

// mangleSDPAddr replaces the address in the first line of a type behind an offset
// and before the next description of media.
func (t *Table) mangleSDPAddr(p *packet, m *sipMessage, from int, typ string, addr *[16]byte) sdpResult {
	end := sdpLine(m.b, from, len(m.b), "m=")
	if end < 0 {
		end = len(m.b)
	}
	at := sdpLine(m.b, from, end, typ)
	if at < 0 {
		return sdpMissing
	}
	at, n := sdpAddrAt(m.b, at, p.family)
	if n == 0 {
		return sdpMissing
	}
	var buf [48]byte
	if !t.mangleSDP(p, m, at, at+n, appendSIPAddr(buf[:0], p.family, addr, false)) {
		return sdpFailed
	}
	return sdpDone
}

// mangleSDP replaces a part of a description of media, and sets the header
// Content-Length. It returns false if there is none.
func (t *Table) mangleSDP(p *packet, m *sipMessage, at, end int, with []byte) bool {
	if !t.mangleSIP(p, m, at, end, with) {
		return false
	}
	start := sdpLine(m.b, 0, len(m.b), "v=")
	length := sipLength.find(m.b, 0)
	_, end, ok := decimal(m.b, length)
	if start < 0 || !ok {
		return false
	}
	var buf [8]byte
	return t.mangleSIP(p, m, length, end, strconv.AppendUint(buf[:0], uint64(len(m.b)-start+len("v=")), 10))
}
