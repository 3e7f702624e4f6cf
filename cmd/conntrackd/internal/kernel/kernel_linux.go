// Package kernel is conntrackd's side towards the kernel's table: events, dumps, the
// filter, commit, injection, flushing, and what happens to the machine's addresses.
package kernel

import (
	"context"
	"time"

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
	// AddressesChanged is called, without the lock, when the machine's addresses or
	// links have changed. lost: one is gone.
	AddressesChanged(lost bool)
	Log(level config.Level, text string)
}

// Table is the kernel's table.
type Table struct{}

// Open opens the table and subscribes to events.
func Open(c *config.Config, sink Sink) (*Table, error) { panic("unwritten") }

// Run delivers events until the context ends.
func (t *Table) Run(ctx context.Context) error { panic("unwritten") }

// Dump delivers the whole table as updates (-R). silent is handed on to Event. It takes
// the sink's lock in parts; events wait meanwhile, so that what they tell is newer than
// the dump. It may be called before Run and beside it.
func (t *Table) Dump(ctx context.Context, silent bool) error { panic("unwritten") }

// DumpExpect is Dump for expectations.
func (t *Table) DumpExpect(ctx context.Context, silent bool) error { panic("unwritten") }

// List calls f, without the lock, for the object of each entry that the filter lets
// through, until f returns an error, which it returns. The object is valid until f
// returns.
func (t *Table) List(ctx context.Context, f func(o wire.Object) error) error { panic("unwritten") }

// ListExpect is List for expectations.
func (t *Table) ListExpect(ctx context.Context, f func(o wire.Object) error) error {
	panic("unwritten")
}

// Close ends what Open has begun, Run first if it still runs.
func (t *Table) Close() { panic("unwritten") }

// Flush deletes what the filter lets through (-F, -t), and returns how many that were.
// silent: the events that come of it are silent ones.
func (t *Table) Flush(ctx context.Context, silent bool) (int, error) { panic("unwritten") }

// FlushExpect deletes all expectations.
func (t *Table) FlushExpect(ctx context.Context, silent bool) (int, error) { panic("unwritten") }

// Committed is what became of a commit.
type Committed struct {
	New, Failed int
}

// Entry is an object that is to be committed.
type Entry struct {
	Object wire.Object
	Age    time.Duration // since it was told last: its timeout is older by so much
}

// Commit writes the objects of a cache into the table, in the order in which they come,
// but those of related connections after the others. next is called, without the lock,
// for the next part of them: it appends to dst, and appends nothing at the end. Objects
// must stay as they are until the next call.
func (t *Table) Commit(ctx context.Context, next func(dst []Entry) []Entry) (Committed, error) {
	panic("unwritten")
}

// CommitExpect is Commit for expectations.
func (t *Table) CommitExpect(ctx context.Context, next func(dst []Entry) []Entry) (Committed, error) {
	panic("unwritten")
}

// Inject makes one change at once.
func (t *Table) Inject(ty wire.Type, o wire.Object) { panic("unwritten") }

// Stats are the counters of -s runtime.
type Stats struct {
	Received, Filtered, UnknownType, EventFailed, DumpUnknown uint64
	Overruns, Flushes, Resyncs                                uint64
	Buffer                                                    int
	Bytes, Packets                                            uint64 // of the entries that are destroyed
}

// Stats returns the counters.
func (t *Table) Stats() Stats { panic("unwritten") }
