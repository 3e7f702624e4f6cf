package live

import "math/bits"

// slot is the place of a record: the number of its page, and its index in it.
type slot uint32

const (
	// pageLen records of each kind fill whole pages of memory.
	pageLen  = 1 << pageBits
	pageBits = 11
	// slotBits bounds the number of records: 64 Mi.
	slotBits = 26
	maxPages = 1 << (slotBits - pageBits)
)

func (s slot) page() int         { return int(s >> pageBits) }
func (s slot) at() int           { return int(s & (pageLen - 1)) }
func slotOf(p *page, i int) slot { return slot(p.number)<<pageBits | slot(i) }

// kind is what the records of a page have beside their core.
type kind uint8

const (
	kindReply kind = 1 << iota // a reply tuple that is not the inverse of the original
	kindIPv6
)

// page holds records of one source and kind. What a question reads most, such as
// the tuples for a filter of addresses, lies together.
type page struct {
	number uint32
	source *sourceCopy
	kind   kind
	inRoom bool // it is in source.room
	n      int  // number of records in use
	used   int  // number of records that were ever used
	free   int  // 1 + index of the first free record below used; 0: none
	cores  []core
	orig4  []tuple4
	reply4 []tuple4 // empty unless kindReply
	orig6  []tuple6
	reply6 []tuple6
	alive  bitmap // records in use
	seen   bitmap // records that the current dump has listed, or that began during it
	fresh  bitmap // records that a dump has found, and whose births may be told late
	told   bitmap // records that an event has changed since the current dump began
}

type bitmap [pageLen / 64]uint64

func (b *bitmap) has(i int) bool { return b[i/64]>>(i%64)&1 != 0 }
func (b *bitmap) set(i int)      { b[i/64] |= 1 << (i % 64) }
func (b *bitmap) clear(i int)    { b[i/64] &^= 1 << (i % 64) }

// each calls f with the indexes of the bits that are set, until it returns false.
func (b *bitmap) each(f func(i int) bool) bool {
	for w := range b {
		for m := b[w]; m != 0; m &= m - 1 {
			if !f(w*64 + bits.TrailingZeros64(m)) {
				return false
			}
		}
	}
	return true
}

// pages are the pages of all sources. The number of a page whose records have all
// ended is used again.
type pages struct {
	all  []*page // by number; nil: none
	free []uint32
}

// at returns the page of a record that is in use, and the record's index in it.
func (ps *pages) at(s slot) (*page, int) { return ps.all[s.page()], s.at() }

// alloc returns a free record of the given kind, ok is false if there is no room
// for more.
func (c *sourceCopy) alloc(k kind) (p *page, i int, ok bool) {
	room := c.room[k]
	if len(room) == 0 {
		if p = c.t.pages.add(); p == nil {
			return nil, 0, false
		}
		p.source, p.kind, p.inRoom = c, k, true
		c.pages = append(c.pages, p)
		room = append(room, p)
		c.room[k] = room
	}
	p = room[len(room)-1]
	if p.free != 0 {
		i = p.free - 1
		p.free = int(p.cores[i].id)
	} else {
		if p.used == len(p.cores) {
			p.grow()
		}
		i = p.used
		p.used++
	}
	p.n++
	p.alive.set(i)
	if p.n == pageLen {
		p.inRoom = false
		c.room[k] = room[:len(room)-1]
	}
	return p, i, true
}

// add returns a new page, nil if there are too many.
func (ps *pages) add() *page {
	if n := len(ps.free); n > 0 {
		p := &page{number: ps.free[n-1]}
		ps.free = ps.free[:n-1]
		ps.all[p.number] = p
		return p
	}
	if len(ps.all) == maxPages {
		return nil
	}
	p := &page{number: uint32(len(ps.all))}
	ps.all = append(ps.all, p)
	return p
}

// grow makes room for more records: few in the first page of a kind, since there
// may be hundreds of sources with few entries each.
func (p *page) grow() {
	n := pageLen
	if len(p.source.pages) <= 2 {
		n = min(max(32, 4*len(p.cores)), pageLen)
	}
	p.cores = grown(p.cores, n)
	switch p.kind {
	case kindReply:
		p.reply4 = grown(p.reply4, n)
		fallthrough
	case 0:
		p.orig4 = grown(p.orig4, n)
	case kindIPv6 | kindReply:
		p.reply6 = grown(p.reply6, n)
		fallthrough
	case kindIPv6:
		p.orig6 = grown(p.orig6, n)
	}
}

func grown[E any](s []E, n int) []E {
	b := make([]E, n)
	copy(b, s)
	return b
}

// release frees a record.
func (p *page) release(i int) {
	c := p.source
	p.cores[i] = core{id: uint32(p.free)}
	p.free = i + 1
	p.n--
	p.alive.clear(i)
	p.seen.clear(i)
	p.fresh.clear(i)
	p.told.clear(i)
	if !p.inRoom {
		p.inRoom = true
		c.room[p.kind] = append(c.room[p.kind], p)
	}
	if p.n == 0 && len(c.room[p.kind]) > 1 {
		c.room[p.kind] = without(c.room[p.kind], p)
		c.pages = without(c.pages, p)
		c.t.pages.all[p.number] = nil
		c.t.pages.free = append(c.t.pages.free, p.number)
	}
}

// without returns list without p, in another order.
func without(list []*page, p *page) []*page {
	for i := range list {
		if list[i] == p {
			last := len(list) - 1
			list[i], list[last] = list[last], nil
			return list[:last]
		}
	}
	return list
}
