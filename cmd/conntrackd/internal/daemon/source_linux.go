package daemon

import (
	"errors"
	"time"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/wire"
)

// Inject changes the kernel's table at once.
func (d *daemon) Inject(t wire.Type, o wire.Object) {
	if d.table != nil {
		d.table.Inject(t, o)
	}
}

// roomToInject waits, without the main lock, until the kernel's table is not too far behind
// what the peers have told.
func (d *daemon) roomToInject() {
	d.mu.Lock()
	table := d.table
	d.mu.Unlock()
	if table != nil {
		table.InjectRoom()
	}
}

// source lists the kernel's table for the node, where there is no internal cache.
type source struct{ d *daemon }

// errEnding ends a dump of a daemon that ends.
var errEnding = errors.New("the daemon ends")

// Dump has the table listed, and returns at once.
func (s source) Dump() { go s.d.dump() }

func (d *daemon) dump() {
	d.refreshes.Lock()
	defer d.refreshes.Unlock()
	d.with(func() { d.node.BeginRefresh(false) })
	err := d.table.List(d.ctx, func(o wire.Object) error { return d.dumped(wire.Update, o) })
	if err == nil && d.config.Expect {
		err = d.table.ListExpect(d.ctx, func(o wire.Object) error { return d.dumped(wire.ExpectUpdate, o) })
	}
	d.with(func() { d.endRefresh(err == nil) })
}

// dumped takes an object of a dump once the node has room for it.
func (d *daemon) dumped(t wire.Type, o wire.Object) error {
	for {
		d.mu.Lock()
		room := d.node.Room()
		if room {
			d.node.Dumped(t, o)
		}
		d.mu.Unlock()
		d.wake() // not Unlock: many are sent together
		if room {
			return nil
		}
		select {
		case <-d.ctx.Done():
			return errEnding
		case <-time.After(time.Millisecond): // the links and the peers have to take what was sent
		}
	}
}
