package tablefile

import (
	"sync/atomic"
	"time"
)

// clock is the table's. It runs, but for the moments in which a table is read or
// written: a million entries have their timeouts counted from one time.
type clock struct{ still atomic.Pointer[time.Time] }

func (c *clock) now() time.Time {
	if t := c.still.Load(); t != nil {
		return *t
	}
	return time.Now()
}

// stop makes the clock show t until it is started again.
func (c *clock) stop(t time.Time) { c.still.Store(&t) }

func (c *clock) start() { c.still.Store(nil) }

// step returns the latest time not after now that is a whole number of seconds
// from the time base: the one that a new state of the table has.
func step(base, now time.Time) time.Time {
	if now.Before(base) {
		return now
	}
	return base.Add(now.Sub(base).Truncate(time.Second))
}
