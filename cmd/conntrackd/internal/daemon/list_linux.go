package daemon

import (
	"context"
	"io"
	"time"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/cache"
	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/control"
	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/show"
	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/wire"
)

// listPart is how many objects are listed while the main lock is held.
const listPart = 256

// listing is what -i and -e list.
type listing struct {
	external, expect, xml bool
}

// listingOf returns the listing that a request asks for.
func listingOf(r control.Request) (listing, bool) {
	switch r {
	case control.DumpInternal:
		return listing{}, true
	case control.DumpInternalXML:
		return listing{xml: true}, true
	case control.DumpInternalExpect:
		return listing{expect: true}, true
	case control.DumpInternalExpectXML:
		return listing{expect: true, xml: true}, true
	case control.DumpExternal:
		return listing{external: true}, true
	case control.DumpExternalXML:
		return listing{external: true, xml: true}, true
	case control.DumpExternalExpect:
		return listing{external: true, expect: true}, true
	case control.DumpExternalExpectXML:
		return listing{external: true, expect: true, xml: true}, true
	}
	return listing{}, false
}

// internal returns the cache of this node's entries, nil where there is none.
func (d *daemon) internal(expect bool) *cache.Cache {
	switch {
	case d.stats != nil && expect:
		return nil
	case d.stats != nil:
		return d.stats.cache
	case expect:
		return d.node.InternalExpect
	}
	return d.node.Internal
}

// list writes a listing, in parts: the node goes on meanwhile.
func (d *daemon) list(ctx context.Context, w io.Writer, l listing) {
	if l.expect && !d.config.Expect {
		return
	}
	defer d.jobs.begin("any")()
	if d.node != nil && d.config.DisableInternalCache && !l.external {
		d.listTable(ctx, w, l)
		return
	}
	c := d.internal(l.expect)
	if l.external {
		c = d.node.External
		if l.expect {
			c = d.node.ExternalExpect
		}
	}
	var buf []byte
	for at, begun := cache.Slot(0), false; !begun || at != 0; begun = true {
		buf = buf[:0]
		d.mu.Lock()
		now := time.Now()
		clock := d.clock()
		at = c.Walk(at, listPart, func(s cache.Slot) {
			buf = d.appendLine(buf, c.Object(s), c.Meta(s), l, now, clock)
		})
		d.mu.Unlock()
		if _, err := w.Write(buf); err != nil || ctx.Err() != nil {
			return
		}
	}
}

// clock returns the seconds of the caches' clock.
func (d *daemon) clock() uint32 {
	if d.stats != nil {
		return d.stats.clock()
	}
	return d.node.Clock()
}

// appendLine appends the line of an object of a cache. Dead ones are hidden.
func (d *daemon) appendLine(b []byte, o wire.Object, m *cache.Meta, l listing, now time.Time, clock uint32) []byte {
	if m.Flags&cache.Dead != 0 {
		return b
	}
	e := show.Entry{
		Object: o, External: l.external,
		Created: now.Add(-time.Duration(clock-m.Created) * time.Second),
	}
	if l.external {
		e.Expires = d.node.Expires(m)
	}
	return show.AppendLine(b, &e, now, l.xml)
}

// listTable lists the kernel's table, where there is no internal cache.
func (d *daemon) listTable(ctx context.Context, w io.Writer, l listing) {
	var buf []byte
	now := time.Now()
	line := func(o wire.Object) error {
		buf = show.AppendLine(buf[:0], &show.Entry{Object: o, Listed: true}, now, l.xml)
		_, err := w.Write(buf)
		return err
	}
	if l.expect {
		d.table.ListExpect(ctx, line)
		return
	}
	d.table.List(ctx, line)
}
