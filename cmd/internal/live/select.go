package live

import (
	"bytes"
	"encoding/binary"
	"slices"
)

// place is where an entry or a group is in an order. Its code is a string of bytes:
// bytes.Compare of two codes is the comparison of their owners. Those with equal
// codes are in the order of their slots, which does not change.
type place struct {
	head uint64 // the first bytes of the code
	rest uint32 // where the other bytes are, see codes; 0: there are none
	ref  Ref    // of the entry; of a group, slot is its number
}

// before compares the slots of two entries.
func (r Ref) before(other Ref) bool {
	if r.source != other.source {
		return r.source < other.source
	}
	return r.slot < other.slot
}

// headOf returns the first bytes of a code, and the others.
func headOf(code []byte) (head uint64, rest []byte) {
	if len(code) >= 8 {
		return binary.BigEndian.Uint64(code), code[8:]
	}
	var wide [8]byte
	copy(wide[:], code)
	return binary.BigEndian.Uint64(wide[:]), nil
}

// codes holds strings of bytes. Its memory is used again after a reset.
type codes struct {
	pages [][]byte // of codePage bytes; one may be longer, with a single code
	last  int      // index of the page that is being filled
}

const (
	codePage     = 1 << 18
	maxCodePages = 1 << 14
)

// add copies b and returns its place, 0 if there is no room: 4 GiB are in use.
func (c *codes) add(b []byte) uint32 {
	need := codeHead + len(b)
	if len(c.pages) == 0 || len(c.pages[c.last])+need > codePage {
		if !c.next(need) {
			return 0
		}
	}
	p := c.pages[c.last]
	at := c.last*codePage + len(p)
	p = binary.NativeEndian.AppendUint32(p, uint32(len(b)))
	c.pages[c.last] = append(p, b...)
	return uint32(at + 1)
}

const codeHead = 4 // the length

// next makes the next page the one that is filled. It has room for a code that needs so
// many bytes.
func (c *codes) next(need int) bool {
	if c.last < len(c.pages) && len(c.pages[c.last]) > 0 {
		c.last++
	}
	switch {
	case c.last == maxCodePages:
		c.last--
		return false
	case c.last == len(c.pages):
		c.pages = append(c.pages, make([]byte, 0, max(need, codePage)))
	case cap(c.pages[c.last]) < need:
		c.pages[c.last] = make([]byte, 0, need)
	}
	return true
}

// at returns what was added at a place.
func (c *codes) at(place uint32) []byte {
	if place == 0 {
		return nil
	}
	p := c.pages[(place-1)/codePage][(place-1)%codePage:]
	return p[codeHead:][:binary.NativeEndian.Uint32(p)]
}

func (c *codes) reset() {
	for i := range c.pages {
		c.pages[i] = c.pages[i][:0]
	}
	c.last = 0
}

// size returns how much memory it has.
func (c *codes) size() int { return len(c.pages) * codePage }

// selection finds the places from one number of an order to another, without
// sorting all of them.
type selection struct {
	limit  int // how many of the first are kept, 0: all
	places []place
	rests  codes
	spare  codes // takes the place of rests when some are forgotten
	// With a limit, bound is the last of the first, once there are so many.
	bound   place
	bounded bool
}

// size returns how much memory it has.
func (s *selection) size() int { return 24*cap(s.places) + s.rests.size() + s.spare.size() }

// reset empties the selection.
func (s *selection) reset(limit int) {
	s.limit, s.bounded = limit, false
	s.places = s.places[:0]
	s.rests.reset()
}

// wants reports whether a place whose code has this head may be one of the first.
func (s *selection) wants(head uint64) bool { return !s.bounded || head <= s.bound.head }

// maxRest is how much of a code is compared, beside its head.
const maxRest = 4096

// add adds a place. rest is copied.
func (s *selection) add(head uint64, rest []byte, ref Ref) {
	rest = rest[:min(len(rest), maxRest)]
	if s.bounded && head >= s.bound.head && !s.beforeBound(head, rest, ref) {
		return
	}
	p := place{head: head, ref: ref}
	if len(rest) > 0 {
		p.rest = s.rests.add(rest)
	}
	s.places = append(s.places, p)
	if s.limit > 0 && len(s.places) >= max(2*s.limit, 256) {
		s.prune()
	}
}

func (s *selection) beforeBound(head uint64, rest []byte, ref Ref) bool {
	if head != s.bound.head {
		return head < s.bound.head
	}
	if c := bytes.Compare(rest, s.rests.at(s.bound.rest)); c != 0 {
		return c < 0
	}
	return ref.before(s.bound.ref)
}

// prune forgets all places but the first.
func (s *selection) prune() {
	s.split(s.places, s.limit-1)
	s.places = s.places[:s.limit]
	if s.rests.last > 0 {
		s.spare.reset()
		for i := range s.places {
			if p := &s.places[i]; p.rest != 0 {
				p.rest = s.spare.add(s.rests.at(p.rest))
			}
		}
		s.rests, s.spare = s.spare, s.rests
	}
	s.bound, s.bounded = s.places[s.limit-1], true
}

// window returns n places from one on, in order; fewer if there are not so many. They
// are valid until the next call of another method.
func (s *selection) window(from, n int) []place {
	from = min(max(from, 0), len(s.places))
	part := s.places[from:]
	if from > 0 && len(part) > 0 {
		s.split(s.places, from)
	}
	if n < len(part) {
		if n > 0 {
			s.split(part, n-1)
		}
		part = part[:n]
	}
	slices.SortFunc(part, func(p, q place) int {
		switch {
		case s.less(&p, &q):
			return -1
		case s.less(&q, &p):
			return 1
		}
		return 0
	})
	return part
}

// find returns the place of an entry, nil if it has none.
func (s *selection) find(r Ref) *place {
	for i := range s.places {
		if s.places[i].ref == r {
			return &s.places[i]
		}
	}
	return nil
}

// countBefore returns how many places are before p.
func (s *selection) countBefore(p *place) int {
	n := 0
	for i := range s.places {
		if s.less(&s.places[i], p) {
			n++
		}
	}
	return n
}

func (s *selection) less(p, q *place) bool {
	if p.head != q.head {
		return p.head < q.head
	}
	if p.rest != q.rest {
		if c := bytes.Compare(s.rests.at(p.rest), s.rests.at(q.rest)); c != 0 {
			return c < 0
		}
	}
	return p.ref.before(q.ref)
}

// split moves places so that list[k] is where it is in the order, with those before
// it on its left and those after it on its right.
func (s *selection) split(list []place, k int) {
	for len(list) > 12 {
		pivot := s.pivot(list)
		i, j := 0, len(list)-1
		for i <= j {
			for s.less(&list[i], &pivot) {
				i++
			}
			for s.less(&pivot, &list[j]) {
				j--
			}
			if i <= j {
				list[i], list[j] = list[j], list[i]
				i++
				j--
			}
		}
		switch {
		case k <= j:
			list = list[:j+1]
		case k >= i:
			list, k = list[i:], k-i
		default:
			return
		}
	}
	for i := 1; i < len(list); i++ {
		for j := i; j > 0 && s.less(&list[j], &list[j-1]); j-- {
			list[j], list[j-1] = list[j-1], list[j]
		}
	}
}

// pivot returns the median of three medians of three places.
func (s *selection) pivot(list []place) place {
	median := func(a, b, c *place) *place {
		if s.less(b, a) {
			a, b = b, a
		}
		if s.less(c, b) {
			if b = c; s.less(b, a) {
				b = a
			}
		}
		return b
	}
	step := len(list) / 9
	at := func(i int) *place { return &list[i*step] }
	return *median(median(at(0), at(1), at(2)), median(at(3), at(4), at(5)), median(at(6), at(7), at(8)))
}
