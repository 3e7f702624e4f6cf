package engine

import (
	"encoding/binary"
	"hash/crc32"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// own makes the packet's bytes changeable: they are copied to the table's buffer
// unless they are there already. The sender's bytes stay as they are.
func (t *Table) own(p *packet) {
	if p.owned {
		return
	}
	t.path.out = append(t.path.out[:0], p.data...)
	p.data, p.owned = t.path.out, true
}

// update returns a checksum after a part of what it covers has changed (RFC 1624,
// equation 3). The parts have an even length and begin at an even offset.
func update(check uint16, before, after []byte) uint16 {
	s := uint64(^check)
	for i := 0; i < len(before); i += 2 {
		s += uint64(^be16(before[i:])) + uint64(be16(after[i:]))
	}
	return ^ones(s)
}

// ones folds a sum of 16-bit numbers in ones' complement.
func ones(s uint64) uint16 {
	for s > 0xffff {
		s = s&0xffff + s>>16
	}
	return uint16(s)
}

// replace overwrites the start of b, and updates the checksum at check, which may
// be nil: there is none.
func replace(check, b, with []byte) {
	if check != nil {
		binary.BigEndian.PutUint16(check, update(be16(check), b[:len(with)], with))
	}
	copy(b, with)
}

// addrsOf returns where the addresses of an IP header are, its own checksum if it
// has one, and their length.
func addrsOf(b []byte, family ctnetlink.Family) (src, dst, check []byte) {
	if family == familyIPv6 {
		return b[8:24], b[24:40], nil
	}
	return b[12:16], b[16:20], b[10:12]
}

// mangling is one change of an IP packet: its source or its destination becomes
// that of a tuple.
type mangling struct {
	to     *tuple
	source bool // the source is changed, else the destination
	cut    bool // the packet goes on behind what was captured
}

// rewrite changes the IP packet b, whose transport header is at offset at; at is
// 0 if it has none, as in a fragment. It returns false if the packet is too short
// to be translated.
func (m *mangling) rewrite(b []byte, family ctnetlink.Family, proto ctnetlink.Protocol, at int) bool {
	src, dst, check := addrsOf(b, family)
	addr, want := dst, m.to.dst[:len(dst)]
	if m.source {
		addr, want = src, m.to.src[:len(src)]
	}
	if at != 0 && !m.transport(b[min(at, len(b)):], proto, addr, want) && !m.cut {
		return false
	}
	replace(check, addr, want)
	return true
}

// transport changes the transport header b. addr and want are the address before
// and after, as they are part of the checksum.
func (m *mangling) transport(b []byte, proto ctnetlink.Protocol, addr, want []byte) bool {
	switch proto {
	case ctnetlink.ProtoTCP:
		var check []byte
		if len(b) >= 20 {
			check = b[16:18]
		}
		return m.ports(b, 8, check, addr, want)
	case ctnetlink.ProtoUDP, ctnetlink.ProtoUDPLite:
		if len(b) < 8 {
			return m.ports(b, 8, nil, addr, want)
		}
		check := b[6:8]
		if proto == ctnetlink.ProtoUDP && be16(check) == 0 {
			check = nil // no checksum was computed
		}
		m.ports(b, 8, check, addr, want)
		if check != nil && be16(check) == 0 {
			check[0], check[1] = 0xff, 0xff // 0 means none
		}
	case ctnetlink.ProtoSCTP:
		if !m.ports(b, 8, nil, nil, nil) {
			return false
		}
		if len(b) >= 12 && !m.cut {
			putCRC(b)
		}
	case ctnetlink.ProtoICMP:
		if len(b) < 8 {
			return false
		}
		if _, ok := proto.InverseICMPType(b[0]); ok {
			m.id(b[2:4], b[4:6])
		}
	case ctnetlink.ProtoICMPv6:
		if len(b) < 8 {
			return false
		}
		check := b[2:4]
		binary.BigEndian.PutUint16(check, update(be16(check), addr, want))
		if b[0] == 128 || b[0] == 129 {
			m.id(check, b[4:6])
		}
	case ctnetlink.ProtoGRE:
		if len(b) < 8 {
			return false
		}
		if version := b[1] & 7; version == 1 && !m.source {
			binary.BigEndian.PutUint16(b[6:], m.to.dport) // call id
		}
	}
	return true
}

// ports changes a port, and updates the checksum, which may be nil, for the
// address and the port. The header must have need bytes.
func (m *mangling) ports(b []byte, need int, check, addr, want []byte) bool {
	if len(b) < 4 || len(b) < need && !m.cut {
		return false
	}
	var port [2]byte
	at := b[2:4]
	binary.BigEndian.PutUint16(port[:], m.to.dport)
	if m.source {
		at = b[0:2]
		binary.BigEndian.PutUint16(port[:], m.to.sport)
	}
	if check != nil {
		binary.BigEndian.PutUint16(check, update(be16(check), addr, want))
	}
	replace(check, at, port[:])
	return true
}

// id changes the identifier of an ICMP message.
func (m *mangling) id(check, at []byte) {
	var id [2]byte
	binary.BigEndian.PutUint16(id[:], m.to.sport)
	replace(check, at, id[:])
}

// putCRC sets the checksum of an SCTP packet (RFC 9260, appendix A).
func putCRC(b []byte) {
	clear(b[8:12])
	binary.LittleEndian.PutUint32(b[8:], crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)))
}

// putSum sets a checksum at an offset of b to the right value; s is the sum of the
// pseudo header.
func putSum(b []byte, at int, s uint64) {
	b[at], b[at+1] = 0, 0
	binary.BigEndian.PutUint16(b[at:], checksum(b, s))
}

// skipIPv6 returns the protocol and the offset of the transport header of an IPv6
// packet, behind its extension headers; at is 0 if it has none: it is a fragment
// other than the first, or ends before.
func skipIPv6(b []byte) (proto ctnetlink.Protocol, at int) {
	proto, at = ctnetlink.Protocol(b[6]), 40
	for {
		var n int
		switch {
		case proto != 0 && proto != 43 && proto != 44 && proto != 51 && proto != 60:
			return proto, at
		case len(b) < at+8:
			return proto, 0
		case proto == 44:
			if be16(b[at+2:])&^7 != 0 {
				return proto, 0
			}
			n = 8
		case proto == 51:
			n = (int(b[at+1]) + 2) * 4
		default:
			n = (int(b[at+1]) + 1) * 8
		}
		proto, at = ctnetlink.Protocol(b[at]), at+n
		if at > len(b) {
			return proto, 0
		}
	}
}
