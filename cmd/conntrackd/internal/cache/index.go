package cache

// index finds slots by the hashes of their keys. It is divided into segments by the
// upper bits of the hash: each grows by itself, so that none of them takes long. A
// segment is a table of any length with linear probing, whose order is that of the
// hashes.
type index struct{ segments [256]segment }

type segment struct {
	table []item
	used  int
}

type item struct {
	hash uint32
	slot Slot // 0: empty
}

// home returns where a hash belongs.
func (g *segment) home(hash uint32) int {
	return int(uint64(hash<<8) * uint64(len(g.table)) >> 32)
}

// probe goes through the slots of a hash.
type probe struct {
	table []item
	i     int
	hash  uint32
}

func (x *index) probe(hash uint32) probe {
	g := &x.segments[hash>>24]
	return probe{g.table, g.home(hash), hash}
}

// next returns the next slot, 0 at the end. A table always has an empty item.
func (p *probe) next() Slot {
	if len(p.table) == 0 {
		return 0
	}
	for {
		e := p.table[p.i]
		if e.slot == 0 {
			return 0
		}
		if p.i++; p.i == len(p.table) {
			p.i = 0
		}
		if e.hash == p.hash {
			return e.slot
		}
	}
}

func (x *index) add(hash uint32, s Slot) {
	g := &x.segments[hash>>24]
	if 4*(g.used+1) > 3*len(g.table) {
		g.resize(max(8, 7*(g.used+1)/4))
	}
	g.put(item{hash, s})
	g.used++
}

func (g *segment) put(e item) {
	i := g.home(e.hash)
	for g.table[i].slot != 0 {
		if i++; i == len(g.table) {
			i = 0
		}
	}
	g.table[i] = e
}

func (g *segment) resize(n int) {
	old := g.table
	g.table = make([]item, n)
	for _, e := range old {
		if e.slot != 0 {
			g.put(e)
		}
	}
}

func (x *index) remove(hash uint32, s Slot) {
	g := &x.segments[hash>>24]
	if len(g.table) == 0 {
		return
	}
	i := g.home(hash)
	for g.table[i].slot != s {
		if g.table[i].slot == 0 {
			return
		}
		if i++; i == len(g.table) {
			i = 0
		}
	}
	// What is behind it moves up, unless it would then be before its home.
	for j := i; ; {
		if j++; j == len(g.table) {
			j = 0
		}
		e := g.table[j]
		if e.slot == 0 {
			break
		}
		h := g.home(e.hash)
		between := i < h && h <= j
		if j < i {
			between = i < h || h <= j
		}
		if !between {
			g.table[i] = e
			i = j
		}
	}
	g.table[i] = item{}
	g.used--
	if len(g.table) > 64 && g.used < len(g.table)/4 {
		g.resize(2 * g.used)
	}
}
