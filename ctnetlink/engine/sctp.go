package engine

import (
	"encoding/binary"
	"hash/crc32"
)

// sctp is SCTP (RFC 9260).
var sctp = protocol{tuple: ports, check: checkSCTP, packet: trackSCTP}

const (
	sctpHeader = 12
	// chunkHeader is the length of the header of a chunk.
	chunkHeader = 4
	// initChunk is the length of an INIT or INIT ACK without parameters.
	initChunk = 20
	// chunkFlagT is the flag of an ABORT or SHUTDOWN COMPLETE whose sender does
	// not know the tag of the receiver: it has the sender's own.
	chunkFlagT = 1
)

// Flags of a direction.
const (
	sctpInit     = 1 << iota // an INIT was seen that no COOKIE ACK has ended
	sctpBadHeart             // the last HEARTBEAT had the wrong tag
)

// checkSCTP checks the header, the checksum and the order of the chunks.
func checkSCTP(t *Table, p *packet) Reason {
	b := p.payload()
	if len(b) < sctpHeader {
		return p.short(SCTPShort, sctpHeader)
	}
	if t.o.Sysctls.Checksum && p.hook == Prerouting && !p.cut() && binary.LittleEndian.Uint32(b[8:]) != crcOf(b) {
		return Reason{Code: SCTPChecksum}
	}
	return Reason{}
}

// crcOf returns the checksum of an SCTP packet. The table of the checksum is made
// at the first use.
func crcOf(b []byte) uint32 {
	var zero [4]byte
	crc := crc32.MakeTable(crc32.Castagnoli)
	c := crc32.Update(0, crc, b[:8])
	c = crc32.Update(c, crc, zero[:])
	return crc32.Update(c, crc, b[sctpHeader:])
}

// chunk is one chunk of a packet.
type chunk struct {
	at    int // offset in the transport header
	typ   uint8
	flags uint8
	n     int // the length that it says
}

func (c *chunk) kind() chunkKind { return kindOfChunk(c.typ) }

// next moves to the next chunk of a packet of which size bytes are on the wire
// and b was captured. It returns false at the end, and cut if the next chunk was
// not captured.
func (c *chunk) next(b []byte, size int) (more, cut bool) {
	if c.at == 0 {
		c.at = sctpHeader
	} else {
		c.at += (c.n + 3) &^ 3
	}
	switch {
	case c.at+chunkHeader > size:
		return false, false
	case c.at+chunkHeader > len(b):
		return false, true
	}
	c.typ, c.flags, c.n = b[c.at], b[c.at+1], int(be16(b[c.at+2:]))
	return true, false
}

// chunks checks which chunks a packet has, and returns their kinds.
func chunks(b []byte, size int) (set chunkSet, _ Reason) {
	var c chunk
	n, alone := 0, false
	for {
		more, cut := c.next(b, size)
		if cut {
			return set, Reason{Code: CutShort}
		}
		if !more {
			break
		}
		k := c.kind()
		alone = alone || chunkAlone.has(k)
		if n > 0 && (alone || chunkFirst.has(k)) || c.n == 0 {
			r := Reason{Code: SCTPChunkFirst, N: [3]int64{int64(n), int64(c.typ), int64(c.n)}}
			switch {
			case alone:
				r.Code = SCTPChunkAlone
			case c.n == 0:
				r.Code = SCTPChunkEmpty
			}
			return set, r
		}
		set |= 1 << k
		if c.typ == chunkData {
			set |= setData
		}
		n++
	}
	if n == 0 {
		return set, Reason{Code: SCTPNoChunk}
	}
	return set, Reason{}
}

func trackSCTP(t *Table, p *packet) (outcome, Reason) {
	b := p.payload()
	set, r := chunks(b, p.transportLen())
	if r.Code != 0 {
		return rejected, r
	}
	tag := be32(b[4:])
	if p.v.New {
		if r := beginSCTP(p, set, tag); r.Code != 0 {
			return rejected, r
		}
	}
	s := &p.e.proto
	if set&chunkOwnTag == 0 && tag != s.vtag[p.dir] {
		return rejected, wrongTag(p, SCTPTag, tag, s.vtag[p.dir])
	}
	ignore := false
	var c chunk
	for {
		if more, _ := c.next(b, p.transportLen()); !more {
			break
		}
		k := c.kind()
		if r := tagOf(p, k, &c, set, tag, &ignore); r.Code != 0 {
			return rejected, r
		}
		if k == chunkOther {
			continue
		}
		old := s.state
		state := sctpNext[p.dir][old][k]
		if state == sIV {
			return rejected, Reason{Code: SCTPState, N: [3]int64{int64(old), int64(p.dir), int64(c.typ)}}
		}
		switch k {
		case chunkInit, chunkInitAck:
			if r := initTag(p, k, b[c.at:], p.transportLen()-c.at); r.Code != 0 {
				return rejected, r
			}
		case chunkCookieAck:
			s.flags[original] &^= sctpInit
			s.flags[reply] &^= sctpInit
		}
		if s.state = state; state != old {
			t.note(p, noteProto)
			if state == sES {
				t.assure(p)
			}
		}
		if k == chunkInit && old == sCL && state == sCL {
			return ignored, Reason{Code: SCTPInitAgain}
		}
	}
	if ignore {
		return ignored, Reason{Code: SCTPHeartbeat, N: [3]int64{int64(tag), int64(s.vtag[p.dir])}}
	}
	t.refresh(p, t.timeouts(p, &t.o.Sysctls.SCTP)[s.state])
	return accepted, Reason{}
}

// beginSCTP checks the first packet of a connection. A SHUTDOWN ACK is out of the
// blue: the answer, a SHUTDOWN COMPLETE, has its tag.
func beginSCTP(p *packet, set chunkSet, tag uint32) Reason {
	if set&chunkNotNew != 0 {
		return Reason{Code: SCTPNotNew}
	}
	p.e.proto.vtag = [2]uint32{}
	if set.has(chunkInit) && tag != 0 {
		return wrongTag(p, SCTPChunkTag, tag, 0)
	}
	if set.has(chunkHeartbeat) {
		p.e.proto.vtag[original] = tag
	}
	if set.has(chunkShutdownAck) {
		p.e.proto.vtag[reply] = tag
	}
	return Reason{}
}

// tagOf checks the verification tag of a packet for one of its chunks (RFC 9260,
// section 8.5.1). It sets ignore for a HEARTBEAT with a wrong one, which may be of
// an association that began anew unseen.
func tagOf(p *packet, k chunkKind, c *chunk, set chunkSet, tag uint32, ignore *bool) Reason {
	s := &p.e.proto
	d := p.dir
	want := s.vtag[d]
	switch k {
	case chunkInit:
		want = 0
	case chunkAbort, chunkShutdownComplete:
		if c.flags&chunkFlagT != 0 {
			want = s.vtag[d^1]
		}
	case chunkCookieEcho:
	case chunkHeartbeat, chunkHeartbeatAck:
		switch {
		case want == 0:
			s.vtag[d] = tag
		case tag == want:
			s.flags[0] &^= sctpBadHeart
			s.flags[1] &^= sctpBadHeart
		case set&setData != 0 || *ignore:
			return wrongTag(p, SCTPChunkTag, tag, want)
		case k == chunkHeartbeat:
			s.flags[d] |= sctpBadHeart
			s.flags[d^1] &^= sctpBadHeart
			*ignore = true
		case s.flags[d^1]&sctpBadHeart == 0:
			return wrongTag(p, SCTPChunkTag, tag, want)
		default: // it answers that HEARTBEAT
			s.flags[d^1] &^= sctpBadHeart
			s.vtag[d], s.vtag[d^1] = tag, 0
		}
		return Reason{}
	default:
		return Reason{}
	}
	if tag != want {
		return wrongTag(p, SCTPChunkTag, tag, want)
	}
	return Reason{}
}

// initTag takes the tag of an INIT or INIT ACK, of which size bytes are on the
// wire, for the other direction.
func initTag(p *packet, k chunkKind, b []byte, size int) Reason {
	if size < initChunk {
		return Reason{Code: SCTPInitShort, N: [3]int64{int64(size)}}
	}
	if len(b) < 8 {
		return Reason{Code: CutShort}
	}
	s := &p.e.proto
	d := p.dir
	tag, known := be32(b[4:]), &s.vtag[d^1]
	switch {
	case *known == tag && !p.v.New:
	case k == chunkInit:
		if s.flags[d]&sctpInit != 0 {
			s.flags[d^1] &^= sctpInit
		}
		s.flags[d] |= sctpInit
	case s.flags[d^1]&sctpInit != 0 && s.flags[d]&sctpInit == 0: // it answers that INIT
	case s.flags[d^1]&sctpInit == 0 && *known == 0:
	default:
		return Reason{Code: SCTPInitTag, N: [3]int64{int64(tag), int64(*known)}}
	}
	*known = tag
	return Reason{}
}

func wrongTag(p *packet, code ReasonCode, tag, want uint32) Reason {
	return Reason{Code: code, N: [3]int64{int64(tag), int64(want), int64(p.dir)}}
}
