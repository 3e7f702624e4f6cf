package filter

import (
	"encoding/binary"
	"math"
	"math/bits"
	"net/netip"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// shape is what filters of an index have in common: by which values they are
// found. The zero shape is none.
type shape struct {
	// prefixes are those of at most two addresses; the first has the most bits.
	prefixes [2]prefix
	// v6: the addresses are of IPv6, else of IPv4.
	v6      bool
	numbers numberSet
}

// prefix is an address of an entry and how many of its bits are compared.
type prefix struct {
	of   addressOf
	bits uint8
}

// addressOf names an address of an entry.
type addressOf uint8

const (
	noAddress addressOf = iota
	origSrc
	origDst
	replySrc
	replyDst
	anyAddress // one of the four
)

// numberSet is a set of numbers of an entry.
type numberSet uint16

const (
	numberID numberSet = 1 << iota
	numberProto
	numberOrigSrcPort
	numberOrigDstPort
	numberReplySrcPort
	numberReplyDstPort
	numberAnyPort // one of the four
	numberMark
	numberZone
	numberICMPID
	numberLast = numberICMPID
)

// key are the values of a shape.
type key struct {
	addrs   [2][2]uint64
	numbers [3]uint64
}

// set puts the value of one number into the key.
func (k *key) set(number numberSet, n uint32) {
	v := uint64(n)
	switch number {
	case numberID:
		k.numbers[2] |= v << 32
	case numberProto:
		k.numbers[1] |= v << 56
	case numberOrigSrcPort:
		k.numbers[0] |= v << 48
	case numberOrigDstPort:
		k.numbers[0] |= v << 32
	case numberReplySrcPort:
		k.numbers[0] |= v << 16
	case numberReplyDstPort:
		k.numbers[0] |= v
	case numberAnyPort:
		k.numbers[1] |= v << 32
	case numberMark:
		k.numbers[1] |= v
	case numberZone:
		k.numbers[2] |= v << 16
	case numberICMPID:
		k.numbers[2] |= v
	}
}

// maxKeys is under how many keys a filter with a set of numbers is found.
const maxKeys = 64

// numberOf returns the values of a number that a filter has, nil if it does not
// compare the number.
func numberOf(m *Filter, number numberSet) Set {
	switch number {
	case numberID:
		return m.ID
	case numberProto:
		return m.Orig.numbers[indexProto]
	case numberOrigSrcPort:
		return m.Orig.numbers[indexSrcPort]
	case numberOrigDstPort:
		return m.Orig.numbers[indexDstPort]
	case numberReplySrcPort:
		return m.Reply.numbers[indexSrcPort]
	case numberReplyDstPort:
		return m.Reply.numbers[indexDstPort]
	case numberAnyPort:
		if !m.NotPort {
			return m.Port
		}
	case numberMark:
		if mark, mask := m.mark(); mask == math.MaxUint32 {
			return Set{{mark, mark}}
		}
	case numberZone:
		return m.Zone
	case numberICMPID:
		return m.Orig.numbers[indexICMPID]
	}
	return nil
}

// addressFilter returns the criterion that a filter has on an address. A
// translation is one on the address that it is to.
func addressFilter(m *Filter, of addressOf) Address {
	translated := func(a Address, n *NAT) Address {
		if !a.Addr.IsValid() && n.Given && n.In == nil && !n.Not {
			return Address{Addr: n.Addr, Mask: n.Mask}
		}
		return a
	}
	switch of {
	case origSrc:
		return m.Orig.src
	case origDst:
		return m.Orig.dst
	case replySrc:
		return translated(m.Reply.src, &m.DstNAT)
	case replyDst:
		return translated(m.Reply.dst, &m.SrcNAT)
	}
	return translated(m.Host, &m.AnyNAT)
}

// length returns how many leading bits of an address are compared, 0 if these are
// not all, or if none is.
func (a *Address) length() int {
	switch {
	case !a.Addr.IsValid() || a.In != nil || a.Not:
		return 0
	case !a.Mask.IsValid():
		return a.Addr.BitLen()
	case a.Mask.BitLen() != a.Addr.BitLen():
		return 0 // matches nothing
	}
	n := 0
	for i, b := range a.Mask.AsSlice() {
		ones := bits.LeadingZeros8(^b)
		if b<<ones != 0 || ones > 0 && n < i*8 {
			return 0 // it has holes
		}
		n += ones
	}
	return n
}

// shapeOf returns the shape of the index that finds a filter, with as much in it as
// there is.
func shapeOf(m *Filter) (s shape) {
	if values, ok := m.ID.values(maxKeys); ok && m.ID != nil && len(values) > 0 {
		return shape{numbers: numberID}
	}
	for of := origSrc; of <= anyAddress; of++ {
		a := addressFilter(m, of)
		n := a.length()
		p := prefix{of, uint8(n)}
		v6 := a.Addr.Is6()
		switch {
		case n == 0 || s.prefixes[0].of != noAddress && v6 != s.v6:
		case p.bits > s.prefixes[0].bits:
			s.prefixes[0], s.prefixes[1], s.v6 = p, s.prefixes[0], v6
		case p.bits > s.prefixes[1].bits:
			s.prefixes[1] = p
		}
	}
	for number := numberProto; number <= numberLast; number <<= 1 {
		if _, ok := numberOf(m, number).single(); ok {
			s.numbers |= number
		}
	}
	if s.prefixes[0].of != noAddress || s.numbers&^numberProto != 0 {
		return s
	}
	// A short set of ports is better than a protocol, or than nothing.
	for number := numberOrigSrcPort; number <= numberAnyPort; number <<= 1 {
		if values, ok := numberOf(m, number).values(maxKeys); ok && len(values) > 0 {
			s.numbers |= number
			return s
		}
	}
	return s
}

// coarse returns a shape with less in it, of which there are few.
func (s shape) coarse() shape {
	if s.prefixes[0].of != noAddress {
		return shape{prefixes: [2]prefix{s.prefixes[0]}, v6: s.v6}
	}
	for number := numberID; number <= numberLast; number <<= 1 {
		if s.numbers&number != 0 && (number != numberProto || s.numbers == numberProto) {
			return shape{numbers: number}
		}
	}
	return shape{}
}

// index finds filters by the values of their shape.
type index struct {
	shape
	masks [2][2]uint64 // of the prefixes
	first map[key]int32
	nodes []node
}

// node is a filter in an index. next is that of another filter with the same key,
// -1 for none.
type node struct {
	filter *Filter
	next   int32
}

func newIndex(s shape) index {
	x := index{shape: s, first: make(map[key]int32)}
	for i, p := range s.prefixes {
		n := int(p.bits)
		if !s.v6 {
			n += 96
		}
		x.masks[i] = [2]uint64{^uint64(0) << max(64-n, 0), ^uint64(0) << min(128-n, 64)}
	}
	return x
}

// address puts an address into a key, if it is of the index's family.
func (x *index) address(k *key, i int, a netip.Addr) bool {
	if a.Is4() == x.v6 || !a.IsValid() {
		return false
	}
	b := a.As16()
	k.addrs[i] = [2]uint64{
		binary.BigEndian.Uint64(b[:8]) & x.masks[i][0],
		binary.BigEndian.Uint64(b[8:]) & x.masks[i][1],
	}
	return true
}

// add puts a filter into the index.
func (x *index) add(m *Filter) {
	keys := []key{{}}
	for i, p := range x.prefixes {
		if p.of != noAddress {
			x.address(&keys[0], i, addressFilter(m, p.of).Addr)
		}
	}
	for numbers := x.numbers; numbers != 0; numbers &= numbers - 1 {
		number := numbers & -numbers
		values, _ := numberOf(m, number).values(maxKeys)
		var more []key
		for _, n := range values {
			for _, k := range keys {
				k.set(number, n)
				more = append(more, k)
			}
		}
		keys = more
	}
	for _, k := range keys {
		next, ok := x.first[k]
		if !ok {
			next = -1
		}
		x.first[k] = int32(len(x.nodes))
		x.nodes = append(x.nodes, node{m, next})
	}
}

// match reports whether an entry matches a filter of the index.
func (x *index) match(f *ctnetlink.Flow) bool {
	orig, reply := f.Orig(), f.Reply()
	var k key
	if !x.fixedNumbers(&k, f) {
		return false
	}
	whole := true // the key has all but what any of several values may be
	any := -1     // the prefix that any address may have
	for i, p := range x.prefixes {
		switch p.of {
		case origSrc:
			whole = whole && x.address(&k, i, orig.Src)
		case origDst:
			whole = whole && x.address(&k, i, orig.Dst)
		case replySrc:
			whole = whole && x.address(&k, i, reply.Src)
		case replyDst:
			whole = whole && x.address(&k, i, reply.Dst)
		case anyAddress:
			any = i
		}
	}
	if !whole {
		return false
	}
	if any < 0 {
		return x.anyPort(k, f)
	}
	// Without translation the reply has the same two addresses.
	return x.address(&k, any, orig.Src) && x.anyPort(k, f) ||
		x.address(&k, any, orig.Dst) && x.anyPort(k, f) ||
		reply.Src != orig.Dst && x.address(&k, any, reply.Src) && x.anyPort(k, f) ||
		reply.Dst != orig.Src && x.address(&k, any, reply.Dst) && x.anyPort(k, f)
}

// fixedNumbers puts the numbers of an entry into a key, all but that of any port.
// It reports whether the entry has them.
func (x *index) fixedNumbers(k *key, f *ctnetlink.Flow) bool {
	orig, reply := f.Orig(), f.Reply()
	for numbers := x.numbers &^ numberAnyPort; numbers != 0; numbers &= numbers - 1 {
		var n uint32
		ok := true
		number := numbers & -numbers
		switch number {
		case numberID:
			n, ok = f.ID()
		case numberProto:
			n, ok = uint32(orig.Proto), orig.Has&ctnetlink.FieldProto != 0
		case numberOrigSrcPort:
			n, ok = uint32(orig.SrcPort), orig.Has&ctnetlink.FieldSrcPort != 0
		case numberOrigDstPort:
			n, ok = uint32(orig.DstPort), orig.Has&ctnetlink.FieldDstPort != 0
		case numberReplySrcPort:
			n, ok = uint32(reply.SrcPort), reply.Has&ctnetlink.FieldSrcPort != 0
		case numberReplyDstPort:
			n, ok = uint32(reply.DstPort), reply.Has&ctnetlink.FieldDstPort != 0
		case numberMark:
			n, ok = f.Mark()
		case numberZone:
			zone, _ := f.Zone() // one that was not sent is 0
			n = uint32(zone)
		case numberICMPID:
			n, ok = uint32(orig.ICMPID), orig.Has&ctnetlink.FieldICMPID != 0
		}
		if !ok {
			return false
		}
		k.set(number, n)
	}
	return true
}

// anyPort reports whether an entry matches a filter under a key, to which one of
// its ports is added if the shape has any port.
func (x *index) anyPort(k key, f *ctnetlink.Flow) bool {
	if x.numbers&numberAnyPort == 0 {
		return x.chain(&k, f)
	}
	orig, reply := f.Orig(), f.Reply()
	with := func(port uint16) bool {
		k := k
		k.set(numberAnyPort, uint32(port))
		return x.chain(&k, f)
	}
	// A port that was not sent is 0, and no filter matches because of it.
	return with(orig.SrcPort) || with(orig.DstPort) ||
		reply.SrcPort != orig.DstPort && with(reply.SrcPort) || reply.DstPort != orig.SrcPort && with(reply.DstPort)
}

// chain reports whether an entry matches a filter under a key.
func (x *index) chain(k *key, f *ctnetlink.Flow) bool {
	i, ok := x.first[*k]
	if !ok {
		return false
	}
	for ; i >= 0; i = x.nodes[i].next {
		if x.nodes[i].filter.Match(f) {
			return true
		}
	}
	return false
}
