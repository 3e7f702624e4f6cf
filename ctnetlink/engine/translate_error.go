package engine

import (
	"encoding/binary"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// translateError translates an ICMP error about a translated connection: the
// packet that it quotes, and its own source or destination. It returns false if
// the packet is dropped.
func (t *Table) translateError(p *packet, source bool) bool {
	e := p.e
	body := p.transport + 8
	if len(p.data) < body {
		return true
	}
	if !p.cut() && p.hook != OutputHook && p.hook != Postrouting && !p.soundICMP() {
		return p.drop(ErrorChecksum)
	}
	redirect := p.proto == ctnetlink.ProtoICMP && p.data[p.transport] == 5 ||
		p.proto == ctnetlink.ProtoICMPv6 && p.data[p.transport] == 137
	if redirect && (e.status&natDone != natDone || e.status&natMask != 0) {
		return p.drop(RedirectTranslated)
	}
	if e.status&natBit(p.dir, source) == 0 {
		return true
	}
	t.own(p)
	b := p.data[:min(p.total, len(p.data))]
	before := sum(b[p.transport:], 0)
	// The quoted packet went in the other direction, as the entry has it.
	quoted := mangling{to: &e.tuples[p.dir^1], source: !source, cut: p.cut()}
	if !quoted.rewriteQuoted(b[body:], p.family) {
		return p.drop(NotTranslated)
	}
	to, _ := e.tuples[p.dir^1].invert()
	if source {
		p.src = to.src
	} else {
		p.dst = to.dst
	}
	outer := mangling{to: &to, source: source}
	if !outer.rewrite(b, p.family, p.proto, 0) {
		return p.drop(NotTranslated)
	}
	check := b[p.transport+2 : p.transport+4]
	switch {
	case p.cut(): // only the difference is known
		after := sum(b[p.transport:], 0)
		s := uint64(^be16(check)) + uint64(fold(before)) + uint64(^fold(after))
		binary.BigEndian.PutUint16(check, ^ones(s))
	case p.proto == ctnetlink.ProtoICMPv6:
		putSum(b[p.transport:], 2, p.pseudo(p.proto, len(b)-p.transport))
	default:
		putSum(b[p.transport:], 2, 0)
	}
	p.v.Fate = Translated
	return true
}

// soundICMP reports whether the checksum of an ICMP packet is right.
func (p *packet) soundICMP() bool {
	var s uint64
	if p.proto == ctnetlink.ProtoICMPv6 {
		s = p.pseudo(p.proto, p.transportLen())
	}
	return checksum(p.payload(), s) == 0
}

// rewriteQuoted is rewrite for the packet in an ICMP error.
func (m *mangling) rewriteQuoted(b []byte, family ctnetlink.Family) bool {
	if family == familyIPv6 {
		if len(b) < 40 {
			return m.cut
		}
		proto, at := skipIPv6(b)
		return m.rewrite(b, family, proto, at)
	}
	if len(b) < 20 {
		return m.cut
	}
	at := int(b[0]&15) * 4
	if at > len(b) {
		return m.cut
	}
	if be16(b[6:])&0x1fff != 0 {
		at = 0
	}
	return m.rewrite(b, family, ctnetlink.Protocol(b[9]), at)
}
