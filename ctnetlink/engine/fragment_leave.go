package engine

import (
	"encoding/binary"
	"slices"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// pieces are the fragments in which a packet came.
type pieces struct {
	n       int    // number, 0: it came whole
	largest int    // length of the longest one, with its headers
	header  int    // IPv6: length of the headers in front of the fragment header
	id      uint32 // IPv6: identification
}

// leave sends a packet away, in fragments if it came in fragments: they have the
// sizes in which they came, and the header of the first one.
func (t *Table) leave(p *packet) {
	leaves := t.path.leaves[:0]
	switch {
	case p.pieces.n == 0, p.cut() && len(p.data) < p.transport:
		leaves = append(leaves, p.data)
	case p.family == familyIPv6:
		leaves = t.path.frags.leave6(p, leaves)
	default:
		if f := &t.path.frags; t.o.Host.Router && p.where == Forward && p.proto == ctnetlink.ProtoTCP && f.cuts[0] < 20 {
			f.recut4(p)
		}
		leaves = t.path.frags.leave4(p, leaves)
	}
	t.path.leaves, p.v.Leaves = leaves, leaves
}

// leave4 cuts an IPv4 packet (RFC 791, section 3.2).
func (f *reassembly) leave4(p *packet, leaves [][]byte) [][]byte {
	n := int(p.data[0]&15) * 4
	c := f.cutter(p, n, n)
	for c.next() {
		h := c.piece[:n]
		binary.BigEndian.PutUint16(h[2:], uint16(n+c.length))
		field := uint16(c.at / 8)
		if c.more {
			field |= ipv4More
		}
		binary.BigEndian.PutUint16(h[6:], field)
		if c.at > 0 {
			blankOptions4(h[ipv4Header:])
		}
		setSum4(h)
		leaves = append(leaves, c.piece)
	}
	return leaves
}

// recut4 sets the sizes of the fragments of a packet whose first one had a part
// of the TCP header only. A router makes the header whole when it looks for a
// socket, and cuts the packet anew, into pieces as long as the longest one was.
func (f *reassembly) recut4(p *packet) {
	size := max((p.pieces.largest-p.transport)&^7, 8)
	f.cuts = f.cuts[:0]
	for left := p.total - p.transport; left > 0; left -= size {
		if f.cuts = append(f.cuts, min(size, left)); left <= p.pieces.largest-p.transport {
			break
		}
	}
}

// blankOptions4 blanks the options that only the first fragment has, and what is
// behind the end of options.
func blankOptions4(b []byte) {
	for len(b) > 0 {
		n := 1
		switch {
		case b[0] == ipv4OptEnd:
			clear(b)
			return
		case b[0] == ipv4OptNop:
		case len(b) < 2 || b[1] < 2 || int(b[1]) > len(b):
			return
		default:
			if n = int(b[1]); b[0]&ipv4OptCopy == 0 {
				for i := range b[:n] {
					b[i] = ipv4OptNop
				}
			}
		}
		b = b[n:]
	}
}

// leave6 cuts an IPv6 packet (RFC 8200, section 4.5). A packet that is not longer
// than its longest fragment was leaves whole.
func (f *reassembly) leave6(p *packet, leaves [][]byte) [][]byte {
	if p.total <= p.pieces.largest {
		return append(leaves, p.data)
	}
	n, nextAt := unfragmentable6(p.data)
	f.cuts[0] -= n - p.pieces.header
	if first := f.cuts[0]; first <= 0 || first&7 != 0 {
		f.cuts = f.cuts[:1] // so does Linux
	}
	next := p.data[nextAt]
	c := f.cutter(p, n, n+fragmentHeader6)
	for c.next() {
		h := c.piece[:n+fragmentHeader6]
		binary.BigEndian.PutUint16(h[4:], uint16(n-ipv6Header+fragmentHeader6+c.length))
		h[nextAt] = extFragment
		field := uint16(c.at)
		if c.more {
			field |= 1
		}
		h[n], h[n+1] = next, 0
		binary.BigEndian.PutUint16(h[n+2:], field)
		binary.BigEndian.PutUint32(h[n+4:], p.pieces.id)
		leaves = append(leaves, c.piece)
	}
	return leaves
}

// unfragmentable6 returns the length of the headers that every fragment of a
// packet has, and the offset of the field that says what follows.
func unfragmentable6(b []byte) (n, nextAt int) {
	n, nextAt = ipv6Header, 6
	for {
		switch b[nextAt] {
		case extHopByHop, extRouting, extDestination:
		default:
			return n, nextAt
		}
		if len(b) < n+2 || len(b) < n+(int(b[n+1])+1)*8 {
			return n, nextAt
		}
		nextAt = n
		n += (int(b[n+1]) + 1) * 8
	}
}

// cutter cuts a packet into pieces with room for a header.
type cutter struct {
	cuts    []int
	from    []byte // the packet
	headers int    // length of the headers in it
	end     int    // length of the data behind them
	buf     []byte
	room    int

	at, length int    // of the data of the piece
	more       bool   // it is not the last one
	piece      []byte // a copy of the headers, padded, and the data
}

// cutter returns a cutter for a packet with n bytes of headers. The pieces have
// room for headers of a length.
func (f *reassembly) cutter(p *packet, n, room int) cutter {
	f.leaving = slices.Grow(f.leaving[:0], len(p.data)+len(f.cuts)*room)
	return cutter{cuts: f.cuts, from: p.data, headers: n, end: p.total - n, buf: f.leaving, room: room}
}

// next makes the next piece.
func (c *cutter) next() bool {
	c.at += c.length
	if c.at >= c.end || len(c.cuts) == 0 {
		return false
	}
	c.length = c.end - c.at
	if len(c.cuts) > 1 {
		c.length = min(c.length, c.cuts[0])
	}
	c.cuts = c.cuts[1:]
	c.more = c.at+c.length < c.end
	start := len(c.buf)
	c.buf = append(c.buf, c.from[:c.headers]...)
	c.buf = c.buf[:start+c.room]
	have := min(c.headers+c.at, len(c.from))
	c.buf = append(c.buf, c.from[have:min(c.headers+c.at+c.length, len(c.from))]...)
	c.piece = c.buf[start:len(c.buf):len(c.buf)]
	return true
}
