package engine

import (
	"bytes"
	"encoding/binary"

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
	random           bool // a random port even if the packet's own is free
	fullyRandom      bool // the same
	persistent       bool // the address depends on the client only
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

// translate applies one translation of a request to the reply tuple.
func (t *Table) translate(e *entry, val []byte, source bool) errno {
	r := e.nullRange(source)
	if val != nil {
		r = natRange{}
		if no := r.parse(val, e.family()); no != 0 {
			return no
		}
	}
	t.bind(e, &r, source)
	return 0
}

// nullRange returns the range of an entry that no translation is meant for: the
// address it has (nf_nat_alloc_null_binding).
func (e *entry) nullRange(source bool) natRange {
	addr := e.tuples[reply].src
	if source {
		addr = e.tuples[reply].dst
	}
	return natRange{addrs: true, minAddr: addr, maxAddr: addr}
}

// bind sets up the translation of an entry's source or destination: the reply
// tuple becomes one in the range (nf_nat_setup_info).
func (t *Table) bind(e *entry, r *natRange, source bool) {
	changed, done := ctnetlink.StatusDstNAT, ctnetlink.StatusDstNATDone
	if source {
		changed, done = ctnetlink.StatusSrcNAT, ctnetlink.StatusSrcNATDone
	}
	current, _ := e.tuples[reply].invert()
	if chosen := t.unique(current, r, e, source); chosen != current {
		e.tuples[reply], _ = chosen.invert()
		e.status |= changed
	}
	e.status |= done
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
	anyPort := r.random || r.fullyRandom
	if source && !anyPort {
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
	if anyPort {
	} else if r.ports {
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
	case !icmp && (!hasPorts(tp.proto) || tp.proto == ctnetlink.ProtoGRE && !t.hasMaster(e)):
		return // keys are chosen for PPTP only, which has a master
	case !r.ports && icmp:
		first, size = 0, 1<<16
	case !r.ports && tp.proto == ctnetlink.ProtoGRE:
		if first, size = 1, 65535; !source {
			port = &tp.dport
		}
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
	if source || r.random || r.fullyRandom {
		off = t.draw(first, size, source)
	}
	for ; ; off = t.draw(first, size, source) {
		for i := range attempts {
			*port = uint16(first + off%size)
			if attempts-i <= lastAttempts && e.protocol() == ctnetlink.ProtoTCP && e.proto.state == stateSYNSent {
				if t.takeOver(tp, e) {
					return
				}
			} else if !t.replyTaken(tp, e) {
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

// draw returns where in a number of ports from first on a search begins, counted
// from first.
func (t *Table) draw(first, size uint32, source bool) uint32 {
	if t.o.Draw != nil {
		return (uint32(t.o.Draw(uint16(first), uint16(first+size-1), source)) - first) % size
	}
	return uint32(t.random.Uint64()>>48) % size
}

func (t *Table) hasMaster(e *entry) bool {
	x := t.extension(e)
	return x != nil && x.master != nil
}

// lastAttempts is the number of attempts before the end of a search in which a
// TCP connection takes the port of one that has ended.
const lastAttempts = 32

// stateSYNSent is TCP_CONNTRACK_SYN_SENT.
const stateSYNSent = 1

// takeOver reports whether the tuple is free for a new TCP connection. If a
// connection with a translated source has it, but has ended, and the new one's
// sequence numbers are above its own, it is removed.
func (t *Table) takeOver(tp *tuple, e *entry) bool {
	answer, _ := tp.invert()
	o := t.lookup(&answer, e.zone)
	if o == nil {
		return true
	}
	const stateTimeWait = 7 // TCP_CONNTRACK_TIME_WAIT; behind it are CLOSE and SYN_SENT2
	newer := int32(e.proto.tcp.side[original].end-o.proto.tcp.side[original].end) > 0
	if o.tuples[reply] != answer || o.status&ctnetlink.StatusSrcNAT == 0 ||
		o.status&ctnetlink.StatusFixedTimeout != 0 || o.proto.state < stateTimeWait || !newer {
		return false
	}
	t.remove(o, 0, nil)
	return true
}
