package engine

import (
	"iter"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/internal/wire"
)

// Options configure a table. The zero value has the defaults of a kernel after
// booting.
type Options struct {
	// Now is the clock for timeouts and time stamps; nil: time.Now.
	Now func() time.Time
	// Max is the maximum number of entries (nf_conntrack_max); 0: 262144;
	// negative: there is no limit (nf_conntrack_max=0).
	Max int
	// Accounting and Timestamps are nf_conntrack_acct and
	// nf_conntrack_timestamp: whether new entries have counters and a start
	// time.
	Accounting, Timestamps bool
	// AlwaysEvents is nf_conntrack_events=1: all entries send events. The
	// default is 2: an entry that is created while no socket is in a group
	// never does.
	AlwaysEvents bool
	// NoEvents is nf_conntrack_events=0: new entries never send events.
	NoEvents bool
	// PortID is the port id of the first socket; 0: the process's id. Later
	// sockets count down from 0xffffefff, as in the kernel.
	PortID uint32
	// Seed changes the ids of entries and the ports that NAT draws. Tables with
	// equal seeds give equal ids and ports in the same order. If it is not 0 a full
	// table drops the same entries, too.
	Seed uint32
	// Draw, if not nil, chooses in place of random numbers where NAT begins to look
	// for a free port or ICMP id, for a source or for a destination: it returns one
	// of first to last. It is called with the table locked.
	Draw func(first, last uint16, source bool) uint16
	// Sysctls decide about packets; the zero value: those of DefaultSysctls.
	Sysctls Sysctls
	// Rules is the packet filter; nil: there is none.
	Rules Ruleset
	// Host is this machine: its addresses and what it does with packets.
	Host Host
}

// defaultMax is nf_conntrack_max on a machine with a gigabyte of memory or
// more.
const defaultMax = 262144

// Table is a connection tracking table. It is safe for concurrent use.
type Table struct {
	mu      sync.Mutex
	o       Options
	now     tick  // time of the current request
	wall    int64 // the same in nanoseconds since 1970
	slabs   slabs
	index   index
	ext     extensions
	sources sources
	count   int // number of entries
	pinned  int // number of removed entries that still count, as masters
	masters map[slot]*master
	zoned   map[tuple]*entry      // by original tuple, for expectations to restore; nil: not made
	foreign map[helperKey]*helper // helpers of restored entries that are not part of Linux
	made    uint32
	gcDue   tick // when collect is due; 0: it is not
	ends    wheel
	stats   statistics
	expect  expectations
	calls   callKeys
	sockets sockets
	w       wire.Builder // for answers and events
	attrs   entryAttrs   // of the current request
	path    path
	random  rand.PCG // for ports
}

// New returns an empty table.
func New(o Options) *Table {
	if o.Now == nil {
		o.Now = time.Now
	}
	switch {
	case o.Max == 0:
		o.Max = defaultMax
	case o.Max < 0:
		o.Max = 0
	}
	if o.Sysctls == (Sysctls{}) {
		o.Sysctls = DefaultSysctls()
	}
	o.Sysctls.Buckets = max(1, o.Sysctls.Buckets)
	t := &Table{o: o, index: newIndex(uint64(o.Seed)), masters: map[slot]*master{}}
	t.random.Seed(uint64(o.Seed), 0)
	t.sockets.init(o.PortID)
	return t
}

// lock locks the table and reads the clock. Until unlock the time does not
// change.
func (t *Table) lock() {
	t.mu.Lock()
	t.setClock(t.o.Now().UnixNano())
	t.freeLost()
}

func (t *Table) unlock() { t.mu.Unlock() }

// Len returns the number of entries. As in the kernel it includes expired ones
// that were not removed yet.
func (t *Table) Len() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.count
}

// All returns the entries that have not expired, each as the NEW message of a
// dump, and after them the expectations, in the form that [Table.Restore]
// reads. A message is valid until the next one. The loop must not use the
// table.
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

// Protocols returns the number of entries of each transport protocol, without
// those that have expired.
func (t *Table) Protocols() (n [256]int) {
	t.lock()
	defer t.unlock()
	for i := range t.slabs.used {
		if e := t.slabs.at(i); e.has&alive != 0 && !e.expired(t.now) {
			n[e.protocol()]++
		}
	}
	return n
}

// add adds an entry to the table. All its fields but the id are set.
func (t *Table) add(e *entry) {
	e.has |= alive
	t.link(e)
	t.count++
	t.file(e)
	if e.status&ctnetlink.StatusSrcNATDone != 0 {
		t.addSource(e)
	}
}

// remove removes an entry and sends its DESTROY event (nf_ct_delete). portID is
// that of the socket that asked for it, 0 if none did; echo, which may be nil,
// receives the event in any case.
func (t *Table) remove(e *entry, portID uint32, echo *socket) {
	t.withdraw(e, portID, echo)
	t.discard(e)
}

// withdraw is remove for an entry that is still needed. Its slot stays in use
// until discard is called.
func (t *Table) withdraw(e *entry, portID uint32, echo *socket) {
	e.status |= ctnetlink.StatusDying
	t.event(eventDestroy, e, portID, echo)
	t.unlink(e)
	t.unfile(e)
	t.count--
	if e.status&ctnetlink.StatusSrcNATDone != 0 {
		t.removeSource(e)
	}
	t.endCalls(e)
	t.dropExpectations(e)
	t.detach(e)
	e.has &^= alive
}

// newID returns the id for a new entry. The sequence of ids repeats only after
// all 32-bit numbers.
func (t *Table) newID() uint32 {
	for {
		t.made++
		if id := (t.made + t.o.Seed) * idStep; id != 0 {
			return id
		}
	}
}

// idStep, an odd number, spreads the ids; idBack is its inverse.
const (
	idStep = 0x9e3779b1
	idBack = 0xe8b2f51
)

// made returns the number that newID had counted to for the entry.
func (e *entry) made(seed uint32) uint32 { return e.id*idBack - seed }
