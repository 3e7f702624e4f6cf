package cache

import "sort"

// A page has blocks of one size. Sizes are counted in units of 4 bytes, to which
// attributes are padded.
const (
	unit      = 4
	small     = 64 // sizes up to this one have pages of their own
	pageBits  = 14 // a page is 16384 units, 64 KiB
	pageUnits = 1 << pageBits
	maxPage   = 1<<(32-pageBits) - 1
)

// block is where a block is: its page, and in the lower bits its first unit.
type block uint32

// sizes are the sizes of blocks, in units: each one up to 256 bytes, then a quarter more
// each time, so that little is wasted.
var sizes = func() (list []int) {
	n := 1
	for ; n <= small; n++ {
		list = append(list, n)
	}
	for ; n < pageUnits; n += n / 4 {
		list = append(list, n)
	}
	return append(list, pageUnits)
}()

// class returns the index of the size of a block for n bytes, n ≤ 64 KiB.
func class(n int) uint8 {
	u := max((n+unit-1)/unit, 1)
	if u <= small {
		return uint8(u - 1)
	}
	return uint8(sort.SearchInts(sizes, u))
}

// page is what is known of a page.
type page struct {
	data       []byte
	next, prev int32 // of the pages of the class with room, the number + 1; 0: none
	live       uint16
	fresh      uint16 // the first unit behind those that were ever in use
	free       uint16 // the first free block before that + 1; each holds the next
	class      uint8
	room       bool // in the list of its class
}

// pages keeps blocks of bytes.
type pages struct {
	list  []page
	room  [128]int32 // for each class the first page with room, the number + 1
	spare []int32    // numbers of pages that belong to no class, with their memory
	empty []int32    // the same without memory
}

// maxSpare is how many pages keep their memory while they belong to no class.
const maxSpare = 16

// alloc returns a block for n bytes. It reports false if there is no more space.
func (p *pages) alloc(n int) (block, bool) {
	k := class(n)
	if p.room[k] == 0 && !p.grow(k) {
		return 0, false
	}
	i := p.room[k] - 1
	g := &p.list[i]
	var u int
	if g.free != 0 {
		u = int(g.free) - 1
		g.free = uint16(g.data[u*unit]) | uint16(g.data[u*unit+1])<<8
	} else {
		u = int(g.fresh)
		g.fresh += uint16(sizes[k])
	}
	g.live++
	if g.free == 0 && int(g.fresh)+sizes[k] > pageUnits {
		p.unlist(i)
	}
	return block(i)<<pageBits | block(u), true
}

// grow gives a class a page with room.
func (p *pages) grow(k uint8) bool {
	from := &p.spare
	if len(*from) == 0 {
		from = &p.empty
	}
	if len(*from) == 0 {
		if len(p.list) > maxPage {
			return false
		}
		p.list = append(p.list, page{})
		*from = append(*from, int32(len(p.list)-1))
	}
	i := (*from)[len(*from)-1]
	*from = (*from)[:len(*from)-1]
	g := &p.list[i]
	if g.data == nil {
		g.data = make([]byte, pageUnits*unit)
	}
	*g = page{data: g.data, class: k}
	p.enlist(i)
	return true
}

func (p *pages) enlist(i int32) {
	g := &p.list[i]
	g.room, g.prev, g.next = true, 0, p.room[g.class]
	if g.next != 0 {
		p.list[g.next-1].prev = i + 1
	}
	p.room[g.class] = i + 1
}

func (p *pages) unlist(i int32) {
	g := &p.list[i]
	if g.prev == 0 {
		p.room[g.class] = g.next
	} else {
		p.list[g.prev-1].next = g.next
	}
	if g.next != 0 {
		p.list[g.next-1].prev = g.prev
	}
	g.room, g.next, g.prev = false, 0, 0
}

// release frees a block.
func (p *pages) release(b block) {
	i, u := int32(b>>pageBits), int(b&(pageUnits-1))
	g := &p.list[i]
	g.data[u*unit], g.data[u*unit+1] = byte(g.free), byte(g.free>>8)
	g.free = uint16(u + 1)
	g.live--
	if !g.room {
		p.enlist(i)
	}
	if g.live > 0 {
		return
	}
	// The last page of a class with room stays, so that one object that comes and goes
	// does not cost a page each time.
	if g.next == 0 && g.prev == 0 {
		g.free, g.fresh = 0, 0
		return
	}
	p.unlist(i)
	if len(p.spare) < maxSpare {
		p.spare = append(p.spare, i)
	} else {
		g.data = nil
		p.empty = append(p.empty, i)
	}
}

// fits reports whether a block is the right one for n bytes.
func (p *pages) fits(b block, n int) bool { return p.list[b>>pageBits].class == class(n) }

// bytes returns the first n bytes of a block.
func (p *pages) bytes(b block, n int) []byte {
	u := int(b&(pageUnits-1)) * unit
	return p.list[b>>pageBits].data[u : u+n : u+n]
}
