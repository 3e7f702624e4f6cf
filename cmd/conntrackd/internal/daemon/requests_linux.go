package daemon

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/config"
	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/control"
	node "github.com/gonntrack/gonntrack/cmd/conntrackd/internal/sync"
)

// expectOnly reports whether a request is about expectations only: where they are not
// synchronised, it does nothing.
func expectOnly(r control.Request) bool {
	return r == control.CommitExpect || r == control.ResyncKernelExpect || r == control.FlushKernelExpect
}

// answer does what a client asks for and writes the answer. What must not be done twice
// at a time waits for its own lock; nothing here stops other clients or the node.
func (d *daemon) answer(ctx context.Context, r control.Request, w io.Writer) {
	if r == control.Kill {
		d.stop(errShutdown)
		<-d.ended
		return
	}
	if expectOnly(r) && !d.config.Expect {
		return
	}
	if d.kernelRequest(ctx, r, w) || d.show(r, w) {
		return
	}
	if r.Own() {
		d.own(ctx, r, w)
		return
	}
	if d.node == nil {
		switch r {
		case control.DumpInternal, control.DumpInternalXML:
			d.list(ctx, w, listing{xml: r == control.DumpInternalXML})
		case control.FlushInternal:
			d.flush(w, true, false)
		}
		return
	}
	d.nodeRequest(ctx, r, w)
}

// tell logs why a request was not done and writes it to the client, whose exit status
// does not say so.
func (d *daemon) tell(w io.Writer, level config.Level, form string, args ...any) {
	text := fmt.Sprintf(form, args...)
	d.log.log(level, text)
	io.WriteString(w, clean(text)+"\n")
}

// kernelRequest does a request that every mode knows: -F and -R.
func (d *daemon) kernelRequest(ctx context.Context, r control.Request, w io.Writer) bool {
	switch r {
	case control.FlushKernel:
		d.flushKernel(ctx, w, true, false)
	case control.FlushKernelExpect:
		d.flushKernel(ctx, w, false, true)
	case control.FlushKernelAll:
		d.flushKernel(ctx, w, true, true)
	case control.ResyncKernel:
		d.resync(ctx, w, true, false)
	case control.ResyncKernelExpect:
		d.resync(ctx, w, false, true)
	case control.ResyncAll:
		d.resync(ctx, w, true, true)
	default:
		return false
	}
	return true
}

// nodeRequest does a request of the modes that keep nodes alike.
func (d *daemon) nodeRequest(ctx context.Context, r control.Request, w io.Writer) {
	switch r {
	case control.CommitAll:
		d.commit(ctx, w, true, true)
	case control.Commit:
		d.commit(ctx, w, true, false)
	case control.CommitExpect:
		d.commit(ctx, w, false, true)
	case control.FlushCaches:
		d.flush(w, true, true)
	case control.FlushInternal:
		d.flush(w, true, false)
	case control.FlushExternal:
		d.flush(w, false, true)
	case control.Bulk:
		if d.config.Mode != config.Alarm {
			d.bulk()
		}
	case control.RequestResync:
		d.requestResync()
	case control.Purge:
		d.schedulePurge(ctx)
	default:
		if l, ok := listingOf(r); ok {
			d.list(ctx, w, l)
		}
	}
}

// flushKernel empties the kernel's table (-F). Events of what this daemon deletes are not
// sent. A bulk follows, and peers remove what is missing in it.
func (d *daemon) flushKernel(ctx context.Context, w io.Writer, entries, expects bool) {
	defer d.jobs.begin("flush")()
	if entries {
		d.log.notice("flushing kernel conntrack table")
		if _, err := d.table.Flush(ctx, true); err != nil {
			d.tell(w, config.Error, "flush: %v", err)
		}
	}
	if expects && d.config.Expect {
		d.log.notice("flushing kernel expect table")
		if _, err := d.table.FlushExpect(ctx, true); err != nil {
			d.tell(w, config.Error, "flush-expect: %v", err)
		}
	}
	d.tellAll()
}

// tellAll sends a bulk to the nodes, so that they remove what it lacks.
func (d *daemon) tellAll() {
	if d.node != nil {
		d.with(d.node.Bulk)
	}
}

// resync reads the kernel's table into the internal cache (-R). Nothing is sent.
func (d *daemon) resync(ctx context.Context, w io.Writer, entries, expects bool) {
	if d.node != nil && d.config.DisableInternalCache {
		d.log.notice("resync is unsupported in this mode")
		return
	}
	if entries {
		d.log.notice("resync with master conntrack table")
	}
	if expects && d.config.Expect {
		d.log.notice("resync with master expect table")
	}
	if err := d.refresh(ctx, false); err != nil {
		d.tell(w, config.Error, "resync: %v", err)
	}
}

// flush empties the caches (-f). Nothing is sent, and the kernel's table stays as it is.
func (d *daemon) flush(w io.Writer, internal, external bool) {
	if !d.commits.TryLock() {
		d.tell(w, config.Notice, "ignoring flush command, commit still in progress")
		return
	}
	defer d.commits.Unlock()
	switch {
	case internal && external, d.stats != nil:
		d.purge.cancel()
		d.log.notice("flushing caches")
	case internal:
		d.log.notice("flushing internal cache")
	default:
		d.log.notice("flushing external cache")
	}
	d.Lock()
	defer d.Unlock()
	if d.stats != nil {
		d.stats.clear()
		return
	}
	if internal {
		d.node.FlushInternal()
	}
	if external {
		d.node.FlushExternal()
	}
}

// bulk sends the internal cache to the nodes (-B).
func (d *daemon) bulk() {
	d.log.notice("sending bulk update")
	d.Lock()
	defer d.Unlock()
	d.node.ReleaseDeletes()
	d.node.Bulk()
}

// requestResync asks the nodes for all they have (-n), as a node does that does not have
// the addresses: ends that were held back are not told.
func (d *daemon) requestResync() {
	d.Lock()
	defer d.Unlock()
	d.node.SetRole(node.Backup)
	if d.config.Mode != config.Alarm {
		d.log.notice("resync requested")
		d.node.RequestResync()
	}
}

// schedulePurge has the kernel's table emptied later (-t).
func (d *daemon) schedulePurge(ctx context.Context) {
	d.mu.Lock()
	wait := d.config.PurgeTimeout
	d.mu.Unlock()
	set := d.purge.set(wait, false, func() {
		d.log.notice("flushing kernel conntrack table (scheduled)")
		defer d.jobs.begin("flush")()
		if _, err := d.table.Flush(ctx, true); err != nil {
			d.log.error("flush: %v", err)
			return
		}
		d.tellAll()
		if d.config.DisableExternalCache { // what the nodes have told went, too
			d.with(d.node.RequestResync)
		}
	})
	if set {
		d.log.notice("flushing conntrack table in %d secs", int64(wait/time.Second))
	}
	d.with(func() { d.node.SetRole(node.Backup) })
}
