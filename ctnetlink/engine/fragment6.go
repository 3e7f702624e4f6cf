package engine

import (
	"encoding/binary"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

const fragmentHeader6 = 8 // its length

// reassemble6 takes an IPv6 fragment (RFC 8200, section 4.5). It returns true if
// the packet is complete, and also for a fragment that is not taken for one: it
// goes on alone.
func (t *Table) reassemble6(p *packet, user fragmentUser) bool {
	at := p.fragHeader
	switch {
	case p.total-at < fragmentHeader6:
		return t.cutFragment6(p, at)
	case len(p.data)-at < fragmentHeader6:
		return t.unjudged(p)
	}
	field := be16(p.data[at+2:])
	offset, more := int(field&^7), field&1 != 0
	if offset == 0 {
		switch p.reaches6() {
		case HeaderShort:
			return true
		case CutShort:
			return t.unjudged(p)
		}
	}
	f, o := &t.path.frags, &t.o.Sysctls
	q := f.queue(familyIPv6, t.wall)
	if o.Frag6High == 0 || q.memory > int(o.Frag6High) {
		return p.drop(Fragment6Memory)
	}
	key := setKey{
		src: p.src, dst: p.dst, id: be32(p.data[at+4:]), family: familyIPv6,
		user: user, zone: p.zone.in(original),
	}
	if p.dst[0] == 0xff || isLinkLocal6(&p.dst) {
		key.in = p.in
	}
	s := f.set(q, &key, t.wall+max(int64(o.Frag6Time)*1e9, tickLen))
	length := p.total - at - fragmentHeader6
	end := offset + length
	// A fragment that does not fit is dropped; the others go on waiting.
	switch {
	case end > maxPacket:
		return p.drop(FragmentTooLong)
	case !more:
		if end < s.end || s.last && end != s.end {
			return p.drop(FragmentLength)
		}
		s.last, s.end = true, end
	case end&7 != 0:
		f.drop(q, s)
		return true
	case end > s.end:
		if s.last {
			return p.drop(FragmentLength)
		}
		s.end = end
	}
	if length == 0 {
		return p.drop(FragmentLength)
	}
	switch s.place(offset, end) {
	case duplicate:
		return p.drop(FragmentDuplicate)
	case overlaps:
		return t.kill(p, q, s, FragmentOverlap)
	}
	n := at + fragmentHeader6
	s.store(q, piece{offset: offset, length: length, nextAt: p.nextAt, fragHeader: at}, p.data[:n], p.data[n:], p.total)
	s.largest = max(s.largest, p.total)
	s.ecn |= 1 << (p.data[1] >> 4 & 3)
	if !s.last || s.have != s.end {
		return p.waits()
	}
	return t.whole6(p, q, s)
}

// cutFragment6 takes a packet that ends within its fragment header, which is at
// an offset. It goes on, to be INVALID, unless its fragment offset is there and
// is not 0. Of a shorter one Linux reads what happens to be in memory.
func (t *Table) cutFragment6(p *packet, at int) bool {
	const size = 4 // to behind the field
	switch {
	case p.total-at < size:
		return true
	case len(p.data)-at < size:
		return t.unjudged(p)
	case be16(p.data[at+2:])&^7 != 0:
		return p.drop(BadIPHeader)
	}
	return true
}

// reaches6 judges whether a first fragment reaches to the end of the transport
// header (RFC 7112): HeaderShort if not.
func (p *packet) reaches6() ReasonCode {
	need := 1
	switch p.proto {
	case ctnetlink.ProtoTCP:
		need = 20
	case ctnetlink.ProtoUDP, ctnetlink.ProtoICMPv6:
		need = 8
	case extHopByHop, extRouting, extAuth, extDestination, extFragment:
		if p.short(HeaderShort, 2).Code == CutShort && extensionLen6(p.proto, p.payload()) == never6 {
			return CutShort
		}
		return NoReason // as in Linux for an extension header that is not there
	}
	if p.transportLen() < need {
		return HeaderShort
	}
	return NoReason
}

// whole6 makes the packet of a complete set: the headers are those of its first
// fragment, without the fragment header.
func (t *Table) whole6(p *packet, q *setQueue, s *fragmentSet) bool {
	f := &t.path.frags
	head := 0
	for s.pieces[head].offset != 0 {
		head++
	}
	pc := s.pieces[head]
	h := s.stored[pc.header:pc.data]
	n := pc.fragHeader
	length := n - ipv6Header + s.end
	if length > maxPacket {
		return t.kill(p, q, s, FragmentTooLong)
	}
	ecn, ok := s.ecnOf(h[1] >> 4 & 3)
	if !ok {
		return t.kill(p, q, s, FragmentECN)
	}
	f.whole = append(f.whole[:0], h[:n]...)
	f.whole[pc.nextAt] = h[n]
	captured := f.join(s, n)
	w := f.whole
	w[1] = w[1]&^0x30 | ecn<<4
	binary.BigEndian.PutUint16(w[4:], uint16(length))
	p.pieces = pieces{n: len(s.pieces), largest: s.largest, id: s.key.id, header: n}
	f.drop(q, s)
	p.data, p.owned, p.wireLen, p.total = w[:captured], true, len(w), len(w)
	p.read6()
	return true
}

func isLinkLocal6(a *[16]byte) bool { return a[0] == 0xfe && a[1]&0xc0 == 0x80 }
