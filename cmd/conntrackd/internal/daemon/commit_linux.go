package daemon

import (
	"context"
	"io"
	"time"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/cache"
	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/config"
	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/kernel"
	node "github.com/gonntrack/gonntrack/cmd/conntrackd/internal/sync"
	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/wire"
	"github.com/gonntrack/gonntrack/ctnetlink"
)

// commitPart is how many objects are taken from the cache at once.
const commitPart = 512

// commit writes the external caches into the kernel's table (-c), and returns when that
// is done.
func (d *daemon) commit(ctx context.Context, w io.Writer, entries, expects bool) {
	if !d.commits.TryLock() {
		d.tell(w, config.Notice, "commit already in progress, skipping")
		return
	}
	defer d.commits.Unlock()
	defer d.jobs.begin("commit")()
	d.purge.cancel()
	active := false
	d.with(func() {
		role, _ := d.node.Role()
		active = role == node.Primary
		d.node.SetRole(node.Primary)
	})
	switch {
	case entries && expects:
		d.log.notice("committing all external caches")
	case entries:
		d.log.notice("committing conntrack cache")
	default:
		d.log.notice("committing expectation cache")
	}
	if d.config.DisableExternalCache {
		return
	}
	if entries {
		d.commitCache(ctx, w, "entries", false, func(ctx context.Context, c kernel.Commit) (kernel.Committed, error) {
			c.Active = active
			return d.table.Commit(ctx, c)
		})
	}
	if expects && d.config.Expect {
		d.commitCache(ctx, w, "expectations", true, d.table.CommitExpect)
	}
}

// committed is what there is to say of the last commit.
type committed struct {
	kernel.Committed
	at   time.Time
	took time.Duration
}

// commitCache commits one cache. what are its objects, in the log.
func (d *daemon) commitCache(ctx context.Context, to io.Writer, what string, expect bool,
	commit func(context.Context, kernel.Commit) (kernel.Committed, error),
) {
	begun := time.Now()
	w := walk{d: d, c: d.node.External, expect: expect}
	if expect {
		w.c = d.node.ExternalExpect
	}
	d.mu.Lock()
	total := int(w.c.Stats.Active)
	d.mu.Unlock()
	done, err := commit(ctx, kernel.Commit{Total: total, Next: w.next, Failed: d.commitFailed})
	if err != nil {
		d.tell(to, config.Error, "commit: %v", err)
	}
	took := time.Since(begun)
	d.log.notice("Committed %d new %s", done.New, what)
	if done.Failed > 0 {
		d.tell(to, config.Notice, "%d %s can't be committed", done.Failed, what)
	}
	d.log.notice("commit has taken %d.%06d seconds", took.Microseconds()/1e6, took.Microseconds()%1e6)
	if !expect {
		d.mu.Lock()
		d.last = committed{done, time.Now(), took}
		d.mu.Unlock()
	}
}

// commitFailed logs an entry that the table has refused, and why.
func (d *daemon) commitFailed(op string, o wire.Object, err error) {
	d.log.error("%s: %s", op, reason(err))
	d.log.entry(entryText(o))
}

// walk takes the objects of a cache in parts, those that matter most first: connections
// that both sides have spoken on, then the others.
type walk struct {
	d      *daemon
	c      *cache.Cache
	expect bool
	at     cache.Slot
	late   bool // the second pass
	begun  bool
	bytes  []byte // the copies of a part
}

// next appends the next part, none at the end. The objects are valid until the next call.
func (w *walk) next(dst []kernel.Entry) []kernel.Entry {
	before := len(dst)
	for len(dst) == before {
		if w.begun && w.at == 0 {
			if w.late || w.expect {
				return dst
			}
			w.late, w.begun = true, false
		}
		dst = w.part(dst)
	}
	return dst
}

// part appends what one part of the walk yields, which may be nothing.
func (w *walk) part(dst []kernel.Entry) []kernel.Entry {
	d := w.d
	w.bytes = w.bytes[:0]
	before := len(dst)
	d.mu.Lock()
	now := d.node.Clock()
	w.at = w.c.Walk(w.at, commitPart, func(s cache.Slot) {
		o, m := w.c.Object(s), w.c.Meta(s)
		if !w.expect && (o.Status()&ctnetlink.StatusAssured != 0) == w.late {
			return
		}
		if _, ok := d.node.Left(o, m, w.expect); !ok {
			return
		}
		from := len(w.bytes)
		w.bytes = append(w.bytes, o...)
		dst = append(dst, kernel.Entry{
			Object: wire.Object(w.bytes[from:]),
			Age:    time.Duration(now-m.Told) * time.Second,
		})
	})
	d.mu.Unlock()
	w.begun = true
	// Growing may have moved the bytes.
	for i, at := before, 0; i < len(dst); i++ {
		n := len(dst[i].Object)
		dst[i].Object = w.bytes[at : at+n : at+n]
		at += n
	}
	return dst
}
