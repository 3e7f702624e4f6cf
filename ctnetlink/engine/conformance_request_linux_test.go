package engine_test

import (
	"encoding/binary"
	"slices"
)

// A request is a tree, so that it can be damaged, reduced, printed, and sent to
// two tables that use different ids.

// node is an attribute of a request.
type node struct {
	typ  uint16 // with the flag bits
	val  []byte
	kids []*node // instead of val
	id   string  // instead of val: the id that this side gave the entry or expectation with that key
	lie  int     // added to the length in the header
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

// append appends the attribute. ids returns the ids of the side it is sent to.
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
	cut             int  // number of bytes cut off the end
	lie             int  // added to the length in the header
	bare            bool // send nlmsghdr only
}

// append appends the request. The port id is 0, as programs send it.
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

// has reports whether the request has one of the attributes at its top level.
func (r *request) has(types ...uint16) bool {
	return slices.ContainsFunc(r.attrs, func(n *node) bool { return slices.Contains(types, n.typ&^(3<<14)) })
}

// step is one datagram: requests sent together on one of a side's sockets.
type step struct {
	socket   int
	requests []*request
	sweeps   bool // its purpose is to remove expired entries
}

// flushes reports whether the step may remove several entries in an order of
// the table's own.
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

// damaged reports whether the attributes may arrive different from the tree.
func (r *request) damaged() bool {
	return r.cut != 0 || r.lie != 0 || r.bare || slices.ContainsFunc(r.attrs, func(n *node) bool { return n.lie != 0 })
}

// append appends the step's datagram; the sequence numbers distinguish its
// requests.
func (s *step) append(b []byte, seq uint32, ids func(key string) uint32) []byte {
	for i, r := range s.requests {
		b = r.append(b, seq+uint32(i), ids)
	}
	return b
}
