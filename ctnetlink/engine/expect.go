package engine

import (
	"cmp"
	"slices"
)

// expectation is a connection that an entry announces: a packet that fits its
// tuple under its mask would become an entry RELATED to its master. Nothing
// sends packets here, so that expectations come and go by request and by time.
type expectation struct {
	serial uint64 // the order of creation, by which a dump walks
	id     uint32
	master *entry
	tuple  tuple
	mask   expectMask
	class  uint32
	flags  uint32
	fn     string
	nat    expectNAT
	ends   tick
}

// expectMask is the part of a mask that counts: that of the source. The
// destination is always compared whole.
type expectMask struct {
	src  [16]byte
	port uint16
}

// matches tells whether two tuples are the same under the mask
// (nf_ct_tuple_mask_cmp).
func (m *expectMask) matches(a, b *tuple) bool {
	if expectKeyOf(a) != expectKeyOf(b) || (a.sport^b.sport)&m.port != 0 {
		return false
	}
	for i := range m.src {
		if (a.src[i]^b.src[i])&m.src[i] != 0 {
			return false
		}
	}
	return true
}

// and is what two masks have in common.
func (m expectMask) and(o *expectMask) expectMask {
	for i := range m.src {
		m.src[i] &= o.src[i]
	}
	m.port &= o.port
	return m
}

// expectNAT is the translation that the expected connection gets.
type expectNAT struct {
	dir  uint32
	addr [16]byte
	port uint16
}

// expectKey is the destination of a tuple, by which expectations are found.
type expectKey struct {
	dst           [16]byte
	port          uint16
	family, proto uint8
}

func expectKeyOf(t *tuple) expectKey {
	return expectKey{t.dst, t.dport, t.family, t.proto}
}

// maxExpectations is nf_conntrack_expect_max, as Linux sets it with many
// buckets.
const maxExpectations = 4096

// expectations is the second table: of what is expected. The Table's lock
// guards it.
type expectations struct {
	all      []*expectation               // by serial
	byDst    map[expectKey][]*expectation // the youngest first
	byMaster map[*entry][]*expectation    // the youngest first
	serial   uint64
	earliest tick // no expectation ends before

	created, deleted uint32 // statistics
}

// find returns the expectation that a tuple would fulfil in a zone
// (__nf_ct_expect_find).
func (x *expectations) find(zone uint16, t *tuple) *expectation {
	for _, e := range x.byDst[expectKeyOf(t)] {
		if e.mask.matches(t, &e.tuple) && e.master.zone.id == zone {
			return e
		}
	}
	return nil
}

// count returns how many expectations of a class a master has.
func (x *expectations) count(master *entry, class uint32) (n int) {
	for _, e := range x.byMaster[master] {
		if e.class == class {
			n++
		}
	}
	return n
}

// oldest returns a master's oldest expectation of a class.
func (x *expectations) oldest(master *entry, class uint32) *expectation {
	list := x.byMaster[master]
	for i := len(list) - 1; i >= 0; i-- {
		if list[i].class == class {
			return list[i]
		}
	}
	return nil
}

func (x *expectations) insert(e *expectation) {
	if x.byDst == nil {
		x.earliest = never
		x.byDst, x.byMaster = map[expectKey][]*expectation{}, map[*entry][]*expectation{}
	}
	x.serial++
	e.serial = x.serial
	x.all = append(x.all, e)
	key := expectKeyOf(&e.tuple)
	x.byDst[key] = slices.Insert(x.byDst[key], 0, e)
	x.byMaster[e.master] = slices.Insert(x.byMaster[e.master], 0, e)
	x.observe(e)
}

// observe notes when the expectation ends.
func (x *expectations) observe(e *expectation) {
	x.earliest = min(x.earliest, e.ends)
}

func (x *expectations) unlink(e *expectation) {
	i := x.after(e.serial - 1)
	x.all = slices.Delete(x.all, i, i+1)
	drop(x.byDst, expectKeyOf(&e.tuple), e)
	drop(x.byMaster, e.master, e)
	x.deleted++
}

// drop takes e off the list of a key, and the list off the map with its last.
func drop[K comparable](m map[K][]*expectation, key K, e *expectation) {
	list := m[key]
	if i := slices.Index(list, e); i >= 0 {
		list = slices.Delete(list, i, i+1)
	}
	if len(list) == 0 {
		delete(m, key)
		return
	}
	m[key] = list
}

// after returns where in all the expectations younger than serial begin.
func (x *expectations) after(serial uint64) int {
	i, _ := slices.BinarySearchFunc(x.all, serial+1, func(e *expectation, s uint64) int { return cmp.Compare(e.serial, s) })
	return i
}
