package engine

import (
	"iter"
	"sync"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/internal/wire"
)

// Options say how a table behaves. The zero value is a kernel as it boots.
type Options struct {
	// Now is the clock, nil for time.Now. Time stamps and timeouts go by its
	// wall clock.
	Now func() time.Time
	// Max is the most entries that the table holds (nf_conntrack_max); 0 for
	// 262144.
	Max int
	// Accounting and Timestamps are nf_conntrack_acct and
	// nf_conntrack_timestamp: whether a new entry counts packets, and knows
	// when it began.
	Accounting, Timestamps bool
	// AlwaysEvents is nf_conntrack_events=1: every entry has events. Without
	// it (2, the default) one that is made while nobody listens never has any.
	AlwaysEvents bool
	// PortID is the port id of the first socket, 0 for the process's id. The
	// following ones count down from 0xffffefff, as the kernel does.
	PortID uint32
	// Seed makes the ids of entries other ones. Tables with the same seed give
	// the same ids to the same requests.
	Seed uint32
}

// defaultMax is nf_conntrack_max of a machine with a gigabyte or more.
const defaultMax = 262144

// Table is an nf_conntrack in this process. It is safe for concurrent use.
type Table struct {
	mu        sync.Mutex
	o         Options
	now       tick  // of the request under way
	wall      int64 // the same in nanoseconds since the epoch
	slabs     slabs
	index     index
	ext       map[slot]*extension
	sources   map[source][]*entry
	count     int // entries
	pinned    int // removed entries that still count, as masters of others
	masters   map[slot]*master
	unassured int // entries that are not assured
	made      uint32
	cursor    slot // where the search for one to drop goes on
	ends      sweep
	stats     statistics
	expect    expectations
	sockets   sockets
	w         wire.Builder // for answers and events
	attrs     entryAttrs   // of the request under way
}

// New returns an empty table.
func New(o Options) *Table {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Max == 0 {
		o.Max = defaultMax
	}
	t := &Table{o: o, index: newIndex(), ext: map[slot]*extension{}, masters: map[slot]*master{}, ends: sweep{next: never}}
	t.sockets.init(o.PortID)
	return t
}

// lock takes the table and the time. Everything that happens until unlock
// happens at that moment.
func (t *Table) lock() {
	t.mu.Lock()
	t.wall = t.o.Now().UnixNano()
	t.now = tick(t.wall / tickLen)
}

func (t *Table) unlock() { t.mu.Unlock() }

// Len returns the number of entries, those that have ended but were not removed
// yet included, as the kernel counts them.
func (t *Table) Len() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.count
}

// All returns every live entry as the NEW message of a dump, and after them the
// expectations, for [Table.Restore] to read. A message is valid until the next.
// The table must not be used inside the loop.
func (t *Table) All() iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		t.lock()
		defer t.unlock()
		var w wire.Builder
		for i := range t.slabs.used {
			e := t.slabs.at(i)
			if e.has&alive == 0 || e.expired(t.now) {
				continue
			}
			w.B = w.B[:0]
			t.putEntry(&w, e, answerTo{flags: wire.FlagMulti, use: 1})
			if !yield(w.B) {
				return
			}
		}
		t.eachExpect(&w, yield)
	}
}

// add puts an entry, filled in but for its id, into the table.
func (t *Table) add(e *entry) {
	e.has |= alive
	t.link(e)
	t.count++
	if e.status&ctnetlink.StatusAssured == 0 {
		t.unassured++
	}
	t.ends.observe(e.deadline)
	if e.status&ctnetlink.StatusSrcNATDone != 0 {
		t.addSource(e)
	}
}

// remove ends an entry, with its DESTROY event. portID is the socket's that
// asked for it, 0 without one; echo is a socket that wants to hear of it in any
// case (nf_ct_delete).
func (t *Table) remove(e *entry, portID uint32, echo *socket) {
	e.status |= ctnetlink.StatusDying
	t.event(eventDestroy, e, portID, echo)
	t.unlink(e)
	t.count--
	if e.status&ctnetlink.StatusAssured == 0 {
		t.unassured--
	}
	if e.status&ctnetlink.StatusSrcNATDone != 0 {
		t.removeSource(e)
	}
	t.dropExpectations(e)
	t.detach(e)
	delete(t.ext, e.slot)
	t.slabs.release(e)
}

// newID returns the id of the next entry. They go through all 32 bits in an
// order of their own, so that none returns before all were given.
func (t *Table) newID() uint32 {
	for {
		t.made++
		if id := (t.made + t.o.Seed) * 0x9e3779b1; id != 0 {
			return id
		}
	}
}
