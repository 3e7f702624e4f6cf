package engine

// slot is the number of a place for an entry.
type slot uint32

const slabLen = 1 << 10

// slabs hold the entries. A slab is added when all slots are in use. Slabs are
// never moved or freed; freed slots are reused, the last one first.
type slabs struct {
	slabs []*[slabLen]entry
	used  slot   // number of slots ever used
	free  []slot // those of them that are free
}

// maxChunk is the number of slabs that are allocated at once, at most.
const maxChunk = 64

// at returns the entry in a slot, which may be free.
func (s *slabs) at(i slot) *entry { return &s.slabs[i/slabLen][i%slabLen] }

// alloc returns the zero entry in a free slot.
func (s *slabs) alloc() *entry {
	if n := len(s.free); n > 0 {
		e := s.at(s.free[n-1])
		s.free = s.free[:n-1]
		return e
	}
	if int(s.used/slabLen) == len(s.slabs) {
		s.grow()
	}
	e := s.at(s.used)
	e.slot = s.used
	s.used++
	return e
}

// grow adds slabs: a quarter of what there is, since large pieces of memory
// need fewer pages.
func (s *slabs) grow() {
	chunk := make([][slabLen]entry, min(max(1, len(s.slabs)/4), maxChunk))
	hugePages(chunk)
	for i := range chunk {
		s.slabs = append(s.slabs, &chunk[i])
	}
}

// release frees an entry's slot.
func (s *slabs) release(e *entry) {
	i := e.slot
	*e = entry{slot: i}
	s.free = append(s.free, i)
}
