package live

import (
	"context"
	"sync"
	"time"
)

// asked is what is asked of a source each second.
type asked struct {
	mu             sync.Mutex
	known          bool // entries and maximum are
	entries, limit uint64
	failed         error
	samples        []sample // of the last seconds, the oldest first
	cpus           map[int]drops
	sum            [3]uint64
	acct, stamps   setting
	events         setting
}

// setting is the value of a variable of the kernel.
type setting struct {
	value uint64
	known bool
}

// off reports whether the variable is known to be 0.
func (s setting) off() bool { return s.known && s.value == 0 }

// drops are the counters of a CPU that tell of a problem, as the kernel counts them.
type drops [3]uint32

// dropNames are their names.
var dropNames = [...]string{"drop", "early_drop", "insert_failed"}

// sample is the sum of the counters of all CPUs since the start, at a time.
type sample struct {
	at  time.Time
	sum [3]uint64
}

// settingsEvery is how many seconds lie between two looks at the settings.
const settingsEvery = 5

// watchCounters asks for the counters of all sources each second, until ctx ends.
func (t *Table) watchCounters(ctx context.Context) {
	// Shortly before a second of the history ends, so that it notes the entries then.
	const before = 20 * time.Millisecond
	next := t.feed.history.start.Add(time.Second - before)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for n := 0; ; n++ {
		for _, p := range t.feed.parts {
			if ctx.Err() != nil {
				return
			}
			p.ask(n%settingsEvery == 0)
		}
		now := time.Now()
		for !next.After(now) {
			next = next.Add(time.Second)
		}
		timer.Reset(next.Sub(now))
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		t.mu.RLock()
		entries := t.len()
		t.mu.RUnlock()
		t.feed.history.add(time.Now(), 0, 0, entries)
	}
}

// ask asks for the counters of the source. One without settings is not asked: it is a
// file, which would have to be loaded for that.
func (p *part) ask(settings bool) {
	if p.Sysctl == nil {
		return
	}
	a := &p.asked
	if settings {
		acct, stamps, events := p.setting("nf_conntrack_acct"), p.setting("nf_conntrack_timestamp"),
			p.setting("nf_conntrack_events")
		a.mu.Lock()
		a.acct, a.stamps, a.events = acct, stamps, events
		a.mu.Unlock()
	}
	p.asking.Lock()
	entries, limit, err := p.beside.Count()
	cpus := map[int]drops{}
	if err == nil {
		cpus, err = p.stats()
	}
	p.asking.Unlock()
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.failed = err; err != nil {
		return
	}
	a.known, a.entries, a.limit = true, uint64(entries), uint64(limit)
	a.sampled(time.Now(), cpus)
}

func (p *part) setting(name string) setting {
	value, known := p.Sysctl(name)
	return setting{value, known}
}

// stats asks for the counters of each CPU.
func (p *part) stats() (map[int]drops, error) {
	cpus := map[int]drops{}
	for s, err := range p.beside.Stats() {
		if err != nil {
			return nil, err
		}
		var d drops
		for _, c := range s.Counters {
			for i, name := range dropNames {
				if c.Name == name {
					d[i] = c.Value
				}
			}
		}
		cpus[s.CPU] = d
	}
	return cpus, nil
}

// sampled adds what the CPUs have counted since the last time.
func (a *asked) sampled(now time.Time, cpus map[int]drops) {
	for cpu, d := range cpus {
		if was, ok := a.cpus[cpu]; ok {
			for i := range d {
				a.sum[i] += uint64(d[i] - was[i]) // they wrap around
			}
		}
	}
	a.cpus = cpus
	a.samples = append(a.samples, sample{now, a.sum})
	if len(a.samples) > ratesOver+1 {
		a.samples = a.samples[1:]
	}
}

// rates returns how much is dropped per second, over the last seconds.
func (a *asked) rates() (rates [3]float64, known bool) {
	if len(a.samples) < 2 {
		return rates, false
	}
	first, last := a.samples[0], a.samples[len(a.samples)-1]
	passed := last.at.Sub(first.at).Seconds()
	if passed <= 0 {
		return rates, false
	}
	for i := range rates {
		rates[i] = float64(last.sum[i]-first.sum[i]) / passed
	}
	return rates, true
}

// eventsOff reports whether the kernel makes no events.
func (a *asked) eventsOff() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.events.off()
}
