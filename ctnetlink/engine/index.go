package engine

import (
	"encoding/binary"
	"math/bits"
	"math/rand/v2"
)

// link is a place in a hash chain: one tuple of one entry. 0 ends the chain.
type link uint32

func linkTo(s slot, d direction) link { return link(s)<<1 + link(d) + 1 }

func (l link) slot() slot     { return slot((l - 1) >> 1) }
func (l link) dir() direction { return direction((l - 1) & 1) }

// index is the hash table. It has both tuples of every entry, each in the chain
// of its own hash. The chains are linked through the entries.
type index struct {
	heads []head // their number is a power of two
	n     int    // number of tuples
	seed  uint64
}

// head is the start of a chain. Most lookups find nothing. seen has a bit,
// chosen by the hash, for each tuple that was ever put into the chain, so that
// such a lookup need not read the entries, which are far apart in memory.
type head struct {
	first link
	seen  uint32
}

// seenBit returns the bit of a hash in head.seen. Other bits of the hash choose
// the chain.
func seenBit(hash uint64) uint32 { return 1 << (hash >> 59) }

const minHeads = 1 << 10

func newIndex() index {
	return index{heads: make([]head, minHeads), seed: rand.Uint64()}
}

// hash hashes a tuple and the zone's id in its direction, with the mixer of
// wyhash.
func (x *index) hash(t *tuple, zoneID uint16) uint64 {
	le := binary.LittleEndian
	rest := uint64(t.sport) | uint64(t.dport)<<16 | uint64(t.family)<<32 | uint64(t.proto)<<40 | uint64(zoneID)<<48
	h := mix(le.Uint64(t.src[:])^x.seed, le.Uint64(t.dst[:])^0xa0761d6478bd642f)
	h ^= mix(rest^0xe7037ed1a0b428db, x.seed^0x8ebc6af09c88c6e3)
	if t.family == familyIPv6 {
		h = mix(h^le.Uint64(t.src[8:]), le.Uint64(t.dst[8:])^0x589965cc75374cc3)
	}
	return mix(h, 0x1d8e4e27c47d124f)
}

func mix(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	return hi ^ lo
}

// head returns the chain of a tuple and the tuple's bit in it.
func (x *index) head(t *tuple, zoneID uint16) (h *head, bit uint32) {
	hash := x.hash(t, zoneID)
	return &x.heads[hash&uint64(len(x.heads)-1)], seenBit(hash)
}

// link adds both tuples of an entry to their chains.
func (t *Table) link(e *entry) {
	if t.index.n += 2; t.index.n > len(t.index.heads) {
		t.index.heads = make([]head, 2*len(t.index.heads))
		for i := range t.slabs.used {
			if other := t.slabs.at(i); other.has&alive != 0 && other != e {
				t.chain(other)
			}
		}
	}
	t.chain(e)
}

func (t *Table) chain(e *entry) {
	for d := range direction(2) {
		h, bit := t.index.head(&e.tuples[d], e.zone.in(d))
		e.next[d], h.first = h.first, linkTo(e.slot, d)
		h.seen |= bit
	}
}

// unlink removes both tuples of an entry from their chains.
func (t *Table) unlink(e *entry) {
	for d := range direction(2) {
		h, _ := t.index.head(&e.tuples[d], e.zone.in(d))
		at := &h.first
		for want := linkTo(e.slot, d); *at != want; {
			at = &t.slabs.at(at.slot()).next[at.dir()]
		}
		*at = e.next[d]
		if h.first == 0 {
			h.seen = 0
		}
	}
	t.index.n -= 2
}

// find returns the entry that has the tuple in either direction
// (__nf_conntrack_find). The chain is chosen with the zone's id in the
// direction by, and the entry must be in the zone in the direction in which it
// is found. An entry that has expired is removed.
func (t *Table) find(want *tuple, z zone, by direction) *entry {
	zoneID := z.in(by)
	h, bit := t.index.head(want, zoneID)
	if h.seen&bit == 0 {
		return nil
	}
	for l := h.first; l != 0; {
		e, d := t.slabs.at(l.slot()), l.dir()
		l = e.next[d]
		if e.tuples[d] != *want || e.zone.in(d) != zoneID || z.in(d) != zoneID {
			continue
		}
		if e.expired(t.now) {
			t.remove(e, 0, nil)
			return t.find(want, z, by)
		}
		return e
	}
	return nil
}

// lookup finds the entry that a request names by a tuple and a zone, which may
// apply to one direction only (nf_conntrack_find_get).
func (t *Table) lookup(want *tuple, z zone) *entry {
	if e := t.find(want, z, original); e != nil || z.in(original) == z.in(reply) {
		return e
	}
	return t.find(want, z, reply)
}

// taken reports whether another entry than e has the tuple, which is to be e's
// in the reply direction (nf_conntrack_tuple_taken). Entries with e's original
// tuple do not count: they would be the same flow.
func (t *Table) taken(want *tuple, e *entry) bool {
	zoneID := e.zone.in(reply)
	h, bit := t.index.head(want, zoneID)
	if h.seen&bit == 0 {
		return false
	}
	for l := h.first; l != 0; {
		o, d := t.slabs.at(l.slot()), l.dir()
		l = o.next[d]
		if o == e || o.tuples[d] != *want || o.zone.in(d) != zoneID || e.zone.in(d) != zoneID || o.expired(t.now) {
			continue
		}
		if o.tuples[original] == e.tuples[original] && o.zone.in(original) == e.zone.in(original) {
			continue
		}
		t.stats.found++
		return true
	}
	return false
}
