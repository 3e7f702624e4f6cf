package engine

import (
	"encoding/binary"
	"math/bits"
	"math/rand/v2"
)

// link refers to one tuple of one entry. 0 refers to none.
type link uint32

func linkTo(s slot, d direction) link { return link(s)<<1 + link(d) + 1 }

func (l link) slot() slot     { return slot((l - 1) >> 1) }
func (l link) dir() direction { return direction((l - 1) & 1) }

// index is the hash table. It has both tuples of every entry, each in the bucket
// of its own hash. Most look-ups read one bucket, which is one line of the
// processor's cache, and the entry. The table doubles when it is full; the
// tuples then move with later insertions, a bucket at a time, so that no packet
// waits for all of them.
type index struct {
	buckets []bucket // their number is a power of two; each has a range of hashes
	shift   uint     // the bits of a hash below those that choose the bucket
	old     []bucket // half as many, from which tuples are being moved; nil: none
	moved   int      // the number of those that are empty
	more    []bucket // further buckets of full ones; the first is not used
	spare   []uint32 // those that are free
	n       int      // number of tuples
	seed    uint64
	// twins: two entries may have the same tuple in the same zone, since a zone that
	// applies to one direction hides the clash. The newer one is found.
	twins bool
}

// bucketLen is the number of tuples in a bucket of 64 bytes.
const bucketLen = 7

// bucket holds tuples.
type bucket struct {
	hashes [bucketLen]uint32
	links  [bucketLen]link // 0: free
	more   uint32          // a further bucket in index.more; 0: none
	_      uint32
}

const (
	minBuckets = 1 << 7
	// maxLoad is the number of tuples per bucket at which the table doubles.
	maxLoad = 5
)

// newIndex returns an empty index. Which tuples share a bucket depends on the
// seed; 0: on chance, so that nobody can choose tuples that do.
func newIndex(seed uint64) index {
	if seed == 0 {
		seed = rand.Uint64()
	}
	return index{
		buckets: make([]bucket, minBuckets), shift: uint(32 - bits.TrailingZeros(minBuckets)),
		more: make([]bucket, 1), seed: seed,
	}
}

// hash hashes a tuple and the zone's id in its direction, with the mixer of
// wyhash.
func (x *index) hash(t *tuple, zoneID uint16) uint32 {
	le := binary.LittleEndian
	rest := uint64(t.sport) | uint64(t.dport)<<16 | uint64(t.family)<<32 | uint64(t.proto)<<40 | uint64(zoneID)<<48
	h := mix(le.Uint64(t.src[:])^x.seed, le.Uint64(t.dst[:])^0xa0761d6478bd642f)
	h ^= mix(rest^0xe7037ed1a0b428db, x.seed^0x8ebc6af09c88c6e3)
	if t.family == familyIPv6 {
		h = mix(h^le.Uint64(t.src[8:]), le.Uint64(t.dst[8:])^0x589965cc75374cc3)
	}
	return uint32(mix(h, 0x1d8e4e27c47d124f))
}

func mix(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	return hi ^ lo
}

// bucket returns the first bucket of a hash.
func (x *index) bucket(hash uint32) *bucket {
	if x.old != nil {
		if i := int(hash >> (x.shift + 1)); i >= x.moved {
			return &x.old[i]
		}
	}
	return &x.buckets[hash>>x.shift]
}

// insert adds a tuple.
func (x *index) insert(hash uint32, l link) {
	x.n++
	if x.old == nil && x.n > maxLoad*len(x.buckets) {
		x.old, x.moved = x.buckets, 0
		x.buckets = make([]bucket, 2*len(x.buckets))
		hugePages(x.buckets)
		x.shift--
	}
	if x.old != nil {
		x.move()
	}
	x.put(x.bucket(hash), hash, l)
}

// put puts a tuple into a bucket, or into one behind it.
func (x *index) put(b *bucket, hash uint32, l link) {
	for {
		for i := range b.links {
			if b.links[i] == 0 {
				b.hashes[i], b.links[i] = hash, l
				return
			}
		}
		if b.more == 0 {
			break
		}
		b = &x.more[b.more]
	}
	fresh := bucket{hashes: [bucketLen]uint32{hash}, links: [bucketLen]link{l}}
	if n := len(x.spare); n > 0 {
		b.more, x.spare = x.spare[n-1], x.spare[:n-1]
		x.more[b.more] = fresh
		return
	}
	b.more = uint32(len(x.more)) // before x.more moves
	x.more = append(x.more, fresh)
}

// move moves the tuples of one old bucket.
func (x *index) move() {
	from := &x.old[x.moved]
	x.moved++
	for {
		for i, l := range from.links {
			if l != 0 {
				hash := from.hashes[i]
				x.put(&x.buckets[hash>>x.shift], hash, l)
			}
		}
		next := from.more
		if next == 0 {
			break
		}
		rest := x.more[next] // x.more may move
		from = &rest
		x.spare = append(x.spare, next)
	}
	if x.moved == len(x.old) {
		x.old, x.moved = nil, 0
	}
}

// delete removes a tuple.
func (x *index) delete(hash uint32, l link) {
	for b := x.bucket(hash); ; b = &x.more[b.more] {
		for i := range b.links {
			if b.links[i] == l {
				b.links[i] = 0
				x.n--
				return
			}
		}
		if b.more == 0 {
			return
		}
	}
}

// link adds both tuples of an entry to the index.
func (t *Table) link(e *entry) {
	t.index.twins = t.index.twins || e.zone.dirs != defaultZone.dirs
	for d := range direction(2) {
		t.index.insert(t.index.hash(&e.tuples[d], e.zone.in(d)), linkTo(e.slot, d))
	}
}

// unlink removes both tuples of an entry from the index.
func (t *Table) unlink(e *entry) {
	for d := range direction(2) {
		t.index.delete(t.index.hash(&e.tuples[d], e.zone.in(d)), linkTo(e.slot, d))
	}
}

// find returns the entry that has the tuple in either direction
// (__nf_conntrack_find). The bucket is chosen with the zone's id in the
// direction by, and the entry must be in the zone in the direction in which it
// is found. An entry that has expired is removed.
func (t *Table) find(want *tuple, z zone, by direction) *entry {
	e, _ := t.findIn(want, z, by)
	return e
}

// findIn is find; it also returns the direction in which the entry has the
// tuple.
func (t *Table) findIn(want *tuple, z zone, by direction) (found *entry, dir direction) {
	zoneID := z.in(by)
	hash := t.index.hash(want, zoneID)
	self := want.src == want.dst
	for b := t.index.bucket(hash); ; b = &t.index.more[b.more] {
		for i := range b.hashes {
			if b.hashes[i] != hash || b.links[i] == 0 {
				continue
			}
			e, d := t.slabs.at(b.links[i].slot()), b.links[i].dir()
			if e.tuples[d] != *want || e.zone.in(d) != zoneID || z.in(d) != zoneID {
				continue
			}
			if e.expired(t.now) {
				t.remove(e, 0, nil)
				return t.findIn(want, z, by)
			}
			if (self || e.status&natMask != 0) && e.tuples[reply] == *want && e.zone.in(reply) == zoneID {
				d = reply // both tuples are the same
			}
			if !t.index.twins {
				return e, d
			}
			if found == nil || e.newer(found, t.o.Seed) {
				found, dir = e, d
			}
		}
		if b.more == 0 {
			return found, dir
		}
	}
}

// newer reports whether an entry was added after another one.
func (e *entry) newer(o *entry, seed uint32) bool {
	if e.start != o.start {
		return e.start > o.start
	}
	return e.made(seed)-o.made(seed) < 1<<31
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
	hash := t.index.hash(want, zoneID)
	for b := t.index.bucket(hash); ; b = &t.index.more[b.more] {
		for i := range b.hashes {
			if b.hashes[i] != hash || b.links[i] == 0 {
				continue
			}
			o, d := t.slabs.at(b.links[i].slot()), b.links[i].dir()
			if o == e || o.tuples[d] != *want || o.zone.in(d) != zoneID || e.zone.in(d) != zoneID || o.expired(t.now) {
				continue
			}
			if o.tuples[original] == e.tuples[original] && o.zone.in(original) == e.zone.in(original) {
				continue
			}
			t.stats.found++
			return true
		}
		if b.more == 0 {
			return false
		}
	}
}
