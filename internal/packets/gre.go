package packets

import "net/netip"

// GRE is a GRE packet in an IP packet: version 0 (RFC 2890), or version 1 as
// PPTP uses it (RFC 2637).
type GRE struct {
	Src, Dst netip.Addr
	Version  uint8
	Proto    int    // 0: 0x0800 in version 0, 0x880b in version 1
	Key      uint32 // version 0, if HasKey
	HasKey   bool
	CallID   uint16 // version 1
	Seq      uint32 // if HasSeq
	HasSeq   bool
	Data     []byte
	Cut      int // the packet has only this many bytes; 0: all
	IP       IP  // the header's other fields
}

// Bytes returns the packet.
func (p GRE) Bytes() []byte {
	flags := uint16(p.Version) & 7
	if p.HasSeq {
		flags |= 0x1000
	}
	proto := 0x0800
	if p.Version == 1 {
		proto = 0x880b
	}
	if p.HasKey || p.Version == 1 {
		flags |= 0x2000
	}
	b := be.AppendUint16(be.AppendUint16(nil, flags), uint16(number(p.Proto, proto)))
	switch {
	case p.Version == 1:
		b = be.AppendUint16(be.AppendUint16(b, uint16(len(p.Data))), p.CallID)
	case p.HasKey:
		b = be.AppendUint32(b, p.Key)
	}
	if p.HasSeq {
		b = be.AppendUint32(b, p.Seq)
	}
	b = append(b, p.Data...)
	if p.Cut != 0 && p.Cut < len(b) {
		b = b[:max(p.Cut, 0)]
	}
	h := p.IP
	h.Src, h.Dst, h.Proto, h.Payload = p.Src, p.Dst, ProtoGRE, b
	return h.Bytes()
}
