package engine

import (
	"cmp"
	"slices"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// reassembly holds the fragments that wait for others, in sets, one for each
// packet. It is bounded by the sysctls ipfrag_high_thresh and
// nf_conntrack_frag6_high_thresh, in which a fragment counts for at least the
// memory that it takes.
type reassembly struct {
	sets    map[setKey]*fragmentSet
	ipv4    setQueue
	ipv6    setQueue
	sources map[[4]byte]*fragmentSource // IPv4 addresses from which sets wait
	spare   []*fragmentSet
	whole   []byte // the packet that was put together last
	cuts    []int  // the lengths of the data of its fragments
	leaving []byte // the fragments in which it leaves
}

// setQueue are the sets of a family in the order in which they end.
type setQueue struct {
	first, last *fragmentSet
	memory      int // as the kernel counts it
}

// setKey is what the fragments of a packet have in common.
type setKey struct {
	src, dst [16]byte
	id       uint32
	family   ctnetlink.Family
	proto    ctnetlink.Protocol // IPv4
	user     fragmentUser
	zone     uint16
	in       string // IPv6 to link-local and multicast addresses: the interface
}

// fragmentUser is the place where fragments are put together (enum
// ip_defrag_users). Those of different places wait in sets of their own.
type fragmentUser uint8

const (
	arriving   fragmentUser = iota // in front of tracking
	sending                        // of what this machine sends
	delivering                     // untracked ones, in front of the hook input
)

// fragmentSet are fragments of one packet.
type fragmentSet struct {
	key        setKey
	prev, next *fragmentSet
	deadline   int64 // nanoseconds since 1970
	memory     int
	pieces     []piece // in the order of arrival
	runs       []run   // by offset
	stored     []byte  // headers and data of the pieces
	have       int     // bytes of data
	end        int     // of the packet's data, as far as it is known
	last       bool    // the last fragment has come
	ecn        uint8   // bits 1<<n of the ECN fields (RFC 3168)
	count      uint32  // IPv4: of its source, at the latest fragment
	largest    int     // length of the longest fragment, with its headers
}

// piece is a fragment that waits.
type piece struct {
	offset, length int
	header         int // where in stored the header is, which the data follows
	data           int
	captured       int // bytes of the data
	nextAt         int // IPv6: see header.nextAt
	fragHeader     int // IPv6: offset of the fragment header
}

// run are fragments that arrived one behind the other, which Linux puts
// together at once: a fragment inside a run is a duplicate, one that is partly
// inside overlaps it.
type run struct{ from, to int }

// fragmentSource counts the fragments from an address (ipfrag_max_dist).
type fragmentSource struct {
	count uint32
	sets  int
}

// reassemble collects fragments. It returns false if the packet is a fragment
// that waits or is dropped.
func (t *Table) reassemble(p *packet) bool {
	user := arriving
	if p.where == Output {
		user = sending
	}
	switch {
	case p.untracked:
		return true
	case p.family == familyIPv6:
		return p.fragHeader == 0 || t.reassemble6(p, user)
	}
	return !p.isFragment4() || t.reassemble4(p, user)
}

// reassembleForHost collects the IPv4 fragments for this machine that were
// excluded from tracking before they were put together (ip_local_deliver). It
// returns false if the packet is a fragment that waits or is dropped.
func (t *Table) reassembleForHost(p *packet) bool {
	return p.family == familyIPv6 || !p.isFragment4() || t.reassemble4(p, delivering)
}

func (p *packet) isFragment4() bool { return be16(p.data[6:])&(ipv4More|ipv4Offset) != 0 }

// laterFragment reports whether a packet is a fragment without the start of the
// transport header.
func (p *packet) laterFragment() bool {
	if p.family == familyIPv6 {
		return p.proto == extFragment
	}
	return be16(p.data[6:])&ipv4Offset != 0
}

// waits makes a fragment wait for others.
func (p *packet) waits() bool {
	p.v.Fate = Waits
	return false
}

// queue returns the sets of a family, without those that have ended.
func (f *reassembly) queue(family ctnetlink.Family, now int64) *setQueue {
	q := &f.ipv4
	if family == familyIPv6 {
		q = &f.ipv6
	}
	for q.first != nil && q.first.deadline <= now {
		f.drop(q, q.first)
	}
	return q
}

// set returns the set of a key, and makes one if there is none.
func (f *reassembly) set(q *setQueue, key *setKey, deadline int64) *fragmentSet {
	if s := f.sets[*key]; s != nil {
		return s
	}
	if f.sets == nil {
		f.sets = map[setKey]*fragmentSet{}
		f.sources = map[[4]byte]*fragmentSource{}
	}
	var s *fragmentSet
	if n := len(f.spare); n > 0 {
		s = f.spare[n-1]
		f.spare = f.spare[:n-1]
	} else {
		s = new(fragmentSet)
	}
	s.key, s.memory = *key, setMemory4
	if key.family == familyIPv6 {
		s.memory = setMemory6
	} else {
		f.source(key).sets++
	}
	f.sets[*key] = s
	q.memory += s.memory
	q.append(s, deadline)
	return s
}

// source returns the counter of an IPv4 set's source.
func (f *reassembly) source(key *setKey) *fragmentSource {
	a := [4]byte(key.src[:4])
	c := f.sources[a]
	if c == nil {
		c = new(fragmentSource)
		f.sources[a] = c
	}
	return c
}

// append puts a set at the end of the queue.
func (q *setQueue) append(s *fragmentSet, deadline int64) {
	s.deadline, s.prev, s.next = deadline, q.last, nil
	if q.last == nil {
		q.first = s
	} else {
		q.last.next = s
	}
	q.last = s
}

func (q *setQueue) unlink(s *fragmentSet) {
	if s.prev == nil {
		q.first = s.next
	} else {
		s.prev.next = s.next
	}
	if s.next == nil {
		q.last = s.prev
	} else {
		s.next.prev = s.prev
	}
}

// Limits of what is kept for the next sets.
const (
	spareSets  = 16
	spareBytes = 64 << 10
)

// drop removes a set with its fragments.
func (f *reassembly) drop(q *setQueue, s *fragmentSet) {
	q.unlink(s)
	q.memory -= s.memory
	delete(f.sets, s.key)
	if s.key.family == familyIPv4 {
		if c := f.source(&s.key); c.sets == 1 {
			delete(f.sources, [4]byte(s.key.src[:4]))
		} else {
			c.sets--
		}
	}
	if len(f.spare) < spareSets && cap(s.stored) <= spareBytes {
		*s = fragmentSet{pieces: s.pieces[:0], runs: s.runs[:0], stored: s.stored[:0]}
		f.spare = append(f.spare, s)
	}
}

// restart empties a set and lets it wait anew.
func (q *setQueue) restart(s *fragmentSet, deadline int64) {
	q.unlink(s)
	q.append(s, deadline)
	q.memory -= s.memory - setMemory4
	s.memory, s.have, s.end, s.last, s.ecn, s.largest = setMemory4, 0, 0, false, 0, 0
	s.pieces, s.runs, s.stored = s.pieces[:0], s.runs[:0], s.stored[:0]
}

// kill drops a set and the fragment that spoils it.
func (t *Table) kill(p *packet, q *setQueue, s *fragmentSet, why ReasonCode) bool {
	t.path.frags.drop(q, s)
	return p.drop(why)
}

// placing is the position of a fragment among those of its set.
type placing uint8

const (
	placed placing = iota
	duplicate
	overlaps
)

// place finds out where the bytes from ≤ i < to lie, and adds them to the runs.
func (s *fragmentSet) place(from, to int) placing {
	n := len(s.runs)
	if n == 0 {
		s.runs = append(s.runs, run{from, to})
		return placed
	}
	if tail := &s.runs[n-1]; tail.to < to {
		switch {
		case from < tail.to:
			return overlaps
		case from == tail.to:
			tail.to = to
		default:
			s.runs = append(s.runs, run{from, to})
		}
		return placed
	}
	i, _ := slices.BinarySearchFunc(s.runs, from, func(r run, from int) int { return cmp.Compare(r.to, from+1) })
	switch r := s.runs[i]; { // the first run that ends behind from
	case to <= r.from:
		s.runs = slices.Insert(s.runs, i, run{from, to})
		return placed
	case from >= r.from && to <= r.to:
		return duplicate
	}
	return overlaps
}

// store keeps a fragment: its header and length bytes of data, of which data are
// those that were captured.
func (s *fragmentSet) store(q *setQueue, pc piece, header, data []byte, wire int) {
	pc.header = len(s.stored)
	pc.data = pc.header + len(header)
	data = data[:min(pc.length, len(data))]
	pc.captured = len(data)
	s.stored = append(append(s.stored, header...), data...)
	s.pieces = append(s.pieces, pc)
	s.have += pc.length
	s.memory += bufferMemory(wire)
	q.memory += bufferMemory(wire)
}

// Memory that Linux 6.18 counts for a set, as far as it could be told from the
// number of fragments that it takes.
const (
	setMemory4 = 264
	setMemory6 = 248
)

// bufferMemory returns the memory that Linux counts for a packet of n bytes: a
// buffer of a power of two and its head.
func bufferMemory(n int) int {
	const (
		room  = 384 // in front of the packet and behind it
		head  = 192
		small = 576
		page  = 4096
	)
	n += room
	if n <= small {
		return small + head
	}
	for size := 1024; size <= 8192; size *= 2 {
		if n <= size {
			return size + head
		}
	}
	return (n+page-1)/page*page + head
}

// ecnOf returns the ECN field for the whole of a packet (RFC 3168, section
// 5.3). ok is false if the fields of the fragments do not go together.
func (s *fragmentSet) ecnOf(first uint8) (ecn uint8, ok bool) {
	const notCapable, congestion = 1 << 0, 1 << 3
	if s.ecn&notCapable != 0 {
		return first, s.ecn == notCapable
	}
	if s.ecn&congestion != 0 {
		return 3, true
	}
	return first, true
}

// join puts the data of a complete set behind a header of n bytes, which is in
// f.whole, and notes the lengths of the pieces. It returns the number of bytes
// up to the first one that was not captured.
func (f *reassembly) join(s *fragmentSet, n int) (captured int) {
	slices.SortFunc(s.pieces, func(a, b piece) int { return cmp.Compare(a.offset, b.offset) })
	f.whole = slices.Grow(f.whole[:n], s.end)[:n+s.end]
	f.cuts = f.cuts[:0]
	captured = n
	for i := range s.pieces {
		pc := &s.pieces[i]
		f.cuts = append(f.cuts, pc.length)
		at := n + pc.offset
		copy(f.whole[at:], s.stored[pc.data:pc.data+pc.captured])
		clear(f.whole[at+pc.captured : at+pc.length])
		if at == captured {
			captured += pc.captured
		}
	}
	return captured
}
