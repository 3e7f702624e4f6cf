package packets

import (
	"fmt"
	"net/netip"
)

// Describe returns one line about a packet, for the messages of tests.
func Describe(p []byte) string {
	if s, ok := describe(p); ok {
		return s
	}
	return fmt.Sprintf("malformed %x", p[:min(len(p), 40)])
}

func describe(p []byte) (string, bool) {
	if len(p) < 20 {
		return "", false
	}
	var src, dst netip.Addr
	var proto uint8
	var b []byte
	switch {
	case p[0]>>4 == 4 && int(p[0]&15)*4 <= len(p):
		src, dst = netip.AddrFrom4([4]byte(p[12:])), netip.AddrFrom4([4]byte(p[16:]))
		proto, b = p[9], p[int(p[0]&15)*4:]
		if off := be.Uint16(p[6:]); off&0x3fff != 0 {
			return fragment(src, dst, proto, int(off&0x1fff)*8, off&0x2000 != 0, uint32(be.Uint16(p[4:])), len(b)), true
		}
	case p[0]>>4 == 6 && len(p) >= 40:
		src, dst = netip.AddrFrom16([16]byte(p[8:])), netip.AddrFrom16([16]byte(p[24:]))
		proto, b = p[6], p[40:]
		for proto == ExtHopByHop || proto == ExtRouting || proto == ExtDestination || proto == ExtAH {
			if len(b) < 8 {
				return "", false
			}
			n := 8 + 8*int(b[1])
			if proto == ExtAH {
				n = 8 + 4*int(b[1])
			}
			if n > len(b) {
				return "", false
			}
			proto, b = b[0], b[n:]
		}
		if proto == ExtFragment && len(b) >= 8 {
			off := be.Uint16(b[2:])
			return fragment(src, dst, b[0], int(off&^7), off&1 != 0, be.Uint32(b[4:]), len(b)-8), true
		}
	default:
		return "", false
	}
	return transport(src, dst, proto, b), true
}

func fragment(src, dst netip.Addr, proto uint8, off int, more bool, id uint32, n int) string {
	plus := ""
	if more {
		plus = "+"
	}
	return fmt.Sprintf("%s>%s proto %d frag id %d %d%s len %d", src, dst, proto, id, off, plus, n)
}

func transport(src, dst netip.Addr, proto uint8, b []byte) string {
	names := map[uint8]string{ProtoUDP: "udp", ProtoSCTP: "sctp", ProtoUDPLite: "udplite"}
	switch {
	case proto == ProtoTCP && len(b) >= 20:
		flags := ""
		for i, c := range "FSRPAUEC" {
			if b[13]>>i&1 != 0 {
				flags += string(c)
			}
		}
		s := fmt.Sprintf("%s>%s tcp %s seq %d ack %d win %d", netip.AddrPortFrom(src, be.Uint16(b)),
			netip.AddrPortFrom(dst, be.Uint16(b[2:])), flags, be.Uint32(b[4:]), be.Uint32(b[8:]), be.Uint16(b[14:]))
		if n := int(b[12]>>4) * 4; n > 20 && n <= len(b) {
			s += fmt.Sprintf(" options %x", b[20:n])
		}
		return s + fmt.Sprintf(" len %d", len(b)-int(b[12]>>4)*4)
	case names[proto] != "" && len(b) >= 8:
		s := fmt.Sprintf("%s>%s %s len %d", netip.AddrPortFrom(src, be.Uint16(b)),
			netip.AddrPortFrom(dst, be.Uint16(b[2:])), names[proto], len(b)-8)
		if proto == ProtoSCTP {
			s += fmt.Sprintf(" tag %08x chunks", be.Uint32(b[4:]))
			for c := b[12:]; len(c) >= 4; {
				s += fmt.Sprintf(" %d", c[0])
				c = c[min(len(c), max(4, (int(be.Uint16(c[2:]))+3)&^3)):]
			}
		}
		return s
	case (proto == ProtoICMP || proto == ProtoICMPv6) && len(b) >= 8:
		s := fmt.Sprintf("%s>%s icmp %d/%d id %d seq %d", src, dst, b[0], b[1], be.Uint16(b[4:]), be.Uint16(b[6:]))
		if inner, ok := describe(b[8:]); ok {
			s += " [" + inner + "]"
		}
		return s
	}
	return fmt.Sprintf("%s>%s proto %d len %d", src, dst, proto, len(b))
}
