// Package cache keeps the objects of entries, a million of them in little memory: what
// this node's table has, and what the tables of its peers have.
//
// Objects lie in pages without pointers, beside which there are 40 bytes for each and
// about 12 in the index. The garbage collector does not look into them.
package cache

import (
	"hash/maphash"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/wire"
)

// Slot names an object in a cache, from 1 on; 0 is none. It is valid until the object
// is deleted.
type Slot uint32

// Meta is what is kept of an object beside its attributes. Who puts the object may
// change it, except Next, Prev and Queue, which Push and Remove change, and the flag
// Dead, which Bury and Revive change. Of an external cache, SetSender sets Sender.
type Meta struct {
	Seq        uint32 // of the message that told it last
	Next, Prev Slot   // of the queue that it is in
	Created    uint32 // seconds of the cache's clock
	Told       uint32 // seconds: when it was told last
	Sender     uint16 // external: which peer told it
	Generation uint16 // external: which bulk told it last
	Queue      uint8  // which one, 0: none
	Flags      Flags
	counted    uint8 // among those of a sender: its number + 1
}

// Flags of an object.
type Flags uint8

// The flags.
const (
	Dead    Flags = 1 << iota // internal: ended, and not yet told to all
	Changed                   // told as UPD, not as NEW
	Held                      // its end is held back
)

// Stats are the counters of the statistics. A cache counts its objects, what is created,
// updated and deleted, and what there was no space for; the other failures are for who
// uses it.
type Stats struct {
	Active, Total                            uint64 // Active: those that are not dead
	Created, CreateFailed, NoMemory, NoSpace uint64
	Updated, UpdateFailed, UpdateNotFound    uint64
	Deleted, DeleteFailed, DeleteNotFound    uint64
}

// Cache is a cache. It is not safe for concurrent use.
type Cache struct {
	Stats Stats

	limit   uint64
	seed    maphash.Seed
	index   index
	pages   pages
	chunks  []*chunk
	used    []int // how many slots of each chunk are in use
	free    Slot  // the first of the free slots, which Next links
	highest Slot  // the highest slot that was ever in use
	queues  [256]*Queue
	from    [256]int // objects of each sender
	last    found
}

// found is what Find has found last: an event's entry is looked for several times.
type found struct {
	key  wire.Key
	hash uint32
	slot Slot // 0: there is none
	ok   bool // it is still so
}

// record is a slot.
type record struct {
	Meta
	hash  uint32
	block block
	size  uint16 // of the object
	dead  bool   // the object is not among the active ones
	used  bool
}

// chunk is a row of slots. Its size is a multiple of the runtime's pages.
type chunk [chunkLen]record

const (
	chunkBits = 10
	chunkLen  = 1 << chunkBits
	maxObject = 1<<16 - 1
	maxSlot   = 1<<32 - 1
)

// New returns a cache of at most limit objects.
func New(limit int) *Cache {
	return &Cache{limit: uint64(max(limit, 0)), seed: maphash.MakeSeed()}
}

// record returns a slot, nil if there is none.
func (c *Cache) record(s Slot) *record {
	if s == 0 || s > c.highest {
		return nil
	}
	return &c.chunks[(s-1)>>chunkBits][(s-1)&(chunkLen-1)]
}

// live returns a slot that is in use, otherwise nil.
func (c *Cache) live(s Slot) *record {
	if r := c.record(s); r != nil && r.used {
		return r
	}
	return nil
}

func (c *Cache) hash(k *wire.Key) uint32 { return uint32(maphash.Comparable(c.seed, *k) >> 32) }

// Find returns the slot of a key, 0 if there is none. The object may be dead.
func (c *Cache) Find(k *wire.Key) Slot {
	if c.last.ok && c.last.key == *k {
		return c.last.slot
	}
	h := c.hash(k)
	c.last = found{key: *k, hash: h, ok: true}
	p := c.index.probe(h)
	for s := p.next(); s != 0; s = p.next() {
		if c.Object(s).Key() == *k {
			c.last.slot = s
			break
		}
	}
	return c.last.slot
}

// Add adds a copy of an object that is not there. It returns 0 if the cache is full,
// and counts that.
func (c *Cache) Add(o wire.Object) Slot {
	if c.Stats.Total >= c.limit || len(o) > maxObject {
		c.Stats.CreateFailed++
		c.Stats.NoSpace++
		return 0
	}
	b, ok := c.pages.alloc(len(o))
	s := Slot(0)
	if ok {
		s = c.take()
	}
	if s == 0 {
		if ok {
			c.pages.release(b)
		}
		c.Stats.CreateFailed++
		c.Stats.NoMemory++
		return 0
	}
	copy(c.pages.bytes(b, len(o)), o)
	k := o.Key()
	if !c.last.ok || c.last.key != k {
		c.last = found{key: k, hash: c.hash(&k), ok: true}
	}
	c.last.slot = s
	*c.record(s) = record{hash: c.last.hash, block: b, size: uint16(len(o)), used: true}
	c.index.add(c.last.hash, s)
	c.Stats.Total++
	c.Stats.Active++
	c.Stats.Created++
	return s
}

// take returns a free slot, 0 if there are no more.
func (c *Cache) take() Slot {
	s := c.free
	if s != 0 {
		c.free = c.record(s).Next
	} else {
		if c.highest == maxSlot {
			return 0
		}
		if int(c.highest>>chunkBits) == len(c.chunks) {
			c.chunks = append(c.chunks, new(chunk))
			c.used = append(c.used, 0)
		}
		c.highest++
		s = c.highest
	}
	c.used[(s-1)>>chunkBits]++
	return s
}

// Set replaces the object in a slot by a copy of one with the same key. It counts an
// update.
func (c *Cache) Set(s Slot, o wire.Object) {
	r := c.live(s)
	if r == nil || len(o) > maxObject {
		c.Stats.UpdateFailed++
		return
	}
	if !c.pages.fits(r.block, len(o)) {
		b, ok := c.pages.alloc(len(o))
		if !ok {
			c.Stats.UpdateFailed++
			return
		}
		copy(c.pages.bytes(b, len(o)), o)
		c.pages.release(r.block)
		r.block = b
	} else {
		copy(c.pages.bytes(r.block, len(o)), o)
	}
	r.size = uint16(len(o))
	c.Stats.Updated++
}

// Object returns the object in a slot, valid until the next call that changes the cache.
func (c *Cache) Object(s Slot) wire.Object {
	r := c.live(s)
	if r == nil {
		return nil
	}
	return c.pages.bytes(r.block, int(r.size))
}

// Meta returns what is kept beside it, valid until the object is deleted.
func (c *Cache) Meta(s Slot) *Meta {
	r := c.record(s)
	if r == nil {
		return new(Meta)
	}
	return &r.Meta
}

// SetSender notes who told an object last. Senders are counted up to number 254.
func (c *Cache) SetSender(s Slot, sender uint16) {
	r := c.live(s)
	if r == nil {
		return
	}
	r.Sender = sender
	c.count(r, sender)
}

// count counts an object for a sender in place of the one before; one above 254 is none.
func (c *Cache) count(r *record, sender uint16) {
	if r.counted != 0 {
		c.from[r.counted-1]--
		r.counted = 0
	}
	if sender < 255 {
		r.counted = uint8(sender) + 1
		c.from[sender]++
	}
}

// From returns how many objects a sender told last.
func (c *Cache) From(sender uint16) int {
	if sender >= 255 {
		return 0
	}
	return c.from[sender]
}

// Bury marks an object as dead: it counts as deleted, and stays until Delete.
func (c *Cache) Bury(s Slot) {
	r := c.live(s)
	if r == nil {
		return
	}
	r.Flags |= Dead
	if !r.dead {
		r.dead = true
		c.Stats.Active--
		c.Stats.Deleted++
	}
}

// Revive makes a dead object one that lives, which counts as created.
func (c *Cache) Revive(s Slot) {
	r := c.live(s)
	if r == nil {
		return
	}
	r.Flags &^= Dead
	if r.dead {
		r.dead = false
		c.Stats.Active++
		c.Stats.Created++
	}
}

// Delete removes an object, also from its queue. It counts unless the object was dead.
func (c *Cache) Delete(s Slot) {
	r := c.live(s)
	if r == nil {
		return
	}
	c.unlink(r)
	c.last.ok = false
	c.count(r, 255)
	if !r.dead {
		c.Stats.Active--
		c.Stats.Deleted++
	}
	c.Stats.Total--
	c.index.remove(r.hash, s)
	c.pages.release(r.block)
	c.used[(s-1)>>chunkBits]--
	*r = record{Meta: Meta{Next: c.free}}
	c.free = s
}

// Clear removes all objects and gives their memory back. The counters show them as
// deleted, the queues are empty.
func (c *Cache) Clear() {
	c.Stats.Deleted += c.Stats.Active
	c.Stats.Active, c.Stats.Total = 0, 0
	c.index, c.pages, c.chunks, c.used = index{}, pages{}, nil, nil
	c.free, c.highest, c.from, c.last = 0, 0, [256]int{}, found{}
	for _, q := range c.queues {
		if q != nil {
			q.First, q.Last, q.Len = 0, 0, 0
		}
	}
}

// Walk calls f for the objects from slot on, at most n of them, and returns where to
// go on, 0 at the end. Objects that are added or deleted between two parts may be
// missed; others are seen once. f may add, change and delete objects. Dead ones are
// seen too.
func (c *Cache) Walk(from Slot, n int, f func(Slot)) (next Slot) {
	for s := max(from, 1); s <= c.highest && s != 0; s++ {
		i := (s - 1) >> chunkBits
		if c.used[i] == 0 {
			s = Slot(i+1) << chunkBits // the last one of the chunk
			continue
		}
		if !c.record(s).used {
			continue
		}
		if n <= 0 {
			return s
		}
		n--
		f(s)
	}
	return 0
}
