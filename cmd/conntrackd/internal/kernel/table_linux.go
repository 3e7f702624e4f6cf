// Package kernel is conntrackd's side towards the kernel's table: events, dumps, the
// filter, commit, injection, flushing, and what happens to the machine's addresses.
package kernel

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/net/bpf"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/config"
	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/wire"
	"github.com/gonntrack/gonntrack/ctnetlink"
)

// Sink takes what the table tells. Package daemon is one, around a sync.Node.
type Sink interface {
	// Events calls f with the lock held; f calls the sink's node.
	Lock()
	Unlock()
	// Event is called with the lock held.
	Event(t wire.Type, o wire.Object, silent bool)
	// Find returns the object that is known, nil if none: events do not tell all.
	Find(k *wire.Key) wire.Object
	// Ended is called with the lock held, before the Event, for each entry that is known
	// and that the table says is destroyed: the log of the statistics mode shows its
	// counters. f is valid until it returns.
	Ended(f *ctnetlink.Flow)
	// Overrun is called by Run, without the lock, when events were lost and all that the
	// socket held then has been delivered: a Dump that begins now and the events behind
	// it tell everything. It is also called for each round of PollSecs. It is where the
	// cache is refreshed: it may call Dump.
	Overrun()
	// AddressesLost is called, without the lock, when some of the machine's addresses, or
	// the links that have them, are gone. The unspecified address of a family stands for
	// all of it; nil: it is not known which. What the table does because of it is told
	// later.
	AddressesLost(addresses []netip.Addr)
	Log(level config.Level, text string)
}

// Table is the kernel's table. Its methods may be called by any goroutine.
type Table struct {
	config *config.Config
	sink   Sink
	filter atomic.Pointer[filter]

	conn     *ctnetlink.Conn // opens what reads
	listener *ctnetlink.Listener
	routes   *routes
	again    *again // entries that are asked for once more
	injector *injector

	// Own changes are told apart by the port ids of the sockets. Each has a lock of its
	// own, since a Conn has one user at a time.
	commits, flushes, tells, injections owner

	order  sync.Mutex // held while a run of events or a dump is delivered
	hushed hushed     // guarded by order

	hearing sync.Once       // of routes
	ran     atomic.Bool     // Run was called
	closing context.Context // ends with Close
	close   context.CancelFunc
	running sync.WaitGroup

	count counters
}

// counters are the counters of Stats.
type counters struct {
	received, filtered, unknown, failed, dumpUnknown atomic.Uint64
	overruns, flushes, resyncs                       atomic.Uint64
	bytes, packets                                   atomic.Uint64
}

// Stats are the counters of -s runtime.
type Stats struct {
	Received, Filtered, UnknownType, EventFailed, DumpUnknown uint64
	Overruns, Flushes, Resyncs                                uint64
	Buffer                                                    int
	Bytes, Packets                                            uint64 // of the entries that are destroyed
}

// Open opens the table of the calling thread's network namespace and subscribes to
// events, which wait for Run.
func Open(c *config.Config, sink Sink) (*Table, error) { return openAll(c, sink, ctnetlink.Open()) }

// openAll is Open of the table behind conn.
func openAll(c *config.Config, sink Sink, conn *ctnetlink.Conn) (*Table, error) {
	r, err := openRoutes(sink)
	if err != nil {
		return nil, fmt.Errorf("can't open netlink handler: %w", err)
	}
	t, err := open(c, sink, conn)
	if err != nil {
		r.close()
		return nil, err
	}
	t.routes = r
	return t, nil
}

// open is openAll without what the machine's addresses tell.
func open(c *config.Config, sink Sink, conn *ctnetlink.Conn) (*Table, error) {
	t := &Table{config: c, sink: sink, conn: conn}
	t.closing, t.close = context.WithCancel(context.Background())
	for _, o := range []*owner{&t.commits, &t.flushes, &t.tells, &t.injections} {
		o.conn = conn.BesideNoting(o.note)
	}
	t.again, t.injector = newAgain(t), newInjector(t)
	t.filter.Store(newFilter(&c.Filter))
	if err := t.listen(); err != nil {
		return nil, fmt.Errorf("can't open netlink handler: %w", cause(err))
	}
	return t, nil
}

// SetFilter replaces the filter: the configuration was read again. What it lets through
// that was left out before is known after the next dump.
func (t *Table) SetFilter(c *config.Config) error {
	t.filter.Store(newFilter(&c.Filter))
	if t.listener == nil {
		return nil
	}
	var program []bpf.Instruction
	if c.KernelFilter {
		program = filterProgram(&c.Filter)
	}
	if program == nil {
		program = []bpf.Instruction{bpf.RetConstant{Val: acceptAll}}
	}
	return t.listener.FilterProgram(program)
}

// Close ends what Open has begun, Run first if it still runs.
func (t *Table) Close() {
	t.close()
	t.commits.wait() // for a commit, which ends
	if t.listener != nil {
		t.listener.Stop()
	}
	if t.routes != nil {
		t.routes.close()
	}
	t.running.Wait()
	t.again.close()
	t.injector.close()
	for _, o := range []*owner{&t.commits, &t.flushes, &t.tells, &t.injections} {
		o.close()
	}
	_ = t.conn.Close()
}

// Stats returns the counters.
func (t *Table) Stats() Stats {
	s := Stats{
		Received: t.count.received.Load(), Filtered: t.count.filtered.Load(),
		UnknownType: t.count.unknown.Load(), EventFailed: t.count.failed.Load(),
		DumpUnknown: t.count.dumpUnknown.Load(), Overruns: t.count.overruns.Load(),
		Flushes: t.count.flushes.Load(), Resyncs: t.count.resyncs.Load(),
		Bytes: t.count.bytes.Load(), Packets: t.count.packets.Load(),
	}
	if t.listener != nil {
		s.Buffer = t.listener.ReadBuffer()
	}
	return s
}

// settings returns the configuration, which may be read again under the sink's lock. The
// caller does not hold it.
func (t *Table) settings() config.Config {
	t.sink.Lock()
	defer t.sink.Unlock()
	return *t.config
}

func (t *Table) log(level config.Level, format string, args ...any) {
	t.sink.Log(level, fmt.Sprintf(format, args...))
}

// cause returns what the system said, without what was asked.
func cause(err error) error {
	var op *ctnetlink.OpError
	if errors.As(err, &op) {
		return op.Err
	}
	return err
}

// owner is a handle through which this daemon changes the table.
type owner struct {
	mu   sync.Mutex // held while it is used
	conn *ctnetlink.Conn

	noted sync.Mutex
	ids   []uint32 // port ids of its sockets, the newest last
}

// maxIDs is how many port ids of one's own are remembered: events of a socket that was
// given up may still come.
const maxIDs = 16

func (o *owner) note(id uint32) {
	o.noted.Lock()
	defer o.noted.Unlock()
	if o.ids = append(o.ids, id); len(o.ids) > maxIDs {
		o.ids = o.ids[1:]
	}
}

// caused reports whether a change was made through o.
func (o *owner) caused(id uint32) bool {
	o.noted.Lock()
	defer o.noted.Unlock()
	for _, known := range o.ids {
		if known == id {
			return true
		}
	}
	return false
}

// wait waits for who uses o.
func (o *owner) wait() {
	o.mu.Lock()
	defer o.mu.Unlock()
}

func (o *owner) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	_ = o.conn.Close()
}

// wait waits for a time, and reports whether it has passed before the context ended.
func wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
