package live

import (
	"errors"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// Status is what is known of the tables as a whole.
type Status struct {
	// Entries is how many entries are kept, Marked how many of them are marked.
	Entries, Marked int
	// Total and Maximum are the entries of the tables, whatever the filter, and
	// the most there can be; Maximum is 0 if that is unknown.
	Total, Maximum uint64

	// Reading reports that the first dump is not complete: Entries of about Total
	// have been read. Total is not more than Entries if it is not known.
	Reading bool
	// Complete is when the last dump was complete, Took how long it took.
	Complete time.Time
	Took     time.Duration
	// Asked is the interval that was asked for, Interval the one between dumps now,
	// which is longer if a dump would take more than Share of a core.
	Asked, Interval time.Duration
	Share           float64

	// Births and Deaths are per second, over the last seconds. With EventsOff only
	// dumps tell of them.
	Births, Deaths float64
	// EventsOff says why there are no events, "" if there are. Of several sources it
	// is that of the first without. It is printable.
	EventsOff string
	// Loss are the events that were lost since the start.
	Loss ctnetlink.Loss
	// Lag is how long events wait before they are taken in; some milliseconds are
	// nothing to worry about.
	Lag time.Duration

	// Packets and Bytes are per second, of all entries that are kept; RatesKnown
	// reports that there were two dumps and that the kernel counts. ClockStopped reports
	// that it never will be: the tables are dumps of the past.
	Packets, Bytes float64
	RatesKnown     bool
	ClockStopped   bool
	// AccountingOff reports that the kernel does not count (nf_conntrack_acct), and no
	// entry has counters; AccountingPartly that it does not, but some have, of another
	// namespace or from before. TimestampsOff reports that the kernel does not note when
	// entries began (nf_conntrack_timestamp).
	AccountingOff, AccountingPartly, TimestampsOff bool

	// Drops, EarlyDrops and InsertFailed are per second (conntrack -S), over the last
	// seconds.
	Drops, EarlyDrops, InsertFailed float64
	StatsKnown                      bool

	// Failed is the last error of a dump or of the counters, nil if it was right. Of
	// one of several sources it is a *SourceError.
	Failed error
}

// Status returns the state of the tables.
func (t *Table) Status() Status {
	f := &t.feed
	now := time.Now()
	s := Status{Share: f.pace.share}
	s.Asked, s.Interval = f.pace.intervals()
	s.Births, s.Deaths = f.history.rates(now)
	f.dumps.mu.Lock()
	s.Reading, s.Complete, s.Took = f.dumps.whole == 0, f.dumps.complete, f.dumps.took
	s.Packets, s.Bytes, s.RatesKnown = f.dumps.packets, f.dumps.bytes, f.dumps.whole > 1
	f.dumps.mu.Unlock()
	// After that, so that a dump that is complete has all its entries here.
	kept := make([]int, len(f.parts))
	t.mu.RLock()
	s.Entries, s.Marked = t.len(), t.marked
	for i := range f.parts {
		kept[i] = t.copies[i].n
	}
	t.mu.RUnlock()
	// off: there is a source that does not count, counted: there are counters.
	limited, counts, off, counted := true, false, false, false
	s.ClockStopped = s.RatesKnown
	for i, p := range f.parts {
		p.addDumped(&s, &counts, &counted)
		p.addEvents(&s, now)
		p.addAsked(&s, kept[i], &limited, &counts, &off)
	}
	s.RatesKnown = s.RatesKnown && counts
	counted = counted || counts
	s.AccountingOff, s.AccountingPartly = off && !counted, off && counted
	if !limited {
		s.Maximum = 0
	}
	return s
}

// addDumped adds what the dumps of the source tell.
func (p *part) addDumped(s *Status, counts, counted *bool) {
	d := &p.dumped
	d.mu.Lock()
	defer d.mu.Unlock()
	p.tell(s, d.failed)
	births, deaths := d.rates()
	s.Births += births
	s.Deaths += deaths
	if d.ticked && d.counts {
		*counts = true
	}
	*counted = *counted || d.counts
	s.ClockStopped = s.ClockStopped && !d.ticked
}

// tell adds an error, unless there is one.
func (p *part) tell(s *Status, err error) {
	if err != nil && s.Failed == nil {
		s.Failed = p.fail(&problem{err})
	}
}

// addEvents adds what is known of the events of the source.
func (p *part) addEvents(s *Status, now time.Time) {
	e := &p.events
	loss := e.loss()
	s.Loss.Overruns += loss.Overruns
	s.Loss.Lost += loss.Lost
	s.Loss.Dropped += loss.Dropped
	s.Lag = max(s.Lag, e.behind(now))
	off := e.whyOff()
	if off == "" && p.asked.eventsOff() {
		off = "net.netfilter.nf_conntrack_events is 0"
	}
	if off != "" && s.EventsOff == "" {
		s.EventsOff = off
		if p.Name != "" {
			s.EventsOff = (&SourceError{Name: p.Name, Err: errors.New(off)}).Error()
		}
	}
}

// addAsked adds the counters of the source, which keeps so many entries.
func (p *part) addAsked(s *Status, kept int, limited, counts, off *bool) {
	a := &p.asked
	a.mu.Lock()
	defer a.mu.Unlock()
	p.tell(s, a.failed)
	*off = *off || a.acct.off()
	s.TimestampsOff = s.TimestampsOff || a.stamps.off()
	if a.acct.known && a.acct.value != 0 {
		*counts = true
	}
	if a.known {
		s.Total += a.entries
	} else {
		s.Total += uint64(kept)
	}
	if a.limit == 0 {
		*limited = false
	}
	s.Maximum += a.limit
	if rates, known := a.rates(); known {
		s.StatsKnown = true
		s.Drops += rates[0]
		s.EarlyDrops += rates[1]
		s.InsertFailed += rates[2]
	}
}
