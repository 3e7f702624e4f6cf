package packets

import "net/netip"

// UDP is a UDP datagram in an IP packet.
type UDP struct {
	Src, Dst netip.AddrPort
	Data     []byte
	Length   int // 0: the right one
	Sum      Sum
	Cut      int // the datagram has only this many bytes; 0: all
	IP       IP  // the header's other fields
}

// Bytes returns the packet.
func (p UDP) Bytes() []byte {
	b := make([]byte, 8, 8+len(p.Data))
	be.PutUint16(b, p.Src.Port())
	be.PutUint16(b[2:], p.Dst.Port())
	be.PutUint16(b[4:], uint16(number(p.Length, 8+len(p.Data))))
	return finish(p.IP, p.Src.Addr(), p.Dst.Addr(), ProtoUDP, append(b, p.Data...), 6, p.Sum, p.Cut)
}

// UDPLite is a UDP-Lite datagram in an IP packet (RFC 3828).
type UDPLite struct {
	Src, Dst netip.AddrPort
	Data     []byte
	Coverage uint16 // bytes that the checksum covers; 0: all
	Sum      Sum
	// PseudoProto is the protocol in the pseudo header; 0: the right one, 136. The
	// kernel's connection tracking expects 17.
	PseudoProto uint8
	Cut         int // the datagram has only this many bytes; 0: all
	IP          IP  // the header's other fields
}

// Bytes returns the packet.
func (p UDPLite) Bytes() []byte {
	b := make([]byte, 8, 8+len(p.Data))
	be.PutUint16(b, p.Src.Port())
	be.PutUint16(b[2:], p.Dst.Port())
	be.PutUint16(b[4:], p.Coverage)
	b = append(b, p.Data...)
	covered := b
	if n := int(p.Coverage); n >= 8 && n < len(b) {
		covered = b[:n]
	}
	proto := p.PseudoProto
	if proto == 0 {
		proto = ProtoUDPLite
	}
	right := Checksum(pseudo(p.Src.Addr(), p.Dst.Addr(), proto, len(b)), covered)
	if right == 0 {
		right = 0xffff
	}
	be.PutUint16(b[6:], p.Sum.number(right))
	if p.Cut != 0 && p.Cut < len(b) {
		b = b[:max(p.Cut, 0)]
	}
	h := p.IP
	h.Src, h.Dst, h.Proto, h.Payload = p.Src.Addr(), p.Dst.Addr(), ProtoUDPLite, b
	return h.Bytes()
}
