package sync

// seenLen is how many sequences a seen remembers. It is a power of two.
const seenLen = 1 << 14

// seen is the set of the last sequences that came from a sender: what is late, what
// comes twice, and what is missing of a part. Sequences wrap.
type seen struct {
	bits  []uint64
	last  uint32 // the highest that came
	first uint32 // the first of all
	any   bool
}

// place says where a sequence stands among those that came.
type place uint8

const (
	inOrder place = iota // behind the last one, or the first of all
	late                 // before the last one, and new
	double               // it came already
	foreign              // too far before the last one to be known
)

// add takes a sequence, says where it stands, and how many are missing between it and
// the last one. A jump that is larger than the set is taken for a fresh start.
func (s *seen) add(seq uint32) (p place, gap uint32) {
	if s.bits == nil {
		s.bits = make([]uint64, seenLen/64)
	}
	d := int32(seq - s.last)
	switch {
	case !s.any:
		s.any, s.first, s.last = true, seq, seq
	case d > 0:
		gap = uint32(d) - 1
		if gap >= seenLen {
			clear(s.bits)
		} else {
			for q := s.last + 1; q != seq; {
				if q%64 == 0 && seq-q >= 64 { // a word at a time
					s.bits[q%seenLen/64] = 0
					q += 64
				} else {
					s.set(q, false)
					q++
				}
			}
		}
		s.last = seq
	case d <= -seenLen:
		return foreign, 0
	case s.has(seq):
		return double, 0
	default:
		p = late
	}
	s.set(seq, true)
	return p, gap
}

// count returns how many of the sequences from from to to, both included, have come, as
// far as they are remembered.
func (s *seen) count(from, to uint32) uint32 {
	if !s.any || to-from >= seenLen {
		return 0
	}
	n := uint32(0)
	for q := from; ; q++ {
		if d := int32(q - s.last); d <= 0 && d > -seenLen && s.has(q) {
			n++
		}
		if q == to {
			return n
		}
	}
}

func (s *seen) has(q uint32) bool { return s.bits[q%seenLen/64]>>(q%64)&1 == 1 }

func (s *seen) set(q uint32, v bool) {
	if v {
		s.bits[q%seenLen/64] |= 1 << (q % 64)
	} else {
		s.bits[q%seenLen/64] &^= 1 << (q % 64)
	}
}
