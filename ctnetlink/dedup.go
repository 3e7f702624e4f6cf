package ctnetlink

import (
	"bytes"
	"encoding/binary"
)

// dedup recognises entries that come a second time: those of the current
// datagram that were in the one before, by id and then by their bytes.
type dedup struct {
	sets [2]idSet
	now  int // which of the two is the current datagram's
}

// idSet maps the ids of one datagram's entries to their original tuples.
type idSet struct {
	slots [1024]uint16 // 1 + index into ids; 0: empty
	ids   []uint32
	tuple [][]byte
}

const idSetMax = 512 // a datagram of 32 KiB holds about 200 entries

func (s *idSet) reset() {
	if len(s.ids) > 0 {
		clear(s.slots[:])
		s.ids, s.tuple = s.ids[:0], s.tuple[:0]
	}
}

func (s *idSet) add(id uint32, tuple []byte) {
	if len(s.ids) == idSetMax {
		return
	}
	s.ids = append(s.ids, id)
	s.tuple = append(s.tuple, tuple)
	i := id % uint32(len(s.slots))
	for s.slots[i] != 0 {
		i = (i + 1) % uint32(len(s.slots))
	}
	s.slots[i] = uint16(len(s.ids))
}

func (s *idSet) has(id uint32, tuple []byte) bool {
	for i := id % uint32(len(s.slots)); s.slots[i] != 0; i = (i + 1) % uint32(len(s.slots)) {
		if k := s.slots[i] - 1; s.ids[k] == id && bytes.Equal(s.tuple[k], tuple) {
			return true
		}
	}
	return false
}

// advance begins a new datagram.
func (r *dedup) advance() {
	r.now ^= 1
	r.sets[r.now].reset()
}

// repeated notes the entry and reports whether the datagram before had it.
func (r *dedup) repeated(f *Flow) bool {
	if !f.have.Has(AttrID) || !f.have.Has(AttrTupleOrig) {
		return false
	}
	raw := f.raw(AttrID)
	id := binary.NativeEndian.Uint32(raw)
	tuple := f.raw(AttrTupleOrig)
	r.sets[r.now].add(id, tuple)
	return r.sets[r.now^1].has(id, tuple)
}
