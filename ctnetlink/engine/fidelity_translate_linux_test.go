package engine_test

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"

	"github.com/gonntrack/gonntrack/internal/netlab"
	"github.com/gonntrack/gonntrack/internal/packets"
)

// A generator does not know which address and port the kernel gives a flow. It
// makes the packets of both ends as the client sees them; what a server sends is
// changed, before it is put in, to answer what the server got.

// ends are the addresses and ports of a packet, or the type and id of an echo.
type ends struct {
	proto    byte
	src, dst string // addresses
	sport    uint16 // the id of ICMP
	dport    uint16
	icmp     byte // type
}

// transportOf returns the offset of the transport header of a packet without
// IPv6 extension headers.
func transportOf(p []byte) (proto byte, at int, ok bool) {
	switch {
	case len(p) >= 20 && p[0]>>4 == 4 && p[0]&15 >= 5 && len(p) >= int(p[0]&15)*4 && p[6]&0x3f == 0 && p[7] == 0:
		return p[9], int(p[0]&15) * 4, true
	case len(p) >= 40 && p[0]>>4 == 6:
		return p[6], 40, true
	}
	return 0, 0, false
}

// peersOf returns the ends of a packet.
func peersOf(p []byte) (e ends, ok bool) {
	proto, at, ok := transportOf(p)
	if !ok {
		return e, false
	}
	e.proto = proto
	if p[0]>>4 == 4 {
		e.src, e.dst = string(p[12:16]), string(p[16:20])
	} else {
		e.src, e.dst = string(p[8:24]), string(p[24:40])
	}
	switch b := p[at:]; proto {
	case packets.ProtoTCP, packets.ProtoUDP, packets.ProtoUDPLite, packets.ProtoSCTP:
		if len(b) < 4 {
			return e, false
		}
		e.sport, e.dport = binary.BigEndian.Uint16(b), binary.BigEndian.Uint16(b[2:])
	case packets.ProtoICMP, packets.ProtoICMPv6:
		if len(b) < 8 {
			return e, false
		}
		e.icmp, e.sport = b[0], binary.BigEndian.Uint16(b[4:])
	}
	return e, true
}

var icmpAnswers = map[byte]byte{8: 0, 0: 8, 13: 14, 14: 13, 15: 16, 16: 15, 17: 18, 18: 17, 128: 129, 129: 128, 139: 140,
	140: 139}

// reversed returns the ends of an answer.
func (e ends) reversed() ends {
	e.src, e.dst = e.dst, e.src
	if e.proto != packets.ProtoICMP && e.proto != packets.ProtoICMPv6 {
		e.sport, e.dport = e.dport, e.sport
	}
	e.icmp = icmpAnswers[e.icmp]
	return e
}

// withEnds returns a packet with other ends. Right checksums stay right, and wrong
// ones wrong.
func withEnds(p []byte, e ends) []byte {
	proto, at, ok := transportOf(p)
	if !ok {
		return p
	}
	p = bytes.Clone(p)
	b := p[at:]
	old := bytes.Clone(p)
	addrs, oldAddrs := addressesOf(p), addressesOf(old)
	copy(addrs, e.src+e.dst)
	if p[0]>>4 == 4 {
		adjust(p, 10, oldAddrs, addrs)
	}
	sum := -1
	switch proto {
	case packets.ProtoTCP:
		sum = 16
	case packets.ProtoUDP, packets.ProtoUDPLite:
		sum = 6
	case packets.ProtoICMP, packets.ProtoICMPv6:
		sum = 2
	}
	rightCRC := proto == packets.ProtoSCTP && len(b) >= 12 && crc(b) == binary.LittleEndian.Uint32(b[8:])
	switch proto {
	case packets.ProtoTCP, packets.ProtoUDP, packets.ProtoUDPLite, packets.ProtoSCTP:
		if len(b) < 4 {
			return p
		}
		binary.BigEndian.PutUint16(b, e.sport)
		binary.BigEndian.PutUint16(b[2:], e.dport)
		if sum > 0 {
			adjust(b, sum, old[at:at+4], b[:4])
		}
	case packets.ProtoICMP, packets.ProtoICMPv6:
		if len(b) < 8 {
			return p
		}
		binary.BigEndian.PutUint16(b[4:], e.sport)
		adjust(b, sum, old[at+4:at+6], b[4:6])
	}
	if sum > 0 && proto != packets.ProtoICMP {
		adjust(b, sum, oldAddrs, addrs)
	}
	if rightCRC {
		binary.LittleEndian.PutUint32(b[8:], crc(b))
	}
	return p
}

// addressesOf returns the addresses in a packet's header.
func addressesOf(p []byte) []byte {
	if p[0]>>4 == 4 {
		return p[12:20]
	}
	return p[8:40]
}

// crc returns the checksum of an SCTP packet.
func crc(b []byte) uint32 {
	b = bytes.Clone(b)
	clear(b[8:12])
	return crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli))
}

// adjust changes the checksum at b[at:] for data that was changed (RFC 1624). A
// checksum of 0, which UDP does not have, stays.
func adjust(b []byte, at int, old, now []byte) {
	if len(b) < at+2 || b[at] == 0 && b[at+1] == 0 {
		return
	}
	sum := uint32(^binary.BigEndian.Uint16(b[at:]))
	for i := 0; i+1 < len(old); i += 2 {
		sum += uint32(^binary.BigEndian.Uint16(old[i:])) + uint32(binary.BigEndian.Uint16(now[i:]))
	}
	for sum>>16 != 0 {
		sum = sum&0xffff + sum>>16
	}
	binary.BigEndian.PutUint16(b[at:], ^uint16(sum))
}

// translations are what was translated to what, by the device where it came in.
type translations struct {
	to [2]map[ends]ends
	// shift is by how much the sequence numbers of a TCP stream were changed behind
	// its last packet.
	shift [2]map[ends]uint32
}

// learn notes how a packet left.
func (t *translations) learn(at netlab.Side, in []byte, out []netlab.Leaving) {
	if len(out) != 1 || out[0].By == at {
		return
	}
	from, ok := peersOf(in)
	to, ok2 := peersOf(out[0].Data)
	if !ok || !ok2 {
		return
	}
	if t.to[at] == nil {
		t.to[at], t.shift[at] = map[ends]ends{}, map[ends]uint32{}
	}
	t.to[at][from] = to
	if x, y := tcpEnd32(in), tcpEnd32(out[0].Data); from.proto == packets.ProtoTCP {
		t.shift[at][from] = y - x
	}
}

// tcpEnd32 returns the sequence number behind a TCP packet's data, 0 for others.
func tcpEnd32(p []byte) uint32 {
	proto, at, ok := transportOf(p)
	if !ok || proto != packets.ProtoTCP || len(p) < at+20 {
		return 0
	}
	return binary.BigEndian.Uint32(p[at+4:]) + uint32(len(p)-at-int(p[at+12]>>4)*4)
}

// acknowledges returns a TCP packet whose acknowledgement is what its sender got.
func (t *translations) acknowledges(at netlab.Side, p []byte) []byte {
	e, ok := peersOf(p)
	_, off, _ := transportOf(p)
	if !ok || e.proto != packets.ProtoTCP || len(p) < off+20 || p[off+13]&packets.ACK == 0 {
		return p
	}
	shift := t.shift[1-at][e.reversed()]
	if to, ok := t.to[at][e]; ok && shift == 0 {
		shift = t.shift[1-at][to.reversed()]
	}
	if shift == 0 {
		return p
	}
	p = bytes.Clone(p)
	b := p[off:]
	old := bytes.Clone(b[8:12])
	binary.BigEndian.PutUint32(b[8:], binary.BigEndian.Uint32(old)+shift)
	adjust(b, 16, old, b[8:12])
	return p
}

// answer returns a packet as its sender would send it: as an answer to what came
// to it, or as an error about that.
func (t *translations) answer(at netlab.Side, p []byte) []byte {
	p = t.acknowledges(at, p)
	e, ok := peersOf(p)
	if !ok {
		return p
	}
	if to, ok := t.to[1-at][e.reversed()]; ok {
		return withEnds(p, to.reversed())
	}
	proto, off, _ := transportOf(p)
	if proto == packets.ProtoICMP && (e.icmp == 3 || e.icmp == 4 || e.icmp == 5 || e.icmp == 11 || e.icmp == 12) ||
		proto == packets.ProtoICMPv6 && e.icmp < 128 {
		if in, ok := peersOf(p[off+8:]); ok {
			if to, ok := t.to[1-at][in]; ok && in.src == e.dst {
				inner := withEnds(p[off+8:], to)
				q := bytes.Clone(p)
				adjust(q[off:], 2, pad(p[off+8:]), pad(inner))
				copy(q[off+8:], inner)
				outer := e
				if outer.dst = to.src; e.src == in.dst {
					outer.src = to.dst
				}
				return withEnds(q, outer)
			}
		}
	}
	return p
}

// pad makes the length of data even.
func pad(b []byte) []byte {
	if len(b)%2 != 0 {
		return append(bytes.Clone(b), 0)
	}
	return b
}
