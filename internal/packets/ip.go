package packets

import "net/netip"

// IP is an IPv4 or IPv6 packet with any payload, and the header of the other
// packets of this package, which set Src, Dst, Proto and Payload.
type IP struct {
	Src, Dst netip.Addr
	Proto    uint8 // of the payload, behind the extension headers
	TTL      int   // 0: 64
	TOS      uint8 // traffic class in IPv6
	// Length is the total length in IPv4, the payload length in IPv6; 0: the right
	// one.
	Length  int
	Version int // 0: the right one
	Payload []byte

	// IPv4.
	ID           uint16
	Offset       int  // of a fragment, in bytes; also in the IPv6 fragment header
	More         bool // more fragments follow; also in the IPv6 fragment header
	DontFragment bool
	Reserved     bool   // the bit in front of "don't fragment"
	IHL          int    // length of the header in units of 4 bytes; 0: the right one
	Options      []byte // a multiple of 4 bytes
	Sum          Sum

	// IPv6.
	Flow       uint32      // flow label
	Extensions []Extension // in their order
}

// Extension is an IPv6 extension header (RFC 8200).
type Extension struct {
	Type uint8
	// Data is the header without its first byte, the number of the next header,
	// which Bytes writes.
	Data []byte
	// Next is the next header's number; 0: the right one.
	Next int
}

// Types of extension headers.
const (
	ExtHopByHop    = 0
	ExtRouting     = 43
	ExtFragment    = 44
	ExtAH          = 51
	ExtNone        = 59
	ExtDestination = 60
)

// HopByHop returns a hop-by-hop options header with options, padded with one
// PadN or Pad1.
func HopByHop(options ...byte) Extension {
	return Extension{Type: ExtHopByHop, Data: optionsOf(options)}
}

// Destination returns a destination options header, as HopByHop does.
func Destination(options ...byte) Extension {
	return Extension{Type: ExtDestination, Data: optionsOf(options)}
}

func optionsOf(options []byte) []byte {
	switch n := (8 - (2+len(options))%8) % 8; n {
	case 0:
	case 1:
		options = append(options[:len(options):len(options)], 0)
	default:
		options = append(options[:len(options):len(options)], 1, byte(n-2))
		options = append(options, make([]byte, n-2)...)
	}
	return append([]byte{byte((2+len(options))/8 - 1)}, options...)
}

// Routing returns a routing header of a type with segments left and no
// addresses.
func Routing(typ, left uint8) Extension {
	return Extension{Type: ExtRouting, Data: []byte{0, typ, left, 0, 0, 0, 0}}
}

// Authentication returns an AH header with a 12-byte integrity value.
func Authentication(spi, seq uint32) Extension {
	b := []byte{4, 0, 0}
	b = be.AppendUint32(be.AppendUint32(b, spi), seq)
	return Extension{Type: ExtAH, Data: append(b, make([]byte, 12)...)}
}

// FragmentHeader returns a fragment header; offset is in bytes.
func FragmentHeader(id uint32, offset int, more bool) Extension {
	b := be.AppendUint16([]byte{0}, uint16(offset)&^7)
	if more {
		b[2] |= 1
	}
	return Extension{Type: ExtFragment, Data: be.AppendUint32(b, id)}
}

// Bytes returns the packet.
func (p IP) Bytes() []byte {
	if p.Src.Is6() {
		return p.bytes6()
	}
	hlen := 20 + len(p.Options)
	b := make([]byte, 20, hlen+len(p.Payload))
	b[0] = byte(number(p.Version, 4)<<4 | number(p.IHL, hlen/4)&15)
	b[1] = p.TOS
	be.PutUint16(b[2:], uint16(number(p.Length, hlen+len(p.Payload))))
	be.PutUint16(b[4:], p.ID)
	off := uint16(p.Offset / 8 & 0x1fff)
	for i, set := range [3]bool{p.More, p.DontFragment, p.Reserved} {
		if set {
			off |= 0x2000 << i
		}
	}
	be.PutUint16(b[6:], off)
	b[8], b[9] = byte(number(p.TTL, 64)), p.Proto
	copy(b[12:], p.Src.AsSlice())
	copy(b[16:], p.Dst.AsSlice())
	b = append(b, p.Options...)
	be.PutUint16(b[10:], p.Sum.number(Checksum(b)))
	return append(b, p.Payload...)
}

func (p IP) bytes6() []byte {
	var ext []byte
	first := p.Proto
	for i, x := range p.Extensions {
		next := p.Proto
		if i+1 < len(p.Extensions) {
			next = p.Extensions[i+1].Type
		}
		if i == 0 {
			first = x.Type
		}
		ext = append(append(ext, byte(number(x.Next, int(next)))), x.Data...)
	}
	b := make([]byte, 8, 40+len(ext)+len(p.Payload))
	be.PutUint32(b, uint32(number(p.Version, 6))<<28|uint32(p.TOS)<<20|p.Flow&0xfffff)
	be.PutUint16(b[4:], uint16(number(p.Length, len(ext)+len(p.Payload))))
	b[6], b[7] = first, byte(number(p.TTL, 64))
	b = append(append(b, p.Src.AsSlice()...), p.Dst.AsSlice()...)
	return append(append(b, ext...), p.Payload...)
}

// Fragments cuts an IPv4 or IPv6 packet into fragments whose payloads have at
// most size bytes, a multiple of 8, in order. id is their identification. In
// IPv6 every extension header but a leading hop-by-hop header is fragmented.
func Fragments(p []byte, id uint32, size int) [][]byte {
	hlen := 40
	if p[0]>>4 == 4 {
		hlen = int(p[0]&15) * 4
	} else if p[6] == ExtHopByHop {
		hlen += 8 * (1 + int(p[41]))
	}
	var out [][]byte
	for at := hlen; at < len(p); at += size {
		end := min(at+size, len(p))
		out = append(out, Piece(p, id, at-hlen, end-hlen, end < len(p)))
	}
	return out
}

// Piece returns the fragment with the bytes from ≤ i < to of an IPv4 or IPv6
// packet's payload, as Fragments does. Bytes beyond the packet are 0.
func Piece(p []byte, id uint32, from, to int, more bool) []byte {
	if p[0]>>4 == 4 {
		hlen := int(p[0]&15) * 4
		b := append(append([]byte(nil), p[:hlen]...), cut(p[hlen:], from, to)...)
		be.PutUint16(b[2:], uint16(len(b)))
		be.PutUint16(b[4:], uint16(id))
		off := be.Uint16(p[6:])&0x8000 | uint16(from/8)
		if more {
			off |= 0x2000
		}
		be.PutUint16(b[6:], off)
		b[10], b[11] = 0, 0
		be.PutUint16(b[10:], Checksum(b[:hlen]))
		return b
	}
	hlen, at := 40, 6
	if p[6] == ExtHopByHop {
		hlen, at = 48+8*int(p[41]), 40
	}
	x := FragmentHeader(id, from, more)
	b := append(append([]byte(nil), p[:hlen]...), p[at])
	b = append(append(b, x.Data...), cut(p[hlen:], from, to)...)
	b[at] = ExtFragment
	be.PutUint16(b[4:], uint16(len(b)-40))
	return b
}

func cut(b []byte, from, to int) []byte {
	c := make([]byte, to-from)
	if from < len(b) {
		copy(c, b[from:min(to, len(b))])
	}
	return c
}
