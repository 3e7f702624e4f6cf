package packets

import "net/netip"

// ICMP is an ICMP message in an IPv4 packet, or an ICMPv6 message in an IPv6
// packet.
type ICMP struct {
	Src, Dst   netip.Addr
	Type, Code uint8
	// ID and Seq are the four bytes behind the checksum, whatever they mean.
	ID, Seq uint16
	Data    []byte
	Sum     Sum
	Cut     int // the message has only this many bytes; 0: all
	IP      IP  // the header's other fields
}

// Bytes returns the packet.
func (p ICMP) Bytes() []byte {
	b := make([]byte, 8, 8+len(p.Data))
	b[0], b[1] = p.Type, p.Code
	be.PutUint16(b[4:], p.ID)
	be.PutUint16(b[6:], p.Seq)
	b = append(b, p.Data...)
	if p.Src.Is6() {
		return finish(p.IP, p.Src, p.Dst, ProtoICMPv6, b, 2, p.Sum, p.Cut)
	}
	if p.Cut != 0 && p.Cut < len(b) {
		b = b[:max(p.Cut, 0)]
	}
	if len(b) >= 4 {
		be.PutUint16(b[2:], p.Sum.number(Checksum(b)))
	}
	h := p.IP
	h.Src, h.Dst, h.Proto, h.Payload = p.Src, p.Dst, ProtoICMP, b
	return h.Bytes()
}

// Echo returns an echo request or reply of the addresses' family.
func Echo(src, dst netip.Addr, id, seq uint16, reply bool) ICMP {
	t := uint8(8)
	switch {
	case src.Is6() && reply:
		t = 129
	case src.Is6():
		t = 128
	case reply:
		t = 0
	}
	return ICMP{Src: src, Dst: dst, Type: t, ID: id, Seq: seq, Data: []byte("ping")}
}

// Error returns an ICMP error about a packet that quotes its first bytes: all
// if quoted is 0.
func Error(src, dst netip.Addr, typ, code uint8, about []byte, quoted int) ICMP {
	if quoted != 0 && quoted < len(about) {
		about = about[:quoted]
	}
	return ICMP{Src: src, Dst: dst, Type: typ, Code: code, Data: about}
}
