package tablefile

import (
	"sync/atomic"
	"time"
)

// clock is the table's clock. It stands still while a table is read or written,
// so that the timeouts of all its entries count from the same time.
type clock struct{ still atomic.Pointer[time.Time] }

func (c *clock) now() time.Time {
	if t := c.still.Load(); t != nil {
		return *t
	}
	return time.Now()
}

// stop makes now return t until start is called.
func (c *clock) stop(t time.Time) { c.still.Store(&t) }

func (c *clock) start() { c.still.Store(nil) }

// step returns the time for a new state of the table: the latest time not after
// now that is a whole number of seconds after base.
func step(base, now time.Time) time.Time {
	if now.Before(base) {
		return now
	}
	return base.Add(now.Sub(base).Truncate(time.Second))
}
