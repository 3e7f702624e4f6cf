package packets

import "net/netip"

// Flags of a TCP header (RFC 9293).
const (
	FIN = 1 << iota
	SYN
	RST
	PSH
	ACK
	URG
	ECE
	CWR
)

// TCP is a TCP segment in an IP packet.
type TCP struct {
	Src, Dst   netip.AddrPort
	Flags      uint8
	Seq, Ack   uint32
	Window     int    // 0: 65535
	Options    []byte // padded with no-operations
	Data       []byte
	DataOffset int // in units of 4 bytes; 0: the right one
	Reserved   uint8
	Urgent     uint16
	Sum        Sum
	Cut        int // the segment has only this many bytes; 0: all
	IP         IP  // the header's other fields
}

// Bytes returns the packet.
func (p TCP) Bytes() []byte {
	options := padded(p.Options, 1)
	b := make([]byte, 12, 20+len(options)+len(p.Data))
	be.PutUint16(b, p.Src.Port())
	be.PutUint16(b[2:], p.Dst.Port())
	be.PutUint32(b[4:], p.Seq)
	be.PutUint32(b[8:], p.Ack)
	b = append(b, byte(number(p.DataOffset, 5+len(options)/4))<<4|p.Reserved&15, p.Flags)
	b = be.AppendUint16(b, uint16(number(p.Window, 65535)))
	b = be.AppendUint16(append(b, 0, 0), p.Urgent)
	b = append(append(b, options...), p.Data...)
	return finish(p.IP, p.Src.Addr(), p.Dst.Addr(), ProtoTCP, b, 16, p.Sum, p.Cut)
}

// finish puts the checksum of a transport segment at b[at:] and returns the
// packet.
func finish(h IP, src, dst netip.Addr, proto uint8, b []byte, at int, sum Sum, cut int) []byte {
	if cut != 0 && cut < len(b) {
		b = b[:max(cut, 0)]
	}
	if at+2 <= len(b) {
		right := Checksum(pseudo(src, dst, proto, len(b)), b)
		if proto == ProtoUDP && right == 0 {
			right = 0xffff
		}
		be.PutUint16(b[at:], sum.number(right))
	}
	h.Src, h.Dst, h.Proto, h.Payload = src, dst, proto, b
	return h.Bytes()
}

// padded returns b padded to a multiple of 4 bytes.
func padded(b []byte, with byte) []byte {
	b = b[:len(b):len(b)]
	for len(b)%4 != 0 {
		b = append(b, with)
	}
	return b
}

// Options joins TCP options.
func Options(options ...[]byte) []byte {
	var b []byte
	for _, o := range options {
		b = append(b, o...)
	}
	return b
}

// MSS returns the option "maximum segment size".
func MSS(n uint16) []byte { return be.AppendUint16([]byte{2, 4}, n) }

// WindowScale returns the option "window scale".
func WindowScale(n uint8) []byte { return []byte{1, 3, 3, n} }

// SACKPermitted returns the option "SACK permitted".
func SACKPermitted() []byte { return []byte{1, 1, 4, 2} }

// SACK returns the option "SACK" with blocks [from, to).
func SACK(blocks ...[2]uint32) []byte {
	b := []byte{1, 1, 5, byte(2 + 8*len(blocks))}
	for _, x := range blocks {
		b = be.AppendUint32(be.AppendUint32(b, x[0]), x[1])
	}
	return b
}

// Timestamps returns the option "timestamps".
func Timestamps(value, echo uint32) []byte {
	return be.AppendUint32(be.AppendUint32([]byte{1, 1, 8, 10}, value), echo)
}
