package engine

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/internal/wire"
)

// natRange is the range of addresses and ports that a translation chooses from
// (struct nf_nat_range2).
type natRange struct {
	addrs            bool // minAddr and maxAddr are set
	ports            bool // minPort and maxPort are set
	minAddr, maxAddr [16]byte
	minPort, maxPort uint16
}

// setupNAT translates a new entry if the request has a translation: first the
// destination, then the source (ctnetlink_setup_nat). A direction without a
// translation keeps its address; its port changes only if the tuple is taken.
func (t *Table) setupNAT(e *entry, a *entryAttrs) errno {
	if !a.has(ctnetlink.AttrNATDst) && !a.has(ctnetlink.AttrNATSrc) {
		return 0
	}
	if no := t.translate(e, a[ctnetlink.AttrNATDst], false); no != 0 {
		return no
	}
	return t.translate(e, a[ctnetlink.AttrNATSrc], true)
}

// translate applies one translation to the reply tuple (nf_nat_setup_info).
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

// parse reads CTA_NAT_SRC or CTA_NAT_DST. Addresses of another family are
// ignored.
func (r *natRange) parse(val []byte, family ctnetlink.Family) errno {
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
	if v := ports[wire.NATPortMax]; v != nil { // without a minimum the range starts at 0
		r.ports = true
		r.maxPort = binary.BigEndian.Uint16(v)
	}
	return 0
}

// unique returns a tuple in the range whose reply no entry has yet, if there is
// one (get_unique_tuple). The tuple is in the original direction.
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

// clashes reports whether a source that is taken must be changed. It need not
// be if the other entry is the same connection seen from the other end
// (nf_nat_used_tuple_new).
func (t *Table) clashes(current *tuple, e *entry) bool {
	const natMask = ctnetlink.StatusSrcNAT | ctnetlink.StatusDstNAT // IPS_NAT_MASK
	if p := e.protocol(); p == ctnetlink.ProtoTCP || p == ctnetlink.ProtoSCTP || e.status&natMask != 0 {
		return true
	}
	o := t.lookup(current, e.zone)
	if o == nil {
		answer, _ := current.invert()
		if o = t.lookup(&answer, e.zone); o == nil {
			return false
		}
	}
	return o.status&(natMask|ctnetlink.StatusSeqAdjust) != 0 || o.tuples[original] != e.tuples[reply]
}

// replyTaken reports whether a reply to the tuple would match another entry.
func (t *Table) replyTaken(tp *tuple, e *entry) bool {
	answer, _ := tp.invert()
	return t.taken(&answer, e)
}

// contains reports whether a tuple's source is in the range.
func (r *natRange) contains(tp *tuple) bool {
	return (!r.addrs || bytes.Compare(tp.src[:], r.minAddr[:]) >= 0 && bytes.Compare(tp.src[:], r.maxAddr[:]) <= 0) &&
		(!r.ports || r.containsPort(tp, true))
}

// containsPort reports whether the port to translate is in the range.
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

// choosePort looks for a port that makes the tuple unique
// (nf_nat_l4proto_unique_tuple): for a source starting at a random one, for a
// destination at the first. It may find none; the tuple is then taken.
func (t *Table) choosePort(tp *tuple, r *natRange, e *entry, source bool) {
	port, first, size := &tp.sport, uint32(r.minPort), uint32(0)
	switch icmp := isICMP(tp.proto); {
	case !icmp && (!hasPorts(tp.proto) || tp.proto == ctnetlink.ProtoGRE):
		return // keys are chosen for PPTP only, which needs a master
	case !r.ports && icmp:
		first, size = 0, 1<<16
	case !r.ports && !source:
		return // no port is chosen for a destination
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

// source is the source of translated connections, before the translation.
type source struct {
	addr   [16]byte
	port   uint16
	family ctnetlink.Family
	proto  ctnetlink.Protocol
	zone   uint16
}

func sourceOf(tp *tuple, z zone) source {
	s := source{addr: tp.src, port: tp.sport, family: tp.family, proto: tp.proto, zone: z.in(original)}
	if !hasPorts(tp.proto) && !isICMP(tp.proto) {
		s.port = 0
	}
	return s
}

// sameSource returns the tuple with the translated source of an earlier
// connection from the same source, if that is in the range
// (find_appropriate_src).
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

// addSource remembers the translated source of an entry.
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
