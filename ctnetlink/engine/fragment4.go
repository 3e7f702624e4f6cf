package engine

import "encoding/binary"

// maxPacket is the largest total length of an IPv4 packet, and the largest
// payload length of an IPv6 packet.
const maxPacket = 0xffff

// reassemble4 takes an IPv4 fragment (RFC 791, RFC 815). It returns true if the
// packet is complete.
func (t *Table) reassemble4(p *packet, user fragmentUser) bool {
	f, o := &t.path.frags, &t.o.Sysctls
	q := f.queue(familyIPv4, t.wall)
	if o.FragHigh == 0 || q.memory > int(o.FragHigh) {
		return p.drop(FragmentMemory)
	}
	field := be16(p.data[6:])
	key := setKey{
		src: p.src, dst: p.dst, id: uint32(be16(p.data[4:])), family: familyIPv4, proto: p.proto,
		user: user, zone: p.zone.in(original),
	}
	deadline := t.wall + max(int64(o.FragTime)*1e9, tickLen)
	s := f.set(q, &key, deadline)
	if o.FragDistance != 0 {
		c := f.source(&key)
		c.count++
		if len(s.pieces) > 0 && c.count-s.count > o.FragDistance {
			q.restart(s, deadline)
		}
		s.count = c.count
	}
	offset, length := int(field&ipv4Offset)*8, p.transportLen()
	end := offset + length
	if field&ipv4More == 0 {
		if end < s.end || s.last && end != s.end {
			return t.kill(p, q, s, FragmentLength)
		}
		s.last, s.end = true, end
	} else {
		length &^= 7
		if end = offset + length; end > s.end {
			if s.last {
				return t.kill(p, q, s, FragmentLength)
			}
			s.end = end
		}
	}
	if length == 0 {
		return t.kill(p, q, s, FragmentLength)
	}
	switch s.place(offset, end) {
	case duplicate:
		return p.drop(FragmentDuplicate)
	case overlaps:
		return t.kill(p, q, s, FragmentOverlap)
	}
	n := min(p.transport, len(p.data))
	s.store(q, piece{offset: offset, length: length}, p.data[:n], p.data[n:], p.total)
	s.largest = max(s.largest, p.transport+length)
	s.ecn |= 1 << (p.data[1] & 3)
	if !s.last || s.have != s.end {
		return p.waits()
	}
	return t.whole4(p, q, s)
}

// whole4 makes the packet of a complete set: the header is that of its first
// fragment.
func (t *Table) whole4(p *packet, q *setQueue, s *fragmentSet) bool {
	f := &t.path.frags
	head := 0
	for s.pieces[head].offset != 0 {
		head++
	}
	pc := s.pieces[head]
	h := s.stored[pc.header:pc.data]
	n := int(h[0]&15) * 4
	if len(h) < n { // its options were not captured whole
		h = append(append(make([]byte, 0, 60), h...), make([]byte, n-len(h))...)
	}
	if n+s.end > maxPacket {
		return t.kill(p, q, s, FragmentTooLong)
	}
	ecn, ok := s.ecnOf(h[1] & 3)
	if !ok {
		return t.kill(p, q, s, FragmentECN)
	}
	f.whole = append(f.whole[:0], h...)
	captured := f.join(s, n)
	w := f.whole
	w[1] = w[1]&^3 | ecn
	binary.BigEndian.PutUint16(w[2:], uint16(len(w)))
	binary.BigEndian.PutUint16(w[6:], 0)
	setSum4(w[:n])
	p.pieces = pieces{n: len(s.pieces), largest: s.largest}
	f.drop(q, s)
	p.data, p.owned, p.wireLen = w[:captured], true, len(w)
	p.read4()
	return true
}
