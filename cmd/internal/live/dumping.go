package live

import (
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// dumping is a dump that is under way. What it does not list, and what was there when
// it began, has ended. t.mu is held for writing when its methods are called; between
// the calls it should be given up now and then, so that events and questions do not
// wait.
type dumping struct {
	c *sourceCopy
	// dead are the entries that ended meanwhile, by the hashes of their keys, with
	// their ids: a message that shows one may be on its way.
	dead map[uint64]uint32
	// page and i are the place of the last entry that was listed. The next one is
	// often behind it, since a table is listed in the same order every time.
	page  *page
	i     int
	last  uint32 // time of the last look, or of the beginning, see milliseconds
	sweep int    // index of the next page to sweep, in c.pages
}

// beginDump is called before a dump of a source is asked for. There is one at a time
// of each source.
func (t *Table) beginDump(source int) *dumping {
	c := t.copies[source]
	for _, p := range c.pages {
		p.seen, p.fresh, p.told = bitmap{}, bitmap{}, bitmap{}
	}
	c.dump = &dumping{c: c, dead: map[uint64]uint32{}, last: c.stampOf(c.now()).milliseconds}
	return c.dump
}

// expect says that a source has about n entries, before its first dump. t.mu is held
// for writing.
func (t *Table) expect(source, n int) {
	if c := t.copies[source]; !c.complete && t.options.Filter == nil {
		c.index.reserve(n, c.hashOf)
	}
}

// saw takes in an entry that the dump lists; at is the time by the source's clock
// when its message was received.
func (d *dumping) saw(f *ctnetlink.Flow, at time.Time) {
	var e shown
	if !e.read(f) {
		return
	}
	if status, _ := f.Status(); status&ctnetlink.StatusDying != 0 {
		return // its DESTROY event was sent before
	}
	c := d.c
	p, i, found := d.next(&e.key)
	if !found {
		p, i, found = c.find(&e.key, c.t.hash(&e.key))
	}
	if found {
		if !p.is(i, &e, f) {
			c.tally.Deaths++
			c.remove(p, i, nil, replaced)
			found = false
		} else if !c.t.keeps(f) {
			c.remove(p, i, nil, left)
			return
		} else if d.isOutdated(&e.key, f) {
			p.seen.set(i)
			return
		}
	}
	if !found {
		if p, i, found = d.discover(&e, f); !found {
			return
		}
	}
	d.page, d.i = p, i
	p.seen.set(i)
	r := &p.cores[i]
	if p.told.has(i) {
		told := *r
		c.fill(r, &e, f, at, true)
		r.keep(&told)
	} else {
		c.fill(r, &e, f, at, true)
	}
	c.lookAt(r, f, at)
	d.last = c.stamp(at).milliseconds
	c.habits |= r.has & hasUse
	if r.mark == 0 {
		c.habits |= r.has & hasMark
	}
}

// isOutdated reports whether a message may show the entry that had the tuple before:
// one with the same id has ended since the dump began.
func (d *dumping) isOutdated(k *key, f *ctnetlink.Flow) bool {
	if len(d.dead) == 0 {
		return false
	}
	was, ok := d.dead[d.c.t.hash(k)]
	id, has := f.ID()
	return ok && (!has || id == was)
}

// keep restores what an event told of a record since the dump began: the message of
// the dump may have been on its way. If it was not, another event is.
func (r *core) keep(told *core) {
	if told.has&hasStatus != 0 {
		r.status = told.status
	}
	if told.has&hasTimeout != 0 {
		r.expires = told.expires
	}
	if told.has&hasMark != 0 {
		r.mark = told.mark
	}
	r.has |= told.has & (hasStatus | hasTimeout | hasMark)
	if told.state != noState {
		r.state = told.state
	}
}

// next returns the record behind the last one, if it has the key.
func (d *dumping) next(k *key) (p *page, i int, ok bool) {
	p, i = d.page, d.i+1
	if p == nil || i >= p.used || !p.alive.has(i) || !p.hasKey(i, k) {
		return nil, 0, false
	}
	return p, i, true
}

// discover adds a record for an entry that was not known, unless it has ended since it
// was listed or does not match.
func (d *dumping) discover(e *shown, f *ctnetlink.Flow) (p *page, i int, ok bool) {
	c := d.c
	if d.isOutdated(&e.key, f) {
		return nil, 0, false
	}
	if p, i, ok = c.add(e, c.t.hash(&e.key), f); ok {
		p.fresh.set(i)
	}
	if ok && c.countsListed() {
		c.tally.Births++
		// It began after the last dump, so all that it has counted is of the time since.
		p.cores[i].look, p.cores[i].has = c.looked, p.cores[i].has|fromZero
	}
	return p, i, ok
}

// died notes that an entry has ended.
func (d *dumping) died(hash uint64, f *ctnetlink.Flow) {
	id, _ := f.ID()
	d.dead[hash] = id
}

// sweepPart is how many pages are swept with the lock held.
const sweepPart = 16

// end is called when the dump was complete. It removes entries that have ended; more
// reports that it must be called again, so that the lock is not held for long. Events
// that were queued when the dump was complete should be applied before the first
// call, since they tell how entries ended.
func (d *dumping) end() (more bool) {
	c := d.c
	for range sweepPart {
		if d.sweep >= len(c.pages) {
			c.complete, c.dump, c.looked = true, nil, d.last
			return false
		}
		d.sweep += c.sweep(c.pages[d.sweep])
	}
	return true
}

// settled is called after end if all events have been taken in that the table sent
// before: births are not told late any more.
func (d *dumping) settled() {
	for _, p := range d.c.pages {
		p.fresh = bitmap{}
	}
}

// sweep removes the entries of a page that the dump has not seen. It returns 0 if the
// page is gone, for another has its place in c.pages, otherwise 1.
func (c *sourceCopy) sweep(p *page) int {
	var lost bitmap
	for w := range lost {
		lost[w] = p.alive[w] &^ p.seen[w]
	}
	lost.each(func(i int) bool {
		c.tally.Deaths++
		c.remove(p, i, nil, missing)
		return true
	})
	if c.t.pages.all[p.number] != p {
		return 0
	}
	return 1
}

// abandon is called when the dump failed. What it listed stays.
func (d *dumping) abandon() { d.c.dump = nil }
