package engine_test

import (
	"encoding/binary"
	"slices"
)

// A request is kept as a tree, so that it can be spoilt, shrunk, printed, and
// sent to two tables that number their entries differently.

// node is an attribute of a request.
type node struct {
	typ  uint16 // with the flag bits
	val  []byte
	kids []*node // instead of val
	id   string  // instead of val: the id that this side gave the entry (or expectation) of that key
	lie  int     // what is added to the length that is written
}

const nested = 1 << 15 // NLA_F_NESTED

func leaf(typ uint16, val ...byte) *node { return &node{typ: typ, val: val} }

func be16(typ, v uint16) *node {
	return leaf(typ, binary.BigEndian.AppendUint16(nil, v)...)
}

func be32(typ uint16, v uint32) *node {
	return leaf(typ, binary.BigEndian.AppendUint32(nil, v)...)
}

func be64(typ uint16, v uint64) *node {
	return leaf(typ, binary.BigEndian.AppendUint64(nil, v)...)
}

func host32(typ uint16, v uint32) *node {
	return leaf(typ, binary.NativeEndian.AppendUint32(nil, v)...)
}

func str(typ uint16, s string) *node { return leaf(typ, append([]byte(s), 0)...) }

func nest(typ uint16, kids ...*node) *node { return &node{typ: typ | nested, kids: kids} }

// append serialises the attribute. Ids are looked up for the side it goes to.
func (n *node) append(b []byte, ids func(key string) uint32) []byte {
	start := len(b)
	b = append(b, 0, 0, 0, 0)
	switch {
	case n.id != "":
		b = binary.BigEndian.AppendUint32(b, ids(n.id))
	case n.kids != nil:
		for _, k := range n.kids {
			b = k.append(b, ids)
		}
	default:
		b = append(b, n.val...)
	}
	binary.NativeEndian.PutUint16(b[start:], uint16(len(b)-start+n.lie))
	binary.NativeEndian.PutUint16(b[start+2:], n.typ)
	for (len(b)-start)%4 != 0 {
		b = append(b, 0)
	}
	return b
}

func (n *node) clone() *node {
	c := *n
	c.val = slices.Clone(n.val)
	c.kids = cloneNodes(n.kids)
	return &c
}

func cloneNodes(in []*node) (out []*node) {
	for _, n := range in {
		out = append(out, n.clone())
	}
	return out
}

// request is one netlink message to a table.
type request struct {
	typ             uint16 // subsystem and message
	flags           uint16
	family, version uint8
	res             uint16
	attrs           []*node
	cut             int  // the bytes taken off its end
	lie             int  // what is added to the length that is written
	bare            bool // of the headers, only nlmsghdr
}

// append serialises the request. The port id is left 0, as programs do.
func (r *request) append(b []byte, seq uint32, ids func(key string) uint32) []byte {
	start := len(b)
	b = append(b, make([]byte, 16)...)
	if !r.bare {
		b = append(b, r.family, r.version)
		b = binary.BigEndian.AppendUint16(b, r.res)
		for _, n := range r.attrs {
			b = n.append(b, ids)
		}
	}
	b = b[:max(len(b)-r.cut, start+16)]
	h := b[start:]
	binary.NativeEndian.PutUint32(h, uint32(max(len(h)+r.lie, 0)))
	binary.NativeEndian.PutUint16(h[4:], r.typ)
	binary.NativeEndian.PutUint16(h[6:], r.flags)
	binary.NativeEndian.PutUint32(h[8:], seq)
	for (len(b)-start)%4 != 0 {
		b = append(b, 0)
	}
	return b
}

func (r *request) clone() *request {
	c := *r
	c.attrs = cloneNodes(r.attrs)
	return &c
}

// has tells whether the request has one of the attributes at its top level.
func (r *request) has(types ...uint16) bool {
	return slices.ContainsFunc(r.attrs, func(n *node) bool { return slices.Contains(types, n.typ&^(3<<14)) })
}

// step is one datagram: requests sent together over one of a side's sockets.
type step struct {
	socket   int
	requests []*request
	sweeps   bool // it is there to remove entries that have ended
}

// flushes tells whether the step may destroy several entries in an order that
// is the table's own.
func (s *step) flushes() bool {
	return slices.ContainsFunc(s.requests, func(r *request) bool {
		switch r.typ {
		case ctDelete:
			return !r.has(ctaTupleOrig, ctaTupleReply) || r.has(ctaFilter) || r.damaged()
		case expDelete:
			return !r.has(ctaExpTuple) || r.damaged()
		}
		return false
	})
}

// damaged tells whether the request's attributes may not arrive as the tree
// shows them.
func (r *request) damaged() bool {
	return r.cut != 0 || r.lie != 0 || r.bare || slices.ContainsFunc(r.attrs, func(n *node) bool { return n.lie != 0 })
}

// append serialises the step's datagram; the sequence numbers tell its requests
// apart.
func (s *step) append(b []byte, seq uint32, ids func(key string) uint32) []byte {
	for i, r := range s.requests {
		b = r.append(b, seq+uint32(i), ids)
	}
	return b
}
