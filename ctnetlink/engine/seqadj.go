package engine

import (
	"encoding/binary"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// offset returns the correction of a sequence number as the sender wrote it.
func (s *seqAdj) offset(seq uint32) uint32 {
	if int32(seq-s.pos) > 0 {
		return s.after
	}
	return s.before
}

// offsetBack returns the correction of a number that acknowledges data of this
// direction as the receiver got it.
func (s *seqAdj) offsetBack(ack uint32) uint32 {
	if int32(ack-s.before-s.pos) > 0 {
		return s.after
	}
	return s.before
}

// seqOffset returns by how much a sequence number of a direction grows on its way
// to the other end (nf_ct_seq_offset). It is 0 unless a helper has changed the
// length of a packet.
func (t *Table) seqOffset(e *entry, d direction, seq uint32) uint32 {
	if e.status&ctnetlink.StatusSeqAdjust == 0 {
		return 0
	}
	if x := t.extension(e); x != nil {
		return x.seqAdj[d].offset(seq)
	}
	return 0
}

// shift notes that a packet of the entry, which began at seq, has become longer by
// a number of bytes, or shorter (nf_ct_seqadj_set).
func (t *Table) shift(p *packet, seq uint32, by int) {
	if by == 0 {
		return
	}
	e := p.e
	s := &t.extend(e).seqAdj[p.dir]
	e.status |= ctnetlink.StatusSeqAdjust
	if s.before == s.after || int32(s.pos-seq) < 0 {
		s.pos, s.before = seq, s.after
		s.after += uint32(by)
	}
}

// adjustSequence corrects the numbers of a TCP packet of an entry in which a
// packet has changed its length: the sequence number by the changes of its own
// direction, the acknowledged numbers by those of the other (nf_ct_seq_adjust). It
// returns false if the packet is dropped.
func (t *Table) adjustSequence(p *packet) bool {
	e := p.e
	if e.status&ctnetlink.StatusSeqAdjust == 0 || p.proto != ctnetlink.ProtoTCP || p.related {
		return true
	}
	x := t.extension(e)
	if x == nil || len(p.payload()) < 20 {
		return true
	}
	t.own(p)
	b := p.payload()
	own, other := &x.seqAdj[p.dir], &x.seqAdj[p.dir^1]
	p.put32(4, be32(b[4:])+own.offset(be32(b[4:])))
	if b[13]&tcpACK == 0 {
		return true
	}
	p.put32(8, be32(b[8:])-other.offsetBack(be32(b[8:])))
	if !p.adjustSACK(other) {
		return p.drop(BadTCPOptions)
	}
	return true
}

// put32 replaces a number at an offset of the TCP header, and updates the
// checksum.
func (p *packet) put32(at int, v uint32) {
	b := p.payload()
	if be32(b[at:]) != v {
		p.v.Fate = Translated
	}
	var with [4]byte
	binary.BigEndian.PutUint32(with[:], v)
	replace(b[16:18], b[at:], with[:])
}

// adjustSACK corrects the selectively acknowledged numbers (RFC 2018). It returns
// false if an option has a wrong length. As in the kernel the checksum is wrong
// afterwards if the numbers are at an odd offset, which no sender does.
func (p *packet) adjustSACK(other *seqAdj) bool {
	b := p.payload()
	end := min(int(b[12]>>4)*4, len(b))
	for at := 20; at < end; {
		switch b[at] {
		case 0: // end of the list
			return true
		case 1: // no operation
			at++
			continue
		}
		if at+1 == end || b[at+1] < 2 || at+int(b[at+1]) > end {
			return false
		}
		n := int(b[at+1])
		if b[at] == 5 && n >= 10 && (n-2)%8 == 0 {
			for i := at + 2; i < at+n; i += 4 {
				p.put32(i, be32(b[i:])-other.offsetBack(be32(b[i:])))
			}
		}
		at += n
	}
	return true
}

// replaceData replaces n bytes of the data of a TCP or UDP packet, from offset at
// of the data on, and sets lengths and checksums. adjust: the sequence numbers of
// later packets of a TCP connection are to be corrected for the change. It returns
// false, and the packet is as before, if it is not a whole packet or would become
// too long. Slices of the packet's bytes made before are not valid afterwards.
func (t *Table) replaceData(p *packet, at, n int, with []byte, adjust bool) bool {
	data, ok := p.dataOffset()
	grow := len(with) - n
	if !ok || p.cut() || data+at+n > p.total || p.total+grow > 65535 {
		return false
	}
	t.own(p)
	total := p.total + grow
	from := data + at
	if grow > 0 {
		for len(p.data) < total {
			p.data = append(p.data, 0)
		}
	}
	copy(p.data[from+len(with):total], p.data[from+n:p.total])
	copy(p.data[from:], with)
	p.data = p.data[:total]
	p.total, p.wireLen = total, total
	p.v.Fate = Translated
	b := p.payload()
	if p.family == familyIPv6 {
		binary.BigEndian.PutUint16(p.data[4:], uint16(total-40))
	} else {
		binary.BigEndian.PutUint16(p.data[2:], uint16(total))
		putSum(p.data[:p.data[0]&15*4], 10, 0)
	}
	check := 16
	if p.proto == ctnetlink.ProtoUDP {
		check = 6
		binary.BigEndian.PutUint16(b[4:], uint16(len(b)))
		if be16(b[6:]) == 0 {
			return true
		}
	}
	if putSum(b, check, p.pseudo(p.proto, len(b))); be16(b[check:]) == 0 {
		b[check], b[check+1] = 0xff, 0xff
	}
	if adjust && p.proto == ctnetlink.ProtoTCP {
		t.shift(p, be32(b[4:]), grow)
	}
	return true
}

// dataOffset returns the offset in the packet of the data behind the TCP or UDP
// header.
func (p *packet) dataOffset() (at int, ok bool) {
	b := p.payload()
	switch p.proto {
	case ctnetlink.ProtoTCP:
		if len(b) < 20 {
			return 0, false
		}
		at = p.transport + int(b[12]>>4)*4
	case ctnetlink.ProtoUDP:
		at = p.transport + 8
	default:
		return 0, false
	}
	return at, at <= p.total && at <= len(p.data)
}
