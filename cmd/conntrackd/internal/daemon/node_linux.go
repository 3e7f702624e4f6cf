package daemon

import (
	"context"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/config"
	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/control"
	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/kernel"
	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/link"
	node "github.com/gonntrack/gonntrack/cmd/conntrackd/internal/sync"
	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/wire"
	"github.com/gonntrack/gonntrack/ctnetlink"
)

// daemon is a daemon that runs. It is the kernel's sink and the links' handler.
type daemon struct {
	config *config.Config // what a restart only changes; see reload
	path   string         // of the file
	log    *logger
	begun  time.Time
	table  *kernel.Table
	server *control.Server
	links  *link.Set   // nil in the statistics mode
	stats  *statistics // nil in the other modes

	// mu is the main lock: it protects the node and its caches, or those of the
	// statistics. It is held for a batch of work, never while waiting for anything.
	mu   sync.Mutex
	node *node.Node // nil in the statistics mode
	due  time.Time  // when the ticker looks at the node; zero: it has not begun
	last committed

	// repaired is how many losses of events the table has told of when it was last read as
	// a whole: it has made up for them.
	repaired atomic.Uint64

	kick chan struct{} // has the ticker look at the node

	commits   sync.Mutex // held during a commit
	refreshes sync.Mutex // held while the table is read into the cache
	purge     timer      // of -t
	jobs      jobs       // what runs beside: -s process
	metrics   metrics
	ctx       context.Context
	stop      context.CancelCauseFunc
	ended     chan struct{} // closed when all is cleaned up
}

// Lock and Unlock are the main lock, for batches of events.
func (d *daemon) Lock() { d.mu.Lock() }

// Unlock has what was changed sent, and releases the main lock. The node is called here and
// not by the ticker: to wake another thread costs more than what it does.
func (d *daemon) Unlock() {
	sooner := !d.due.IsZero() && d.node.Tick().Before(d.due)
	d.mu.Unlock()
	if sooner {
		d.wake()
	}
}

// wake has the ticker look at the node.
func (d *daemon) wake() {
	select {
	case d.kick <- struct{}{}:
	default:
	}
}

// with calls f with the main lock held.
func (d *daemon) with(f func()) {
	d.Lock()
	defer d.Unlock()
	f()
}

// Event takes a change of the kernel's table, with the lock held.
func (d *daemon) Event(t wire.Type, o wire.Object, silent bool) {
	if d.stats != nil {
		d.stats.event(t, o)
		return
	}
	d.node.Event(t, o, silent)
}

// Ended takes an entry that was known and is destroyed.
func (d *daemon) Ended(f *ctnetlink.Flow) {
	if d.stats != nil {
		d.stats.ended(f)
	}
}

// Find returns the object of an entry that is known.
func (d *daemon) Find(k *wire.Key) wire.Object {
	c := d.internal(k.Expect)
	if c == nil {
		return nil
	}
	s := c.Find(k)
	if s == 0 {
		return nil
	}
	return c.Object(s)
}

// Receive takes what a link has received.
func (d *daemon) Receive(from link.Sender, b []byte) {
	if d.config.DisableExternalCache {
		d.roomToInject()
	}
	d.heard(func() { d.node.Receive(from, b) })
}

// Connected is called when a connection or link has come.
func (d *daemon) Connected(link int) { d.heard(func() { d.node.Connected(link) }) }

// Lost is called when one has gone: the node hears nothing of its peer then.
func (d *daemon) Lost(int) {}

// heard calls f, which takes what a link tells, with the main lock held. It does not where
// the start has failed.
func (d *daemon) heard(f func()) {
	d.Lock()
	defer d.Unlock()
	if d.table != nil {
		f()
	}
}

// Room is called when the links take more.
func (d *daemon) Room() { d.wake() }

// Log takes a line of a part.
func (d *daemon) Log(level config.Level, text string) { d.log.log(level, text) }

// AddressesLost is called when some of the machine's addresses or links are gone.
func (d *daemon) AddressesLost(addresses []netip.Addr) {
	if d.node != nil {
		d.with(func() { d.node.HoldDeletes(addresses...) })
	}
}

// tick calls the node when something is due, until the context ends.
func (d *daemon) tick(ctx context.Context) {
	wait := time.NewTimer(0)
	defer wait.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-d.kick:
		case <-wait.C:
		}
		d.mu.Lock()
		d.due = d.node.Tick()
		next := d.due
		d.mu.Unlock()
		wait.Reset(max(time.Until(next), 0))
	}
}

// timer is something that is done later, once. Its zero value is not set.
type timer struct {
	mu sync.Mutex
	t  *time.Timer
}

// set has f called after wait, in a goroutine. It reports false, and does nothing, if it
// is set already and again is false.
func (t *timer) set(wait time.Duration, again bool, f func()) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.t != nil {
		if !again {
			return false
		}
		t.t.Stop()
	}
	var mine *time.Timer
	mine = time.AfterFunc(wait, func() {
		t.mu.Lock()
		current := t.t == mine
		if current {
			t.t = nil
		}
		t.mu.Unlock()
		if current {
			f()
		}
	})
	t.t = mine
	return true
}

// cancel has it not done. It reports whether it was set.
func (t *timer) cancel() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.t == nil {
		return false
	}
	t.t.Stop()
	t.t = nil
	return true
}
