package live

import "math/bits"

// index finds the record of an entry by its key. It is an extendible hash table:
// segments of open addressing, each of which is split in two when it is full, so
// that no insertion takes long. A place has a slot and some bits of the hash, which
// tell most other entries apart without a look at their records.
type index struct {
	segments []*segment // by the first bits of a hash; one may be there several times
	depth    uint       // how many bits
}

const (
	segmentBits = 10
	segmentLen  = 1 << segmentBits
	// segmentMax is how many places may be in use or have been, of a segment.
	segmentMax = segmentLen * 7 / 8

	slotMask = 1<<slotBits - 1
	tagBits  = 32 - slotBits
	// deleted is a place that a search must not end at: one that is empty is 0.
	deleted = 1 << slotBits
)

// segment has places: the tag, and the slot plus one.
type segment struct {
	places *[segmentLen]uint32
	n      int // places in use
	gone   int // places that are deleted
	depth  uint
}

func newSegment(depth uint) *segment {
	return &segment{places: new([segmentLen]uint32), depth: depth}
}

func (x *index) init() { *x = index{segments: []*segment{newSegment(0)}} }

// reserve makes segments for n records, if there are not as many yet. To split them
// one by one takes a third of the time of reading a table for the first time.
func (x *index) reserve(n int, hashOf func(slot) uint64) {
	const most = 4 << 20
	depth := uint(0)
	for 1<<depth*segmentMax*15/16 < min(n, most) {
		depth++
	}
	if depth <= x.depth {
		return
	}
	old := x.segments
	x.depth, x.segments = depth, make([]*segment, 1<<depth)
	for i := range x.segments {
		x.segments[i] = newSegment(depth)
	}
	var last *segment // it may be there several times, one after the other
	for _, g := range old {
		if g == last {
			continue
		}
		last = g
		for _, v := range g.places {
			if v&slotMask != 0 {
				s := slot(v&slotMask - 1)
				x.insert(hashOf(s), s, hashOf)
			}
		}
	}
}

// segment returns the segment for a hash, whose first bits choose it. The last
// bits are the tag, and the place where a search begins is in those before.
func (x *index) segment(hash uint64) *segment { return x.segments[hash>>1>>(63-x.depth)] }

func tagOf(hash uint64) uint32 { return uint32(hash) << slotBits }

func placeOf(hash uint64) uint { return uint(hash >> tagBits) }

// insert adds a record that is not in the index. hashOf returns the hash of
// another.
func (x *index) insert(hash uint64, s slot, hashOf func(slot) uint64) {
	g := x.segment(hash)
	for g.n+g.gone >= segmentMax {
		if g.n < segmentMax*3/4 {
			g.rebuild(hashOf)
		} else {
			x.split(g, hash, hashOf)
			g = x.segment(hash)
		}
	}
	g.put(hash, s)
}

func (g *segment) put(hash uint64, s slot) {
	i := placeOf(hash) % segmentLen
	for g.places[i]&slotMask != 0 {
		i = (i + 1) % segmentLen
	}
	if g.places[i] == deleted {
		g.gone--
	}
	g.places[i] = tagOf(hash) | uint32(s+1)
	g.n++
}

// remove takes a record out, if it is there.
func (x *index) remove(hash uint64, s slot) {
	g := x.segment(hash)
	want := tagOf(hash) | uint32(s+1)
	i := placeOf(hash) % segmentLen
	for g.places[i] != want {
		if g.places[i] == 0 {
			return
		}
		i = (i + 1) % segmentLen
	}
	g.n--
	if g.places[(i+1)%segmentLen] != 0 {
		g.places[i] = deleted
		g.gone++
		return
	}
	// No search goes on behind here, nor from the deleted places before.
	g.places[i] = 0
	for i = (i - 1) % segmentLen; g.places[i] == deleted; i = (i - 1) % segmentLen {
		g.places[i] = 0
		g.gone--
	}
}

// rebuild drops the deleted places.
func (g *segment) rebuild(hashOf func(slot) uint64) {
	old := *g.places
	*g.places = [segmentLen]uint32{}
	g.n, g.gone = 0, 0
	for _, v := range old {
		if v&slotMask != 0 {
			s := slot(v&slotMask - 1)
			g.put(hashOf(s), s)
		}
	}
}

// split moves half of a segment's records, by the next bit of their hashes, to a
// new one. hash is one of the segment's.
func (x *index) split(g *segment, hash uint64, hashOf func(slot) uint64) {
	if g.depth == x.depth {
		double := make([]*segment, 2*len(x.segments))
		for i, g := range x.segments {
			double[2*i], double[2*i+1] = g, g
		}
		x.segments = double
		x.depth++
	}
	g.depth++
	h := newSegment(g.depth)
	old := *g.places
	*g.places = [segmentLen]uint32{}
	g.n, g.gone = 0, 0
	bit := uint64(1) << (64 - g.depth)
	for _, v := range old {
		if v&slotMask == 0 {
			continue
		}
		s := slot(v&slotMask - 1)
		if hash := hashOf(s); hash&bit != 0 {
			h.put(hash, s)
		} else {
			g.put(hash, s)
		}
	}
	// The segment was at all places that begin with its bits: the second half of them
	// is now the new one's.
	n := 1 << (x.depth - g.depth)
	first := int(hash>>(64-g.depth)|1) * n
	for i := range n {
		x.segments[first+i] = h
	}
}

// hash hashes a key, with the mixer of wyhash.
func (t *Table) hash(k *key) uint64 {
	rest := uint64(k.ports) | uint64(k.zone)<<32 | uint64(k.proto)<<48 | uint64(k.flags&keyFlags)<<52
	h := mix(k.src[1]^t.seed, k.dst[1]^0xa0761d6478bd642f)
	if k.ipv6 {
		h = mix(h^k.src[0], k.dst[0]^0x589965cc75374cc3)
	}
	return mix(h^rest, t.seed^0xe7037ed1a0b428db)
}

func mix(a, b uint64) uint64 {
	high, low := bits.Mul64(a, b)
	return high ^ low
}

// find returns the record that has a key.
func (c *sourceCopy) find(k *key, hash uint64) (p *page, i int, ok bool) {
	g := c.index.segment(hash)
	tag := tagOf(hash)
	for at := placeOf(hash) % segmentLen; ; at = (at + 1) % segmentLen {
		v := g.places[at]
		if v == 0 {
			return nil, 0, false
		}
		if v&^slotMask == tag && v&slotMask != 0 {
			if p, i = c.t.pages.at(slot(v&slotMask - 1)); p.hasKey(i, k) {
				return p, i, true
			}
		}
	}
}

// hashOf returns the hash of a record's key.
func (c *sourceCopy) hashOf(s slot) uint64 {
	p, i := c.t.pages.at(s)
	k := p.key(i)
	return c.t.hash(&k)
}

func (p *page) hasKey(i int, k *key) bool {
	if p.kind&kindIPv6 != 0 {
		if !k.ipv6 || p.orig6[i] != k.six() {
			return false
		}
	} else if k.ipv6 || p.orig4[i] != k.narrow() {
		return false
	}
	r := &p.cores[i]
	return r.zone == k.zone && r.proto == k.proto && r.has&keyFlags == k.flags
}

func (p *page) key(i int) key {
	r := &p.cores[i]
	return key{p.orig(i), r.zone, r.proto, p.kind&kindIPv6 != 0, r.has & keyFlags}
}

// orig returns the original tuple of a record.
func (p *page) orig(i int) tuple {
	if p.kind&kindIPv6 != 0 {
		return p.orig6[i].wide()
	}
	return p.orig4[i].wide()
}

// reply returns the reply tuple of a record.
func (p *page) reply(i int) tuple {
	switch p.kind {
	case kindReply:
		return p.reply4[i].wide()
	case kindReply | kindIPv6:
		return p.reply6[i].wide()
	}
	t, r := p.orig(i), &p.cores[i]
	return t.inverse(r.has, r.proto)
}
