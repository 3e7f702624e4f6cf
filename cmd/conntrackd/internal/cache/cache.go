// Package cache keeps the objects of entries, a million of them in little memory: what
// this node's table has, and what the tables of its peers have.
package cache

import (
	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/wire"
)

// Slot names an object in a cache, from 1 on; 0 is none. It is valid until the object
// is deleted.
type Slot uint32

// Meta is what is kept of an object beside its attributes. Who puts the object may
// change it.
type Meta struct {
	Seq        uint32 // of the message that told it last
	Next, Prev Slot   // of the queue that it is in
	Queue      uint8  // which one, 0: none
	Flags      Flags
	Sender     uint16 // external: which peer told it
	Generation uint16 // external: which bulk told it last
	Created    uint32 // seconds of the cache's clock
	Told       uint32 // seconds: when it was told last
}

// Flags of an object.
type Flags uint8

// The flags.
const (
	Dead    Flags = 1 << iota // internal: ended, and not yet told to all
	Changed                   // told as UPD, not as NEW
	Held                      // its end is held back
)

// Stats are the counters of the statistics.
type Stats struct {
	Active, Total                            uint64
	Created, CreateFailed, NoMemory, NoSpace uint64
	Updated, UpdateFailed, UpdateNotFound    uint64
	Deleted, DeleteFailed, DeleteNotFound    uint64
}

// Cache is a cache. It is not safe for concurrent use.
type Cache struct{ Stats Stats }

// New returns a cache of at most limit objects.
func New(limit int) *Cache { panic("unwritten") }

// Find returns the slot of a key, 0 if there is none.
func (c *Cache) Find(k *wire.Key) Slot { panic("unwritten") }

// Add adds an object that is not there. It returns 0 if the cache is full.
func (c *Cache) Add(o wire.Object) Slot { panic("unwritten") }

// Set replaces the object in a slot by one with the same key.
func (c *Cache) Set(s Slot, o wire.Object) { panic("unwritten") }

// Object returns the object in a slot, valid until the next call that changes the cache.
func (c *Cache) Object(s Slot) wire.Object { panic("unwritten") }

// Meta returns what is kept beside it, valid as long.
func (c *Cache) Meta(s Slot) *Meta { panic("unwritten") }

// Delete removes an object.
func (c *Cache) Delete(s Slot) { panic("unwritten") }

// Clear removes all.
func (c *Cache) Clear() { panic("unwritten") }

// Walk calls f for the objects from slot on, at most n of them, and returns where to
// go on, 0 at the end. Objects that are added or deleted between two parts may be
// missed; others are seen once.
func (c *Cache) Walk(from Slot, n int, f func(Slot)) (next Slot) { panic("unwritten") }

// Queue is a list of objects in their order, through their Next and Prev. An object is
// in one queue at a time.
type Queue struct {
	ID          uint8
	First, Last Slot
	Len         int
}

// Push puts an object at the end of q, taking it out of its queue, which is among qs.
func (c *Cache) Push(q *Queue, s Slot) { panic("unwritten") }

// Remove takes an object out of q.
func (c *Cache) Remove(q *Queue, s Slot) { panic("unwritten") }
