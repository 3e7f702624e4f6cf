package engine

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/internal/wire"
)

// natRange is what a translation may choose from (struct nf_nat_range2).
type natRange struct {
	addrs            bool // minAddr and maxAddr were given
	ports            bool // minPort and maxPort were given
	minAddr, maxAddr [16]byte
	minPort, maxPort uint16
}

// setupNAT translates a new entry if the request says so: first the destination,
// then the source. A direction without a translation keeps its address, and
// changes its port where that must be (ctnetlink_setup_nat).
func (t *Table) setupNAT(e *entry, a *entryAttrs) errno {
	if !a.has(ctnetlink.AttrNATDst) && !a.has(ctnetlink.AttrNATSrc) {
		return 0
	}
	if no := t.translate(e, a[ctnetlink.AttrNATDst], false); no != 0 {
		return no
	}
	return t.translate(e, a[ctnetlink.AttrNATSrc], true)
}

// translate changes the reply tuple by one translation (nf_nat_setup_info).
func (t *Table) translate(e *entry, val []byte, source bool) errno {
	var r natRange
	if val == nil {
		r.addrs, r.minAddr = true, e.tuples[reply].src
		if source {
			r.minAddr = e.tuples[reply].dst
		}
		r.maxAddr = r.minAddr
	} else if no := r.parse(val, e.family()); no != 0 {
		return no
	}
	current, _ := e.tuples[reply].invert()
	chosen := t.unique(current, &r, e, source)
	if chosen != current {
		e.tuples[reply], _ = chosen.invert()
		if source {
			e.status |= ctnetlink.StatusSrcNAT
		} else {
			e.status |= ctnetlink.StatusDstNAT
		}
	}
	if source {
		e.status |= ctnetlink.StatusSrcNATDone
	} else {
		e.status |= ctnetlink.StatusDstNATDone
	}
	return 0
}

// parse reads CTA_NAT_SRC or CTA_NAT_DST. Addresses of another family than the
// entry's are passed over.
func (r *natRange) parse(val []byte, family uint8) errno {
	var tb [6][]byte
	if no := parse(val, tb[:], natPolicy); no != 0 {
		return no
	}
	low, high, size := tb[wire.NATv4MinIP], tb[wire.NATv4MaxIP], 4
	if family == familyIPv6 {
		low, high, size = tb[wire.NATv6MinIP], tb[wire.NATv6MaxIP], 16
	}
	if low != nil {
		r.addrs = true
		copy(r.minAddr[:], low[:size])
		r.maxAddr = r.minAddr
	}
	if high != nil {
		copy(r.maxAddr[:], high[:size])
	}
	if tb[wire.NATProto] == nil {
		return 0
	}
	var ports [3][]byte
	if no := parse(tb[wire.NATProto], ports[:], natPortPolicy); no != 0 {
		return no
	}
	if v := ports[wire.NATPortMin]; v != nil {
		r.ports = true
		r.minPort = binary.BigEndian.Uint16(v)
		r.maxPort = r.minPort
	}
	if v := ports[wire.NATPortMax]; v != nil { // alone it is a range from 0
		r.ports = true
		r.maxPort = binary.BigEndian.Uint16(v)
	}
	return 0
}

// unique returns the tuple of the range that nobody answers to yet, if there is
// one (get_unique_tuple). The tuple is in the direction of the original.
func (t *Table) unique(current tuple, r *natRange, e *entry, source bool) tuple {
	if source {
		if r.contains(&current) {
			if !t.replyTaken(&current, e) || !t.clashes(&current, e) {
				return current
			}
		} else if same, ok := t.sameSource(&current, r, e.zone); ok && !t.replyTaken(&same, e) {
			return same
		}
	}
	chosen := current
	if r.addrs {
		addr := &chosen.dst
		if source {
			addr = &chosen.src
		}
		*addr = r.addr(&current, e.zone.id, source)
	}
	if r.ports {
		if r.containsPort(&chosen, source) && (r.minPort == r.maxPort || !t.replyTaken(&chosen, e)) {
			return chosen
		}
	} else if !t.replyTaken(&chosen, e) {
		return chosen
	}
	t.choosePort(&chosen, r, e, source)
	return chosen
}

// clashes tells whether a source that is taken must be changed: not when the
// entry in the way is the same connection seen from its other end, for that is
// no matter of ports (nf_nat_used_tuple_new).
func (t *Table) clashes(current *tuple, e *entry) bool {
	if p := e.protocol(); p == ctnetlink.ProtoTCP || p == ctnetlink.ProtoSCTP || e.status&(ctnetlink.StatusSrcNAT|ctnetlink.StatusDstNAT) != 0 {
		return true
	}
	o := t.lookup(current, e.zone)
	if o == nil {
		answer, _ := current.invert()
		if o = t.lookup(&answer, e.zone); o == nil {
			return false
		}
	}
	return o.status&(ctnetlink.StatusSrcNAT|ctnetlink.StatusDstNAT|ctnetlink.StatusSeqAdjust) != 0 || o.tuples[original] != e.tuples[reply]
}

// replyTaken tells whether the answer to a tuple would reach another entry.
func (t *Table) replyTaken(tp *tuple, e *entry) bool {
	answer, _ := tp.invert()
	return t.taken(&answer, e)
}

// contains tells whether a tuple's source is in the range.
func (r *natRange) contains(tp *tuple) bool {
	return (!r.addrs || bytes.Compare(tp.src[:], r.minAddr[:]) >= 0 && bytes.Compare(tp.src[:], r.maxAddr[:]) <= 0) &&
		(!r.ports || r.containsPort(tp, true))
}

// containsPort tells whether the port that a translation changes is in the range.
func (r *natRange) containsPort(tp *tuple, source bool) bool {
	port := tp.dport
	switch {
	case isICMP(tp.proto), hasPorts(tp.proto) && source:
		port = tp.sport
	case !hasPorts(tp.proto):
		return true
	}
	return port >= r.minPort && port <= r.maxPort
}

// maxAttempts bounds the search for a port (NF_NAT_MAX_ATTEMPTS).
const maxAttempts = 128

// choosePort looks for a port that makes the tuple unique, for a source from a
// random one on, for a destination from the first; it may not find one (nf_nat_l4proto_unique_tuple).
func (t *Table) choosePort(tp *tuple, r *natRange, e *entry, source bool) {
	port, first, size := &tp.sport, uint32(r.minPort), uint32(0)
	switch icmp := isICMP(tp.proto); {
	case !icmp && (!hasPorts(tp.proto) || tp.proto == ctnetlink.ProtoGRE):
		return // without a master, no PPTP
	case !r.ports && icmp:
		first, size = 0, 1<<16
	case !r.ports && !source:
		return // the port of a destination is never chosen
	case !r.ports && *port < 512:
		first, size = 1, 511
	case !r.ports && *port < 1024:
		first, size = 600, 1023-600+1
	case !r.ports:
		first, size = 1024, 65535-1024+1
	default:
		last := uint32(r.maxPort)
		first, last = min(first, last), max(first, last)
		size = last - first + 1
		if !source && !icmp {
			port = &tp.dport
		}
	}
	attempts := min(size, maxAttempts)
	off := uint32(0)
	if source {
		off = rand.Uint32N(1 << 16)
	}
	for ; ; off = rand.Uint32N(1 << 16) {
		for range attempts {
			*port = uint16(first + off%size)
			if !t.replyTaken(tp, e) {
				return
			}
			off++
		}
		if attempts >= size || attempts < 16 {
			return
		}
		attempts /= 2
	}
}

// source is where translated connections come from, before the translation.
type source struct {
	addr          [16]byte
	port          uint16
	family, proto uint8
	zone          uint16
}

func sourceOf(tp *tuple, z zone) source {
	s := source{addr: tp.src, port: tp.sport, family: tp.family, proto: tp.proto, zone: z.in(original)}
	if !hasPorts(tp.proto) && !isICMP(tp.proto) {
		s.port = 0
	}
	return s
}

// sameSource returns the tuple with the source that an earlier connection from
// the same one was given, if that is in the range (find_appropriate_src).
func (t *Table) sameSource(tp *tuple, r *natRange, z zone) (same tuple, ok bool) {
	known := t.sources[sourceOf(tp, z)]
	for i := len(known) - 1; i >= 0; i-- {
		same, _ = known[i].tuples[reply].invert()
		same.dst, same.dport = tp.dst, tp.dport
		if r.contains(&same) {
			return same, true
		}
	}
	return tuple{}, false
}

// addSource remembers where an entry's source was translated to.
func (t *Table) addSource(e *entry) {
	if t.sources == nil {
		t.sources = map[source][]*entry{}
	}
	s := sourceOf(&e.tuples[original], e.zone)
	t.sources[s] = append(t.sources[s], e)
}

func (t *Table) removeSource(e *entry) {
	s := sourceOf(&e.tuples[original], e.zone)
	known := t.sources[s]
	for i, o := range known {
		if o == e {
			known = append(known[:i], known[i+1:]...)
			break
		}
	}
	if t.sources[s] = known; len(known) == 0 {
		delete(t.sources, s)
	}
}
