package engine

import (
	"cmp"
	"slices"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// expectation is a connection that a helper expects: a packet that matches its
// tuple under its mask creates an entry RELATED to the master. Helpers and
// requests make expectations; packets, requests and timeouts remove them.
type expectation struct {
	serial uint64 // order of creation, in which dumps list
	id     uint32
	master *entry
	tuple  tuple
	mask   expectMask
	class  uint32
	flags  uint32
	fn     string
	helper *helper // of the entry that the packet creates; nil: none
	nat    expectNAT
	ends   tick
	call   bool // of PPTP: with its other direction it is one
}

// expectMask is the part of a mask that is used: source address and port. The
// destination is always compared in full.
type expectMask struct {
	src  [16]byte
	port uint16
}

// matches reports whether two tuples are equal under the mask
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

// and returns the bits that two masks have in common.
func (m expectMask) and(o *expectMask) expectMask {
	for i := range m.src {
		m.src[i] &= o.src[i]
	}
	m.port &= o.port
	return m
}

// expectNAT is the address translation of the expected connection.
type expectNAT struct {
	dir  uint32
	addr [16]byte
	port uint16
}

// expectKey is the destination of a tuple; expectations are indexed by it.
type expectKey struct {
	dst    [16]byte
	port   uint16
	family ctnetlink.Family
	proto  ctnetlink.Protocol
}

func expectKeyOf(t *tuple) expectKey {
	return expectKey{t.dst, t.dport, t.family, t.proto}
}

// maxExpectations is the default of nf_conntrack_expect_max on machines with
// many hash buckets.
const maxExpectations = 4096

// expectations is the table of expectations. The Table's lock guards it.
type expectations struct {
	all      []*expectation               // in order of serial
	byDst    map[expectKey][]*expectation // newest first
	byMaster map[*entry][]*expectation    // newest first
	serial   uint64
	earliest tick // no expectation ends before this

	matched, created, deleted uint32 // statistics
}

// find returns the expectation that a packet with this tuple would match, active
// or not (__nf_ct_expect_find).
func (x *expectations) find(zone uint16, t *tuple) *expectation {
	for _, e := range x.byDst[expectKeyOf(t)] {
		if e.mask.matches(t, &e.tuple) && e.master.zone.id == zone {
			return e
		}
	}
	return nil
}

// count returns the number of a master's expectations in a class.
func (x *expectations) count(master *entry, class uint32) (n int) {
	for _, e := range x.byMaster[master] {
		if e.class == class {
			n++
		}
	}
	return n
}

// oldest returns a master's oldest expectation in a class.
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

// observe updates the earliest end.
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

// drop removes e from the list of a key, and the key with its last expectation.
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

// after returns the index in x.all of the first expectation after serial.
func (x *expectations) after(serial uint64) int {
	i, _ := slices.BinarySearchFunc(x.all, serial+1, func(e *expectation, serial uint64) int {
		return cmp.Compare(e.serial, serial)
	})
	return i
}
