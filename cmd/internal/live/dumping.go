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
	dead  map[uint64]uint32
	at    int // index of the next page to sweep, in c.pages
	swept bool
}

// beginDump is called before a dump of a source is asked for. There is one at a time
// of each source.
func (t *Table) beginDump(source int) *dumping {
	c := t.copies[source]
	for _, p := range c.pages {
		p.seen = bitmap{}
	}
	c.dump = &dumping{c: c, dead: map[uint64]uint32{}}
	return c.dump
}

// saw takes in an entry that the dump lists; at is the time by the source's clock
// when its message was received.
func (d *dumping) saw(f *ctnetlink.Flow, at time.Time) {
	var shown shown
	if !shown.read(f) {
		return
	}
	if status, _ := f.Status(); status&ctnetlink.StatusDying != 0 {
		return // its DESTROY event was sent before
	}
	c, t := d.c, d.c.t
	hash := t.hash(&shown.key)
	s, found := c.find(&shown.key, hash)
	var p *page
	var i int
	if found {
		p, i = t.pages.at(s)
		if !p.is(i, &shown, f) {
			c.tally.Deaths++
			c.remove(p, i, hash, nil, replaced)
			found = false
		} else if !t.keeps(f) {
			c.remove(p, i, hash, nil, left)
			return
		}
	}
	if !found {
		if id, ok := d.dead[hash]; ok {
			if now, ok := f.ID(); !ok || now == id {
				return
			}
		}
		if p, i, found = c.add(&shown, hash, f); !found {
			return
		}
		if c.countsListed() {
			c.tally.Births++
			r := &p.cores[i]
			c.countAll(r, f)
		}
	}
	p.seen.set(i)
	r := &p.cores[i]
	c.fill(r, &shown, f, at, true)
	c.lookAt(r, f, at)
	c.habits = r.has & hasUse
	if r.has&hasMark != 0 && r.mark == 0 {
		c.habits |= hasMark
	}
}

// countAll adds all that an entry has counted to the tally.
func (c *sourceCopy) countAll(r *core, f *ctnetlink.Flow) {
	r.has |= fromZero
	c.count(r, f)
	r.has &^= fromZero
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
		if d.at >= len(c.pages) {
			c.complete, c.dump = true, nil
			return false
		}
		d.at += c.sweep(c.pages[d.at])
	}
	return true
}

// sweep removes the entries of a page that the dump has not seen. It returns 0 if the
// page is gone, for another has its place in c.pages, otherwise 1.
func (c *sourceCopy) sweep(p *page) int {
	var lost bitmap
	for w := range lost {
		lost[w] = p.alive[w] &^ p.seen[w]
	}
	lost.each(func(i int) bool {
		k := p.key(i)
		c.tally.Deaths++
		c.remove(p, i, c.t.hash(&k), nil, missing)
		return true
	})
	if c.t.pages.all[p.number] != p {
		return 0
	}
	return 1
}

// abandon is called when the dump failed. What it listed stays.
func (d *dumping) abandon() { d.c.dump = nil }
