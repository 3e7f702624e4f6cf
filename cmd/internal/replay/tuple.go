package replay

import (
	"encoding/binary"
	"net/netip"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// tupleOf reads the tuple of a packet: addresses, protocol, and ports or what the
// protocol has in their place, as far as they are there.
func tupleOf(b []byte, t *ctnetlink.Tuple) {
	*t = ctnetlink.Tuple{}
	switch {
	case len(b) >= 20 && b[0]>>4 == 4:
		t.Src, t.Dst = netip.AddrFrom4([4]byte(b[12:])), netip.AddrFrom4([4]byte(b[16:]))
		t.Proto, t.Has = ctnetlink.Protocol(b[9]), ctnetlink.FieldAddrs|ctnetlink.FieldProto
		n := int(b[0]&15) * 4
		if n < 20 || n > len(b) || binary.BigEndian.Uint16(b[6:])&0x1fff != 0 {
			return // a fragment without the transport header
		}
		transportOf(b[n:], t)
	case len(b) >= 40 && b[0]>>4 == 6:
		t.Src, t.Dst = netip.AddrFrom16([16]byte(b[8:])), netip.AddrFrom16([16]byte(b[24:]))
		t.Has = ctnetlink.FieldAddrs | ctnetlink.FieldProto
		next, rest := b[6], b[40:]
		for {
			t.Proto = ctnetlink.Protocol(next)
			switch next {
			case 0, 43, 60, 135: // hop-by-hop, routing, destination options, mobility
				if len(rest) < 8 || len(rest) < int(rest[1])*8+8 {
					return
				}
				next, rest = rest[0], rest[int(rest[1])*8+8:]
			case 51: // AH
				if len(rest) < 8 || len(rest) < int(rest[1])*4+8 {
					return
				}
				next, rest = rest[0], rest[int(rest[1])*4+8:]
			case 44: // fragment
				if len(rest) < 8 {
					return
				}
				first := binary.BigEndian.Uint16(rest[2:])&0xfff8 == 0
				next, rest = rest[0], rest[8:]
				if !first {
					t.Proto = ctnetlink.Protocol(next)
					return
				}
			default:
				transportOf(rest, t)
				return
			}
		}
	}
}

// transportOf reads the beginning of the transport header.
func transportOf(b []byte, t *ctnetlink.Tuple) {
	switch t.Proto {
	case ctnetlink.ProtoTCP, ctnetlink.ProtoUDP, ctnetlink.ProtoUDPLite, ctnetlink.ProtoSCTP, ctnetlink.ProtoDCCP:
		if len(b) >= 4 {
			t.SrcPort, t.DstPort = binary.BigEndian.Uint16(b), binary.BigEndian.Uint16(b[2:])
			t.Has |= ctnetlink.FieldPorts
		}
	case ctnetlink.ProtoICMP, ctnetlink.ProtoICMPv6:
		if len(b) >= 2 {
			t.ICMPType, t.ICMPCode = b[0], b[1]
			t.Has |= ctnetlink.FieldICMPType | ctnetlink.FieldICMPCode
		}
		if _, query := t.Proto.InverseICMPType(t.ICMPType); query && len(b) >= 6 {
			t.ICMPID = binary.BigEndian.Uint16(b[4:])
			t.Has |= ctnetlink.FieldICMPID
		}
	}
}

// reversed returns the tuple of packets in the other direction.
func reversed(t *ctnetlink.Tuple) ctnetlink.Tuple {
	r := *t
	r.Src, r.Dst = t.Dst, t.Src
	r.SrcPort, r.DstPort = t.DstPort, t.SrcPort
	if inverse, ok := t.Proto.InverseICMPType(t.ICMPType); ok && t.Has&ctnetlink.FieldICMPType != 0 {
		r.ICMPType = inverse
	}
	return r
}
