package live

import (
	"bytes"
	"hash/maphash"

	"github.com/gonntrack/gonntrack/stats"
)

// groupSums is a hash table from the values of keys to the sums of a group. Its memory
// has no pointers to groups, and is used again after a reset.
type groupSums struct {
	slots  []uint32 // number of a group plus 1, 0: free; a power of two of them
	pages  [][]groupSum
	n      int // number of groups
	values codes
	code   []byte
}

// groupSum has the sums of a group.
type groupSum struct {
	values  uint32 // its values, see codes
	hash    uint32
	counted bool // an entry has counters
	rated   bool // an entry has rates
	entries uint64
	packets uint64
	bytes   uint64
	rates   [4]float64 // packets and bytes of the original direction, then of the reply
}

// groupSeed is one for all tables: they are of this process only.
var groupSeed = maphash.MakeSeed()

const (
	firstGroupSlots = 1 << 13
	groupPage       = 1 << 10
)

func (g *groupSums) reset() {
	if len(g.slots) == 0 {
		g.slots = make([]uint32, firstGroupSlots)
	}
	clear(g.slots)
	g.n = 0
	g.values.reset()
}

// reserve makes room for the groups of a part of the entries.
func (g *groupSums) reserve() {
	for len(g.pages)*groupPage < g.n+pageLen {
		g.pages = append(g.pages, make([]groupSum, groupPage))
	}
	for g.n+pageLen > len(g.slots)/4*3 {
		g.grow()
	}
}

// at returns the group with a number.
func (g *groupSums) at(n int) *groupSum { return &g.pages[n/groupPage][n%groupPage] }

// of returns the sums of the group with these values, of a new one if there is none, for
// which there must be room.
func (g *groupSums) of(values []byte) *groupSum {
	hash := uint32(maphash.Bytes(groupSeed, values))
	mask := uint32(len(g.slots) - 1)
	i := hash & mask
	for ; g.slots[i] != 0; i = (i + 1) & mask {
		s := g.at(int(g.slots[i] - 1))
		if s.hash == hash && bytes.Equal(g.values.at(s.values), values) {
			return s
		}
	}
	place := g.values.add(values)
	if place == 0 {
		return new(groupSum) // 4 GiB of values
	}
	s := g.at(g.n)
	*s = groupSum{values: place, hash: hash}
	g.n++
	g.slots[i] = uint32(g.n)
	return s
}

func (g *groupSums) grow() {
	g.slots = make([]uint32, 2*len(g.slots))
	mask := uint32(len(g.slots) - 1)
	for n := range g.n {
		i := g.at(n).hash & mask
		for g.slots[i] != 0 {
			i = (i + 1) & mask
		}
		g.slots[i] = uint32(n + 1)
	}
}

// size returns how much memory it has.
func (g *groupSums) size() int { return 4*len(g.slots) + len(g.pages)*groupPage*72 + g.values.size() }

// add adds the sums of another group, or of an entry.
func (s *groupSum) add(other *groupSum) {
	s.entries += other.entries
	s.packets += other.packets
	s.bytes += other.bytes
	s.counted = s.counted || other.counted
	s.rated = s.rated || other.rated
	for i := range s.rates {
		s.rates[i] += other.rates[i]
	}
}

// sum returns the sum that has a name, as a number in the order of the sums. ok is false
// if there is none of that name.
func (s *groupSum) sum(name string) (v uint64, ok bool) {
	switch name {
	case "entries":
		return s.entries, true
	case "packets":
		return s.packets, true
	case "bytes":
		return s.bytes, true
	case "packet_rate":
		return rateBits(s.rates[0] + s.rates[2]), true
	case "byte_rate":
		return rateBits(s.rates[1] + s.rates[3]), true
	}
	return 0, false
}

// place returns the code of a group, valid until the next call. It is ordered by a sum,
// or by a key if byKey is not negative, and then by all keys.
func (g *groupSums) place(s *groupSum, sum string, byKey int, descending bool) (head uint64, rest []byte) {
	values := g.values.at(s.values)
	if byKey < 0 {
		if head, _ = s.sum(sum); descending {
			head = ^head
		}
		return head, values
	}
	g.code = append(g.code[:0], stats.ValueAt(values, byKey)...)
	if descending {
		invert(g.code)
	}
	g.code = append(g.code, values...)
	return headOf(g.code)
}

// group returns the group with its values, which keep valid.
func (s *groupSum) group(id GroupID, values []byte) Group {
	g := Group{ID: id}
	g.Entries, g.Packets, g.Bytes, g.Counted = s.entries, s.packets, s.bytes, s.counted
	g.Rates = ratesOf(s.rates, s.rated)
	if len(values) > 0 {
		g.ID.Values = string(values)
		g.Values = stats.Values([]byte(g.ID.Values))
	}
	return g
}
