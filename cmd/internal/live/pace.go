package live

import (
	"context"
	"sync"
	"time"
)

// pace decides when dumps begin. A dump begins an interval after the one before
// began: what was asked for, or as long as it takes until the dump before has cost
// no more than a share of a core.
type pace struct {
	mu      sync.Mutex
	asked   time.Duration
	share   float64
	began   time.Time     // the last dump; zero: there was none
	cost    time.Duration // the processor's time for it
	ended   int           // how many dumps have ended, two at most: the cost is known of the second
	hurried bool          // the next shall not wait for the interval that was asked for
	changed chan struct{} // the time of the next dump may be another now
}

// minInterval is the least time from one dump to the next.
const minInterval = 100 * time.Millisecond

// init takes the options of a table.
func (p *pace) init(interval time.Duration, share float64) {
	p.asked, p.share = interval, share
	if p.asked <= 0 {
		p.asked = time.Second
	}
	if !(p.share > 0) {
		p.share = 0.1
	}
	p.changed = make(chan struct{}, 1)
}

// wake makes wait look at the time again.
func (p *pace) wake() {
	select {
	case p.changed <- struct{}{}:
	default:
	}
}

// ask changes the interval that is asked for.
func (p *pace) ask(d time.Duration) {
	p.mu.Lock()
	p.asked = max(d, minInterval)
	p.mu.Unlock()
	p.wake()
}

// hurry makes the next dump begin as soon as its cost allows.
func (p *pace) hurry() {
	p.mu.Lock()
	p.hurried = true
	p.mu.Unlock()
	p.wake()
}

// begin notes that a dump begins.
func (p *pace) begin(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.began, p.hurried = now, false
}

// startCost is what the start of the program may cost while the first dump is made.
const startCost = 200 * time.Millisecond

// end notes what the dump has cost. A cost that was measured too low by chance would
// make dumps too frequent, so it falls by half of the difference at a time. The first
// one is that of the start of the program too, and does not count after the second.
func (p *pace) end(cost time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.ended == 0:
		cost = max(cost-startCost, 0)
	case p.ended > 1 && cost < p.cost:
		cost = (cost + p.cost) / 2
	}
	p.cost, p.ended = cost, min(p.ended+1, 2)
}

// affordable returns the least interval that the cost allows.
func (p *pace) affordable() time.Duration {
	return max(time.Duration(float64(p.cost)/p.share), minInterval)
}

// intervals returns the interval that was asked for and the one between dumps now.
func (p *pace) intervals() (asked, now time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.asked, max(p.asked, p.affordable())
}

// next returns when the next dump begins.
func (p *pace) next() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	wait := p.affordable()
	if !p.hurried {
		wait = max(wait, p.asked)
	}
	return p.began.Add(wait)
}

// wait waits for the time of the next dump. It returns false if ctx ends before.
func (p *pace) wait(ctx context.Context) bool {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		left := time.Until(p.next())
		if left <= 0 {
			return ctx.Err() == nil
		}
		timer.Reset(left)
		select {
		case <-ctx.Done():
			return false
		case <-p.changed:
		case <-timer.C:
		}
	}
}

// meter measures what dumps cost: the processor's time of the process while one is
// made, less what the process uses without. That is events and questions.
type meter struct {
	at       time.Time     // of the last look
	used     time.Duration // the processor's time by then
	ordinary float64       // of a core, without a dump
}

// leastQuiet is the least time between two dumps that tells what the process uses
// without.
const leastQuiet = 50 * time.Millisecond

// begin begins to measure.
func (m *meter) begin() {
	now, used := time.Now(), processTime()
	if quiet := now.Sub(m.at); !m.at.IsZero() && quiet >= leastQuiet {
		m.ordinary = float64(used-m.used) / float64(quiet)
	}
	m.at, m.used = now, used
}

// end returns what was used since begin. At least half of the whole is put down to
// the dump: while it is made, less of the processor is left for the rest.
func (m *meter) end() time.Duration {
	now, used := time.Now(), processTime()
	whole := used - m.used
	cost := whole - time.Duration(m.ordinary*float64(now.Sub(m.at)))
	m.at, m.used = now, used
	return max(cost, whole/2)
}
