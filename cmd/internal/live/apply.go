package live

import (
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// ending is why an entry is no longer kept.
type ending uint8

const (
	destroyed ending = iota // an event said that it ended
	missing                 // a dump did not list it
	replaced                // another entry has its tuple
	left                    // it no longer matches Options.Filter
)

// apply takes in an event about an entry of a source; at is the time by the source's
// clock. t.mu is held for writing.
func (t *Table) apply(source int, f *ctnetlink.Flow, at time.Time) {
	var e shown
	if !e.read(f) {
		return
	}
	c := t.copies[source]
	c.heard = true
	hash := t.hash(&e.key)
	p, i, found := c.find(&e.key, hash)
	event := f.EventType()
	if found && !p.is(i, &e, f) {
		// A dump may have listed a successor before this event was received.
		if event == ctnetlink.EventDestroy || p.cores[i].isYounger(f) {
			return
		}
		c.tally.Deaths++
		c.remove(p, i, nil, replaced)
		found = false
	}
	switch event {
	case ctnetlink.EventDestroy:
		if c.dump != nil {
			c.dump.died(hash, f)
		}
		switch {
		case found:
			c.tally.Deaths++
			c.count(&p.cores[i], f)
			c.remove(p, i, f, destroyed)
		case !c.complete && t.keeps(f):
			c.tally.Deaths++ // it was not read yet
		}
	case ctnetlink.EventNew:
		if found && !p.fresh.has(i) && !p.cores[i].beganWith(f) {
			// Of the end of the other one no event told: it began before anybody listened
			// (nf_conntrack_events=2).
			c.tally.Deaths++
			c.remove(p, i, nil, replaced)
			found = false
		}
		switch {
		case !found:
			c.born(&e, hash, f, at)
		case !c.countsListed():
			c.tally.Births++
			fallthrough
		default:
			c.update(p, i, &e, f, at)
		}
	case ctnetlink.EventUpdate:
		switch {
		case found:
			c.update(p, i, &e, f, at)
		case c.dump != nil && !c.dump.isOutdated(&e.key, f) || c.dump == nil && t.options.Filter != nil:
			// It matches since now, or the dump may show it as it was before. Otherwise it
			// is one that a dump has found to be gone.
			c.appear(&e, hash, f, at)
		}
	}
}

// appear adds an entry that is not known though an event tells of a change of it.
func (c *sourceCopy) appear(e *shown, hash uint64, f *ctnetlink.Flow, at time.Time) {
	p, i, ok := c.add(e, hash, f)
	if !ok {
		return
	}
	if c.countsListed() {
		c.tally.Births++
	}
	p.told.set(i)
	c.fill(&p.cores[i], e, f, at, false)
	p.cores[i].has |= c.habits
}

// isYounger reports whether an entry is known to have begun after what f tells of
// happened.
func (r *core) isYounger(f *ctnetlink.Flow) bool {
	when, ok := f.EventTime()
	return ok && r.has&hasStart != 0 && when.Unix() < int64(r.start)
}

// beganWith reports whether an entry is known to have begun when f was sent, an event
// of a birth: in the same second, or in the one before.
func (r *core) beganWith(f *ctnetlink.Flow) bool {
	when, ok := f.EventTime()
	return ok && r.has&hasStart != 0 && (when.Unix() == int64(r.start) || when.Unix() == int64(r.start)+1)
}

// born adds an entry whose birth an event tells of.
func (c *sourceCopy) born(e *shown, hash uint64, f *ctnetlink.Flow, at time.Time) {
	p, i, ok := c.add(e, hash, f)
	if !ok {
		return
	}
	c.tally.Births++
	p.told.set(i)
	r := &p.cores[i]
	c.fill(r, e, f, at, false)
	r.look, r.has = c.stamp(at).milliseconds, r.has|fromZero|c.habits
	if began, ok := f.EventTime(); ok && r.has&hasStart == 0 {
		r.start, r.has = uint32(began.Unix()), r.has|hasStart
	}
}

// keeps reports whether the entry of a message is to be kept.
func (t *Table) keeps(f *ctnetlink.Flow) bool {
	return t.options.Filter == nil || t.options.Filter.Match(f)
}

// countsListed reports whether an entry that a dump lists, and that was not known,
// has been born.
func (c *sourceCopy) countsListed() bool {
	return c.complete && (c.t.options.Filter == nil || !c.heard)
}

// update takes in an event about an entry that is kept.
func (c *sourceCopy) update(p *page, i int, d *shown, f *ctnetlink.Flow, at time.Time) {
	p.told.set(i)
	c.fill(&p.cores[i], d, f, at, false)
	if c.t.options.Filter == nil {
		return
	}
	e := entry{p: p, i: i}
	e.setClock(at)
	m := &c.t.match
	m.message = e.appendMessage(m.message[:0])
	if m.flow.Decode(m.message) == nil && !c.t.options.Filter.Match(&m.flow) {
		c.remove(p, i, nil, left)
	}
}

// matcher has what it takes to match an entry that is kept.
type matcher struct {
	message []byte
	flow    ctnetlink.Flow
}

// add adds a record for the entry that f shows, ok is false if it does not match or
// there is no room for more.
func (c *sourceCopy) add(d *shown, hash uint64, f *ctnetlink.Flow) (p *page, i int, ok bool) {
	if !c.t.keeps(f) {
		return nil, 0, false
	}
	if p, i, ok = c.alloc(d.kind); !ok {
		return nil, 0, false
	}
	if d.ipv6 {
		p.orig6[i] = d.six()
		if d.kind&kindReply != 0 {
			p.reply6[i] = d.reply.six()
		}
	} else {
		p.orig4[i] = d.narrow()
		if d.kind&kindReply != 0 {
			p.reply4[i] = d.reply.narrow()
		}
	}
	c.t.serial++
	p.cores[i] = core{
		rates: [4]float32{-1}, serial: c.t.serial, zone: d.zone, has: d.flags | d.none, proto: d.proto, state: noState,
	}
	p.seen.set(i)
	c.index.insert(hash, slotOf(p, i), c.hashOf)
	c.n++
	return p, i, true
}

// remove forgets a record. f is the message that told of the end, nil if none did.
func (c *sourceCopy) remove(p *page, i int, f *ctnetlink.Flow, why ending) {
	e := entry{p: p, i: i}
	c.t.ended(&e, f, why)
	r := &p.cores[i]
	if r.has&flagMarked != 0 {
		c.t.marked--
	}
	k := p.key(i)
	c.index.remove(c.t.hash(&k), slotOf(p, i))
	c.t.extras.release(r.extra)
	c.n--
	p.release(i)
}

// fill sets what f has of the fields of a record that change in its life, without
// the counters. If whole is true f is what a dump shows, and what it has not, the entry
// has not.
func (c *sourceCopy) fill(r *core, d *shown, f *ctnetlink.Flow, at time.Time, whole bool) {
	const changing = hasStatus | hasTimeout | hasMark | hasUse | hasID | hasStart
	if whole {
		r.has &^= changing
		r.state = noState
	}
	odd := d.odd
	if status, ok := f.Status(); ok {
		r.status, r.has = uint16(status), r.has|hasStatus
		if status>>16 != 0 {
			odd = odd.With(ctnetlink.AttrStatus)
		}
	}
	if left, ok := f.Timeout(); ok {
		left := min(uint32(left/time.Second), maxExpirySecs)
		r.expires, r.has = c.stamp(at).expiry+left*expirySecond, r.has|hasTimeout
	}
	if mark, ok := f.Mark(); ok {
		r.mark, r.has = mark, r.has|hasMark
	}
	if use, ok := f.Use(); ok {
		if r.has |= hasUse; use != 1 {
			odd = odd.With(ctnetlink.AttrUse)
		}
	}
	if id, ok := f.ID(); ok {
		r.id, r.has = id, r.has|hasID
	}
	if start, ok := f.Start(); ok {
		r.start, r.has = uint32(start.Unix()), r.has|hasStart
	}
	if f.Has(ctnetlink.AttrProtoInfo) {
		r.state = noState
		state, ok := f.State()
		if ok && state.Proto() == d.proto && (d.proto == ctnetlink.ProtoTCP || d.proto == ctnetlink.ProtoSCTP) &&
			state.Number() != noState {
			r.state = state.Number()
		} else {
			odd = odd.With(ctnetlink.AttrProtoInfo)
		}
	}
	for _, a := range [...]ctnetlink.Attr{
		ctnetlink.AttrHelp, ctnetlink.AttrLabels, ctnetlink.AttrSecMark, ctnetlink.AttrSecCtx,
	} {
		if f.Has(a) {
			odd = odd.With(a)
		}
	}
	r.extra = c.t.extras.change(r.extra, f, odd, whole)
}

// count adds what an entry has counted since the last look to the tally. It returns
// the differences; known is false if there is nothing to compare with.
func (c *sourceCopy) count(r *core, f *ctnetlink.Flow) (now, more [4]uint64, counted, known bool) {
	var ok, ok2 bool
	now[0], now[1], ok = f.CountersOrig()
	now[2], now[3], ok2 = f.CountersReply()
	if !ok && !ok2 {
		return now, more, false, false
	}
	switch {
	case r.has&hasCounters != 0:
		for k := range now {
			was := r.counters[k].value()
			if now[k] < was { // they were set to zero
				return now, more, true, false
			}
			more[k] = now[k] - was
		}
	case r.has&fromZero != 0:
		more = now
	default:
		return now, more, true, false
	}
	c.tally.Packets += more[0] + more[2]
	c.tally.Bytes += more[1] + more[3]
	return now, more, true, true
}

// leastInterval is the least time between two looks that rates are computed from, in
// milliseconds.
const leastInterval = 20

// lookAt takes in the counters that a dump shows. What an entry has counted that was
// born since the last dump is a rate by the time since then, not by its age: the rates of
// a group are the sum of those of its entries.
func (c *sourceCopy) lookAt(r *core, f *ctnetlink.Flow, at time.Time) {
	now, more, counted, known := c.count(r, f)
	when := c.stamp(at).milliseconds
	passed := when - r.look
	if r.has&fromZero != 0 && c.complete {
		passed = max(passed, when-c.looked)
	}
	switch {
	case !counted:
		r.has &^= hasCounters
		r.rates = [4]float32{-1}
		return
	case !known:
		r.rates = [4]float32{-1}
	case passed >= leastInterval:
		for k := range more {
			r.rates[k] = float32(float64(more[k]) * 1000 / float64(passed))
		}
	}
	for k := range now {
		r.counters[k] = counterOf(now[k])
	}
	r.look, r.has = when, r.has&^fromZero|hasCounters
}
