package daemon

import (
	"context"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/wire"
)

// Inject changes the kernel's table at once.
func (d *daemon) Inject(t wire.Type, o wire.Object) {
	if d.table != nil {
		d.table.Inject(t, o)
	}
}

// source lists the kernel's table for the node.
type source struct{ d *daemon }

// Dump calls f with the object of each entry.
func (s source) Dump(f func(o wire.Object)) error {
	return s.d.table.List(context.Background(), func(o wire.Object) error { f(o); return nil })
}
