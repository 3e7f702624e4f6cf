package engine

import "github.com/gonntrack/gonntrack/ctnetlink"

// The table's limit (nf_conntrack_max) and what goes when it is reached, as
// measured on Linux 6.12: a new entry looks for others that may go in eight
// buckets only, so whether it gets in depends on their number and on that of the
// buckets. A bucket is a range of hashes here; it is not one of the index, which
// grows with the table.

// dropBuckets is the number of buckets in which a new entry looks for others
// (NF_CT_EVICTION_RANGE).
const dropBuckets = 8

// full reports whether there is no place for another entry.
func (t *Table) full() bool { return t.o.Max != 0 && t.count+t.pinned >= t.o.Max }

// admit makes room for a packet's new entry, if there is none. It returns false
// if nothing may go.
func (t *Table) admit(p *packet) bool {
	if !t.full() {
		return true
	}
	first := t.bucketOf(t.index.hash(&p.tuple, p.zone.in(original)))
	if t.dropEnded(first); !t.full() { // a look-up removes the expired entries of its bucket
		return true
	}
	if t.dropEarly(first) {
		return true
	}
	t.stats.drop++
	return false
}

// dropEarly makes room in a full table: of eight buckets it takes the first that
// has entries that may go, and removes these (early_drop). Expired entries on the way
// are removed, too, but do not count as success.
func (t *Table) dropEarly(first uint32) bool {
	for i := range min(dropBuckets, t.o.Sysctls.Buckets) {
		if n := t.dropFrom((first+i)%t.o.Sysctls.Buckets, mayGo); n != 0 {
			t.stats.earlyDrop += n
			return true
		}
	}
	if t.gcDue == 0 {
		t.gcDue = (t.now/gcRound + 1) * gcRound
	}
	return false
}

// bucketOf returns which of the nf_conntrack_buckets buckets a hash is in.
func (t *Table) bucketOf(hash uint32) uint32 {
	return uint32(uint64(hash) * uint64(t.o.Sysctls.Buckets) >> 32)
}

// dropEnded removes the expired entries in a bucket.
func (t *Table) dropEnded(bucket uint32) {
	t.dropFrom(bucket, func(*entry) bool { return false })
}

// dropFrom removes the entries of which either tuple is in a bucket, if they have
// expired or may go. It returns how many of the latter there were.
func (t *Table) dropFrom(bucket uint32, may func(*entry) bool) (n uint32) {
	buckets := uint64(t.o.Sysctls.Buckets)
	low := (uint64(bucket)<<32 + buckets - 1) / buckets
	high := (uint64(bucket+1)<<32+buckets-1)/buckets - 1
	for at := low; at <= high; at = (at>>t.index.shift + 1) << t.index.shift {
		for b := t.index.bucket(uint32(at)); ; b = &t.index.more[b.more] {
			for i := range b.links { // a removal may empty several
				l := b.links[i]
				if l == 0 || t.bucketOf(b.hashes[i]) != bucket {
					continue
				}
				switch e := t.slabs.at(l.slot()); {
				case e.expired(t.now):
					t.remove(e, 0, nil)
				case may(e):
					t.remove(e, 0, nil)
					n++
				}
			}
			if b.more == 0 {
				break
			}
		}
	}
	return n
}

// mayGo reports whether an entry may be removed to make room for another.
func mayGo(e *entry) bool { return e.status&ctnetlink.StatusAssured == 0 }

// gcRound is the time between two rounds of the kernel's garbage collection in
// an idle table.
const gcRound = 60 * ticksPerSecond

// collect is the round after a new entry was refused: it removes entries that are
// not assured, or that are closing, until the table has some room, bucket by
// bucket (gc_worker).
func (t *Table) collect() {
	t.gcDue = 0
	enough := t.o.Max / 100 * 95
	if enough == 0 {
		return
	}
	for i := range t.index.buckets {
		for b := t.index.bucket(uint32(i) << t.index.shift); ; b = &t.index.more[b.more] {
			for i := range b.links {
				l := b.links[i]
				if t.count+t.pinned < enough {
					return
				}
				if l == 0 {
					continue
				}
				if e := t.slabs.at(l.slot()); mayGo(e) || e.closing() {
					t.remove(e, 0, nil)
				}
			}
			if b.more == 0 {
				break
			}
		}
	}
}

// closing reports whether a TCP or SCTP connection is ending, so that it may go
// although it is assured.
func (e *entry) closing() bool {
	switch e.state() {
	case ctnetlink.TCPFinWait, ctnetlink.TCPCloseWait, ctnetlink.TCPLastAck, ctnetlink.TCPTimeWait, ctnetlink.TCPClose,
		ctnetlink.SCTPShutdownSent, ctnetlink.SCTPShutdownRecd, ctnetlink.SCTPShutdownAckSent:
		return true
	}
	return false
}

// expireForPacket does what is due at the time of a packet.
func (t *Table) expireForPacket() {
	t.freeLost()
	t.expire()
}

// freeLost frees the entry of the last packet, if it did not get into the table.
func (t *Table) freeLost() {
	if e := t.path.lost; e != nil {
		t.path.lost = nil
		if e.status&ctnetlink.StatusConfirmed != 0 {
			t.discard(e)
		} else {
			t.free(e)
		}
	}
}
