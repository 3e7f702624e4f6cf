package engine

import (
	"encoding/binary"
	"math/bits"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// sources finds the entries whose source translation was set up by their source
// before the translation. It is a hash table of chains through the entries, the
// newest first.
type sources struct {
	heads []slotRef // their number is a power of two; nil until there is an entry
}

// slotRef is a slot plus 1; 0 refers to no slot.
type slotRef uint32

// sameSourceAs reports whether a tuple in a zone has the source of the entry's
// connection.
func (e *entry) sameSourceAs(tp *tuple, zoneID uint16) bool {
	o := &e.tuples[original]
	return o.src == tp.src && o.family == tp.family && o.proto == tp.proto && e.zone.in(original) == zoneID &&
		(o.sport == tp.sport || !sourceHasPort(tp.proto))
}

func sourceHasPort(proto ctnetlink.Protocol) bool { return hasPorts(proto) || isICMP(proto) }

// sourceHead returns the chain of a tuple's source.
func (t *Table) sourceHead(tp *tuple, zoneID uint16) *slotRef {
	const most = 1 << 20
	if t.sources.heads == nil {
		n := most
		if t.o.Max != 0 { // there is a limit
			n = min(t.o.Max, most)
		}
		t.sources.heads = make([]slotRef, 1<<bits.Len(uint(n-1)))
	}
	rest := uint64(tp.family)<<32 | uint64(tp.proto)<<40 | uint64(zoneID)<<48
	if sourceHasPort(tp.proto) {
		rest |= uint64(tp.sport)
	}
	le := binary.LittleEndian
	h := mix(le.Uint64(tp.src[:])^t.index.seed, le.Uint64(tp.src[8:])^0xa0761d6478bd642f)
	h = mix(h^rest, 0xe7037ed1a0b428db)
	return &t.sources.heads[h&uint64(len(t.sources.heads)-1)]
}

// sameSource returns the tuple with the translated source of an earlier
// connection from the same source, if that is in the range
// (find_appropriate_src).
func (t *Table) sameSource(tp *tuple, r *natRange, z zone) (same tuple, ok bool) {
	for at := *t.sourceHead(tp, z.in(original)); at != 0; {
		e := t.slabs.at(slot(at - 1))
		at = e.nextSource
		if !e.sameSourceAs(tp, z.in(original)) {
			continue
		}
		same, _ = e.tuples[reply].invert()
		same.dst, same.dport = tp.dst, tp.dport
		if r.contains(&same) {
			return same, true
		}
	}
	return tuple{}, false
}

// addSource remembers the translated source of an entry.
func (t *Table) addSource(e *entry) {
	head := t.sourceHead(&e.tuples[original], e.zone.in(original))
	if e.nextSource = *head; *head != 0 {
		t.slabs.at(slot(*head - 1)).prevSource = slotRef(e.slot + 1)
	}
	*head = slotRef(e.slot + 1)
}

func (t *Table) removeSource(e *entry) {
	if e.nextSource != 0 {
		t.slabs.at(slot(e.nextSource - 1)).prevSource = e.prevSource
	}
	if e.prevSource != 0 {
		t.slabs.at(slot(e.prevSource - 1)).nextSource = e.nextSource
		return
	}
	*t.sourceHead(&e.tuples[original], e.zone.in(original)) = e.nextSource
}
