package live

import (
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// Ending is how an entry ended.
type Ending struct {
	Ended bool
	// Time is when that was found, by the source's clock.
	Time time.Time
	// Flow is the entry as its DESTROY event showed it, nil if there was none.
	Flow *ctnetlink.Flow
	// PortID is that of the process that deleted it, 0: none did, or that is not
	// known. Program is the name of that process, "" if that is not known.
	PortID  uint32
	Program string
	// Replaced: another entry has taken its place. Left: it has not ended, but no
	// longer matches Options.Filter. With neither and without a Flow a dump found that
	// it was gone.
	Replaced, Left bool
}

// watched is an entry whose end is waited for.
type watched struct {
	reader rowReader
	row    *Row
	ending Ending
	named  chan string // gets ending.Program when it is known; nil: it is not asked for
}

// Watch returns a function that tells the current row of an entry, and how it ended;
// the row is the last that was known then. It is valid until the next call, and one
// goroutine calls it. stop ends the watch.
func (t *Table) Watch(r Ref) (look func() (*Row, Ending), stop func()) {
	w := &watched{}
	t.mu.Lock()
	defer t.mu.Unlock()
	e, ok := t.find(r)
	if !ok {
		w.ending.Ended, w.ending.Time = true, t.copies[r.source].now()
	} else {
		w.row = w.reader.read(&e)
		if t.watches == nil {
			t.watches = map[Ref][]*watched{}
		}
		t.watches[r] = append(t.watches[r], w)
	}
	look = func() (*Row, Ending) {
		t.mu.Lock()
		if e, ok := t.find(r); ok && !w.ending.Ended {
			w.row = w.reader.read(&e)
		}
		row, ending := w.row, w.ending
		t.mu.Unlock()
		if ending.Ended && w.named != nil {
			ending.Program = <-w.named
			w.named <- ending.Program // for the next call
		}
		return row, ending
	}
	stop = func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.unwatch(r, w)
	}
	return look, stop
}

// unwatch ends a watch. The table is locked.
func (t *Table) unwatch(r Ref, w *watched) {
	list := t.watches[r]
	for i := range list {
		if list[i] == w {
			list = append(list[:i:i], list[i+1:]...)
			break
		}
	}
	if len(list) == 0 {
		delete(t.watches, r)
		return
	}
	t.watches[r] = list
}

// watchedEnd notes how an entry ended that is watched. The table is locked.
func (t *Table) watchedEnd(e *entry, f *ctnetlink.Flow, why ending) {
	r := e.ref()
	list := t.watches[r]
	if list == nil {
		return
	}
	delete(t.watches, r)
	e.setClock(e.p.source.now())
	for _, w := range list {
		var last rowReader // the memory of the other one may be in use
		w.row = last.read(e)
		w.ending = Ending{Ended: true, Time: e.p.source.now(), Replaced: why == replaced, Left: why == left}
		if f == nil {
			continue
		}
		w.ending.Flow, w.ending.PortID = f.Clone(), f.PortID()
		if name := t.sources[e.source()].Program; name != nil && w.ending.PortID != 0 {
			// At once: the process may be about to end. It takes milliseconds, for which
			// the lock is not held.
			w.named = make(chan string, 1)
			portID := w.ending.PortID
			go func() { w.named <- name(portID) }()
		}
	}
}
