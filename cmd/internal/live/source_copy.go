package live

import "time"

// sourceCopy is the copy of one source's table.
type sourceCopy struct {
	t       *Table
	source  int
	now     func() time.Time
	base    time.Time // what times are counted from
	at      time.Time // the last that stamp was called with, and what it returned
	atStamp stamp
	index   index
	pages   []*page    // that have entries of this source, in no order
	room    [4][]*page // those of each kind that are not full
	n       int        // number of entries
	tally   tally
	dump    *dumping // the one that is under way, nil: none
	// complete reports that a dump was complete: what is found later has been born.
	complete bool
	heard    bool // there was an event, and others are to be expected
	// looked is the time of the last look of the last complete dump, see milliseconds.
	looked uint32
	// habits are the attributes that every entry of a dump of this source has, though
	// events leave them out where they are 0 or 1.
	habits flags
}

func newSourceCopy(t *Table, source int) *sourceCopy {
	c := &sourceCopy{t: t, source: source, now: t.sources[source].Now}
	if c.now == nil {
		c.now = time.Now
	}
	c.base = c.now()
	c.index.init()
	return c
}

// tally is what has happened to the entries of a source since the start, whatever
// was kept of it for the screen.
type tally struct {
	// Births and Deaths count entries that match the filter. Those that the first
	// dump finds were not born.
	Births, Deaths uint64
	// Packets and Bytes are what the entries counted since they are known, both
	// directions, up to their end.
	Packets, Bytes uint64
}

// Times are kept in 32 bits, as the time since base. They are compared by their
// difference, so that it does not matter that they overflow.

// stamp is a time of the source's clock.
type stamp struct {
	milliseconds uint32
	expiry       uint32 // in expiryUnit
}

const (
	// expiryUnit is the unit of core.expires.
	expiryUnit    = time.Second / expirySecond
	expirySecond  = 8
	maxExpiry     = 1<<31 - 1
	maxExpirySecs = maxExpiry / expirySecond
)

// stampOf returns a time as it is kept.
func (c *sourceCopy) stampOf(at time.Time) stamp {
	passed := at.Sub(c.base)
	return stamp{uint32(passed / time.Millisecond), uint32(passed / expiryUnit)}
}

// stamp is stampOf for a time that is often the last one again. t.mu is held for
// writing.
func (c *sourceCopy) stamp(at time.Time) stamp {
	if at != c.at {
		c.at, c.atStamp = at, c.stampOf(at)
	}
	return c.atStamp
}
