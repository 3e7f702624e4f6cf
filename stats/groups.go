package stats

import (
	"bytes"
	"hash/maphash"
)

// groups is a hash table from key bytes to running sums: open addressing over
// pages of plain memory. No group holds a pointer, so millions of them cost the
// garbage collector nothing, and none ever moves.
type groups struct {
	seed  maphash.Seed
	slots []slot // a power of two
	n     int
	pages [][]group
	// keys are the bytes of all keys; none lies across two pages.
	keys [][]byte
}

// slot is a place in the hash: a group's number from 1 on, 0 where it is free.
type slot struct{ hash, index uint32 }

// group is one key's sums.
type group struct {
	entries, packets, bytes uint64
	at                      uint64 // where its key lies: page and offset
	len                     uint32
	counted                 bool // an entry had counters
}

const (
	groupsPerPage = 1 << 12
	keyPage       = 1 << 16
	firstSlots    = 1 << 10
)

func newGroups() *groups {
	return &groups{seed: maphash.MakeSeed(), slots: make([]slot, firstSlots)}
}

// of returns the group of a key, a new one if there is none. key is copied.
func (g *groups) of(key []byte) *group {
	hash := uint32(maphash.Bytes(g.seed, key))
	mask := uint32(len(g.slots) - 1)
	for i := hash & mask; ; i = (i + 1) & mask {
		s := g.slots[i]
		if s.index == 0 {
			break
		}
		if s.hash == hash {
			if at := g.at(int(s.index - 1)); bytes.Equal(g.key(at), key) {
				return at
			}
		}
	}
	return g.add(hash, key)
}

// at returns the group of a number.
func (g *groups) at(i int) *group { return &g.pages[i/groupsPerPage][i%groupsPerPage] }

func (g *groups) key(at *group) []byte {
	page, offset := at.at/keyPage, at.at%keyPage
	return g.keys[page][offset : offset+uint64(at.len)]
}

func (g *groups) add(hash uint32, key []byte) *group {
	if g.n >= len(g.slots)/4*3 {
		g.grow()
	}
	if g.n%groupsPerPage == 0 {
		g.pages = append(g.pages, make([]group, groupsPerPage))
	}
	if last := len(g.keys) - 1; last < 0 || len(g.keys[last])+len(key) > keyPage {
		g.keys = append(g.keys, make([]byte, 0, keyPage))
	}
	last := len(g.keys) - 1
	at := g.at(g.n)
	at.at, at.len = uint64(last)*keyPage+uint64(len(g.keys[last])), uint32(len(key))
	g.keys[last] = append(g.keys[last], key...)
	g.n++
	g.place(slot{hash, uint32(g.n)})
	return at
}

// place puts a slot where its hash says, or behind.
func (g *groups) place(s slot) {
	mask := uint32(len(g.slots) - 1)
	i := s.hash & mask
	for g.slots[i].index != 0 {
		i = (i + 1) & mask
	}
	g.slots[i] = s
}

func (g *groups) grow() {
	old := g.slots
	g.slots = make([]slot, 2*len(old))
	for _, s := range old {
		if s.index != 0 {
			g.place(s)
		}
	}
}
