package engine

// slot numbers the places for entries.
type slot uint32

const slabLen = 1 << 10

// slabs hold the entries. They grow by a slab at a time and never shrink or
// move; places that were given up are taken again, the last first.
type slabs struct {
	slabs []*[slabLen]entry
	used  slot   // places ever taken
	free  []slot // of those, the ones given up
}

// at returns the entry in a place, which may be empty.
func (s *slabs) at(i slot) *entry { return &s.slabs[i/slabLen][i%slabLen] }

// alloc returns an empty place.
func (s *slabs) alloc() *entry {
	if n := len(s.free); n > 0 {
		e := s.at(s.free[n-1])
		s.free = s.free[:n-1]
		return e
	}
	if s.used%slabLen == 0 {
		s.slabs = append(s.slabs, new([slabLen]entry))
	}
	e := s.at(s.used)
	e.slot = s.used
	s.used++
	return e
}

// release empties a place.
func (s *slabs) release(e *entry) {
	i := e.slot
	*e = entry{slot: i}
	s.free = append(s.free, i)
}
