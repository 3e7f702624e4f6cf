package live

import (
	"context"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/filter"
)

// dumps is what is known of the dumps of all sources, one after the other.
type dumps struct {
	mu       sync.Mutex
	whole    int // how many were complete
	complete time.Time
	took     time.Duration
	packets  float64 // per second, between the last two
	bytes    float64
}

// dumped is what is known of the dumps of a source.
type dumped struct {
	deaf atomic.Bool // the last one began without anybody listening to the events

	mu     sync.Mutex
	failed error
	began  time.Time // the last one that was complete
	ticked bool      // the source's clock runs
	counts bool      // there are entries with counters
	at     time.Time // the source's clock at the last one
	before tally
	found  []found // by the last ones, the oldest first
}

// found is how many births and deaths dumps have found that no event had told of,
// since the start up to a time.
type found struct {
	at             time.Time
	births, deaths int
}

// note adds what a dump has found.
func (d *dumped) note(at time.Time, births, deaths int) {
	if last := len(d.found) - 1; last >= 0 {
		births += d.found[last].births
		deaths += d.found[last].deaths
	}
	d.found = append(d.found, found{at, births, deaths})
	for len(d.found) > 2 && at.Sub(d.found[1].at) >= ratesOver*time.Second {
		d.found = d.found[1:]
	}
}

// rates returns what dumps find per second, over the last seconds or since the last but
// one.
func (d *dumped) rates() (births, deaths float64) {
	if len(d.found) < 2 {
		return 0, 0
	}
	first, last := d.found[0], d.found[len(d.found)-1]
	passed := last.at.Sub(first.at).Seconds()
	return float64(last.births-first.births) / passed, float64(last.deaths-first.deaths) / passed
}

// keepReading reads the tables again and again until ctx ends.
func (t *Table) keepReading(ctx context.Context) error {
	f := &t.feed
	var m meter
	for first := true; f.pace.wait(ctx); first = false {
		f.pace.begin(time.Now())
		m.begin()
		err := t.readAll(ctx)
		f.pace.end(m.end())
		if first && err != nil && ctx.Err() == nil {
			return err
		}
	}
	return nil
}

// readAll reads the tables of all sources. It returns an error if none can be read.
func (t *Table) readAll(ctx context.Context) error {
	began := time.Now()
	var failed error
	read, deaf := 0, 0
	for _, p := range t.feed.parts {
		err := p.read(ctx)
		if ctx.Err() != nil {
			return nil
		}
		switch {
		case err == nil:
			read++
		case failed == nil:
			failed = p.fail(err)
		}
		if p.events.whyOff() != "" || p.asked.eventsOff() {
			deaf++
		}
		p.dumped.mu.Lock()
		p.dumped.failed = err
		p.dumped.mu.Unlock()
	}
	if read == 0 {
		return failed
	}
	now := time.Now()
	f := &t.feed
	f.dumps.end(now, now.Sub(began), f.parts)
	if deaf == len(f.parts) {
		f.history.known(now)
	} else {
		f.history.known(time.Time{})
	}
	return nil
}

// end notes that all sources were read.
func (d *dumps) end(now time.Time, took time.Duration, parts []*part) {
	var packets, bytes uint64
	for _, p := range parts {
		more := p.counted()
		packets += more.Packets
		bytes += more.Bytes
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if passed := now.Sub(d.complete).Seconds(); d.whole > 0 && passed > 0 {
		d.packets, d.bytes = float64(packets)/passed, float64(bytes)/passed
	}
	d.whole++
	d.complete, d.took = now, took
}

// counted returns what the entries of a source have counted since the last call.
func (p *part) counted() (more tally) {
	p.t.mu.RLock()
	now := p.t.tallyOf(p.n)
	p.t.mu.RUnlock()
	p.dumped.mu.Lock()
	defer p.dumped.mu.Unlock()
	more = tally{Packets: now.Packets - p.dumped.before.Packets, Bytes: now.Bytes - p.dumped.before.Bytes}
	p.dumped.before = now
	return more
}

// chunkLen is how many entries are taken in with the lock held, at most.
const chunkLen = 256

// chunk is entries of a dump that were received, and are not taken in yet. They are
// copied, so that the lock is not held while the next are waited for.
type chunk struct {
	flows [chunkLen]ctnetlink.Flow
	n     int
	buf   []byte
	at    time.Time // by the source's clock
	begun time.Time

	// What was found so far.
	births, deaths int
	counts         bool // there are entries with counters
}

func (c *chunk) reset() { c.n, c.buf, c.births, c.deaths, c.counts = 0, c.buf[:0], 0, 0, false }

// chunkAge is how long an entry waits for others at most, if more come.
const chunkAge = 5 * time.Millisecond

// add adds an entry, and reports whether the chunk is to be taken in.
func (c *chunk) add(f *ctnetlink.Flow, now func() time.Time) (due bool) {
	if c.n == 0 {
		c.begun, c.at = time.Now(), now()
	}
	c.buf = f.CloneTo(&c.flows[c.n], c.buf)
	c.n++
	return c.n == chunkLen || c.n%32 == 1 && time.Since(c.begun) > chunkAge
}

// takeIn takes in the entries of a chunk, and empties it.
func (p *part) takeIn(d *dumping, c *chunk) {
	if c.n == 0 {
		return
	}
	p.t.mu.Lock()
	before := p.t.tallyOf(p.n)
	for i := range c.flows[:c.n] {
		f := &c.flows[i]
		c.counts = c.counts || f.Has(ctnetlink.AttrCountersOrig)
		d.saw(f, c.at)
	}
	after := p.t.tallyOf(p.n)
	p.t.mu.Unlock()
	c.births += int(after.Births - before.Births)
	c.deaths += int(after.Deaths - before.Deaths)
	c.n, c.buf = 0, c.buf[:0]
}

// read reads the table of the source.
func (p *part) read(ctx context.Context) error {
	t := p.t
	// In this order: a listener that begins meanwhile is seen here, or sees that it is late.
	p.dumped.deaf.Store(true)
	deaf := p.events.listener.Load() == nil
	p.dumped.deaf.Store(deaf)
	lost := p.events.lost.Swap(false)
	began, clock := time.Now(), p.Now()
	p.dumped.mu.Lock()
	first := p.dumped.began.IsZero()
	p.dumped.mu.Unlock()
	entries := uint32(0)
	if first {
		entries, _, _ = p.Conn.Count() // 0 is right, too
	}
	t.mu.Lock()
	if first {
		t.expect(p.n, int(min(entries, math.MaxInt32)))
	}
	if deaf || p.asked.eventsOff() {
		t.copies[p.n].heard = false // what is found has been born
	}
	d := t.beginDump(p.n)
	t.mu.Unlock()
	c := &t.feed.chunk
	c.reset()
	for _, q := range requests(t.options.Filter) {
		if err := p.dump(ctx, q, d, c); err != nil || ctx.Err() != nil {
			t.mu.Lock()
			d.abandon()
			t.mu.Unlock()
			if lost {
				p.events.lost.Store(true)
			}
			return err
		}
	}
	p.takeIn(d, c)
	// An event tells more of an end than its absence from a dump.
	const patience = 300 * time.Millisecond
	settled := p.events.settle(ctx, patience)
	p.sweep(d, c)
	if settled {
		t.mu.Lock()
		d.settled()
		t.mu.Unlock()
	}
	p.readDone(began, clock, c, deaf || lost || p.asked.eventsOff())
	return nil
}

// sweep removes what the dump has not listed.
func (p *part) sweep(d *dumping, c *chunk) {
	for more := true; more; {
		p.t.mu.Lock()
		before := p.t.tallyOf(p.n).Deaths
		more = d.end()
		c.deaths += int(p.t.tallyOf(p.n).Deaths - before)
		p.t.mu.Unlock()
	}
}

// readDone counts what a complete dump has found. unheard: events did not tell of all
// births, so that they happened at any time since the dump before.
func (p *part) readDone(began, clock time.Time, c *chunk, unheard bool) {
	now := time.Now()
	births, deaths := c.births, c.deaths
	d := &p.dumped
	d.mu.Lock()
	since := d.began
	d.ticked = !since.IsZero() && !clock.Equal(d.at)
	d.began, d.at, d.counts = began, clock, c.counts
	if since.IsZero() {
		since, deaths = now, 0 // they may have been dead for long
	}
	d.mu.Unlock()
	h := &p.t.feed.history
	if !unheard {
		// Their events are on their way.
		p.t.mu.RLock()
		entries := p.t.len()
		p.t.mu.RUnlock()
		h.add(now, births, 0, entries)
		births = 0
	}
	h.spread(since, now, births, deaths)
	d.mu.Lock()
	d.note(began, births, deaths)
	d.mu.Unlock()
}

// requests returns the dumps that list what matches a filter.
func requests(m *filter.Filter) (all []*ctnetlink.DumpRequest) {
	if m == nil {
		return []*ctnetlink.DumpRequest{{}}
	}
	for _, part := range m.Split() {
		all = append(all, part.Kernel()...)
	}
	return all
}

// dump takes in the answer to one request.
func (p *part) dump(ctx context.Context, q *ctnetlink.DumpRequest, d *dumping, c *chunk) error {
	for f, err := range p.Conn.Dump(q) {
		if err != nil {
			return err
		}
		if !c.add(f, p.Now) {
			continue
		}
		p.takeIn(d, c)
		if ctx.Err() != nil {
			return nil
		}
	}
	return nil
}
