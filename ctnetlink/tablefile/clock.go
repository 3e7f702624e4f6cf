package tablefile

import (
	"sync/atomic"
	"time"
)

// clock is the table's clock. It is held while a table is read or written, so
// that the timeouts of all its entries count from the same time.
type clock struct {
	held    atomic.Pointer[time.Time]
	stopped atomic.Pointer[time.Time] // nil: it runs
	known   atomic.Bool               // whether it was set by a state of the file
}

func (c *clock) now() time.Time {
	for _, t := range []*time.Time{c.held.Load(), c.stopped.Load()} {
		if t != nil {
			return *t
		}
	}
	return time.Now()
}

// hold makes now return t until release is called.
func (c *clock) hold(t time.Time) { c.held.Store(&t) }

func (c *clock) release() { c.held.Store(nil) }

// stop makes now return t whenever the clock is not held; run ends that.
func (c *clock) stop(t time.Time) { c.stopped.Store(&t) }

func (c *clock) run() { c.stopped.Store(nil) }

// setClock makes the clock that of a state of the file, and reports whether it
// is stopped.
func (f *File) setClock(s *state) bool {
	f.clock.known.Store(true)
	if s.stopped && !f.o.Now {
		f.clock.stop(s.time)
		return true
	}
	f.clock.run()
	return false
}

// Now returns the time that the table's clock shows, in the state of the file
// that was read last: the current time, unless the clock is stopped.
func (f *File) Now() time.Time {
	if !f.clock.known.Load() {
		f.mu.Lock()
		defer f.mu.Unlock()
		if file, st, err := f.open(); err == nil && file != nil {
			file.Close()
			f.setClock(&st)
		}
	}
	return f.clock.now()
}

// step returns the time for a new state of the table: the latest time not after
// now that is a whole number of seconds after base.
func step(base, now time.Time) time.Time {
	if now.Before(base) {
		return now
	}
	return base.Add(now.Sub(base).Truncate(time.Second))
}
