package stats

import (
	"bytes"
	"encoding/binary"
	"hash/maphash"
	"iter"
)

// groups is a hash table from keys to running sums: open addressing over pages
// of plain bytes. It contains no pointers but those to the pages, so that the
// garbage collector does not look at the groups, and a group never moves.
type groups struct {
	seed  maphash.Seed
	slots []slot // a power of two
	n     int
	pages [][]byte // each has groups one after the other, none across two pages
}

// slot is a place in the hash table. place is where the group is, plus 1, so
// that 0 is a free slot.
type slot struct{ hash, place uint32 }

// group is the memory of a group, and possibly of those after it: three sums
// of 64 bits, the length of the key in 31 bits and whether an entry had
// counters in one, all in the machine's byte order; then the key.
type group []byte

const (
	offEntries = 0
	offPackets = 8
	offBytes   = 16
	offLen     = 24
	offKey     = 28

	countedBit = 1 << 31 // beside the length

	groupAlign = 8       // the unit of a place in its page
	pageUnits  = 1 << 15 // of groupAlign bytes
	pageBytes  = pageUnits * groupAlign
	firstSlots = 1 << 10
)

func (g group) entries() uint64 { return binary.NativeEndian.Uint64(g[offEntries:]) }
func (g group) packets() uint64 { return binary.NativeEndian.Uint64(g[offPackets:]) }
func (g group) bytes() uint64   { return binary.NativeEndian.Uint64(g[offBytes:]) }
func (g group) counted() bool   { return binary.NativeEndian.Uint32(g[offLen:])&countedBit != 0 }
func (g group) keyLen() int     { return int(binary.NativeEndian.Uint32(g[offLen:]) &^ countedBit) }
func (g group) key() []byte     { return g[offKey : offKey+g.keyLen()] }

// add counts an entry.
func (g group) add(packets, bytes uint64, hasCounters bool) {
	binary.NativeEndian.PutUint64(g[offEntries:], g.entries()+1)
	if hasCounters {
		binary.NativeEndian.PutUint64(g[offPackets:], g.packets()+packets)
		binary.NativeEndian.PutUint64(g[offBytes:], g.bytes()+bytes)
		binary.NativeEndian.PutUint32(g[offLen:], binary.NativeEndian.Uint32(g[offLen:])|countedBit)
	}
}

// groupSize returns how many bytes a group with a key of that length takes.
func groupSize(keyLen int) int { return (offKey + keyLen + groupAlign - 1) &^ (groupAlign - 1) }

func newGroups() *groups {
	return &groups{seed: maphash.MakeSeed(), slots: make([]slot, firstSlots)}
}

// of returns the group of a key, a new one if there is none. key is copied.
func (g *groups) of(key []byte) group {
	hash := uint32(maphash.Bytes(g.seed, key))
	mask := uint32(len(g.slots) - 1)
	for i := hash & mask; ; i = (i + 1) & mask {
		s := g.slots[i]
		if s.place == 0 {
			break
		}
		if s.hash == hash {
			if at := g.at(s.place - 1); bytes.Equal(at.key(), key) {
				return at
			}
		}
	}
	return g.add(hash, key)
}

// at returns the group at a place.
func (g *groups) at(place uint32) group {
	return g.pages[place/pageUnits][place%pageUnits*groupAlign:]
}

func (g *groups) add(hash uint32, key []byte) group {
	if g.n >= len(g.slots)/4*3 {
		g.grow()
	}
	size := groupSize(len(key))
	last := len(g.pages) - 1
	if last < 0 || cap(g.pages[last])-len(g.pages[last]) < size {
		g.pages = append(g.pages, make([]byte, 0, max(size, pageBytes)))
		last++
	}
	page := g.pages[last]
	start := len(page)
	page = page[:start+size]
	g.pages[last] = page
	at := group(page[start:])
	binary.NativeEndian.PutUint32(at[offLen:], uint32(len(key)))
	copy(at[offKey:], key)
	g.n++
	g.insert(slot{hash, uint32(last*pageUnits+start/groupAlign) + 1})
	return at
}

// all yields every group with its place, in the order of their creation.
func (g *groups) all() iter.Seq2[uint32, group] {
	return func(yield func(uint32, group) bool) {
		for i, page := range g.pages {
			for offset := 0; offset < len(page); {
				at := group(page[offset:])
				if !yield(uint32(i*pageUnits+offset/groupAlign), at) {
					return
				}
				offset += groupSize(at.keyLen())
			}
		}
	}
}

// insert puts a slot at the first free place from its hash on.
func (g *groups) insert(s slot) {
	mask := uint32(len(g.slots) - 1)
	i := s.hash & mask
	for g.slots[i].place != 0 {
		i = (i + 1) & mask
	}
	g.slots[i] = s
}

func (g *groups) grow() {
	old := g.slots
	g.slots = make([]slot, 2*len(old))
	for _, s := range old {
		if s.place != 0 {
			g.insert(s)
		}
	}
}
