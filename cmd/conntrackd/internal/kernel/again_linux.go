package kernel

import (
	"context"
	"sync"
	"time"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/wire"
	"github.com/gonntrack/gonntrack/ctnetlink"
)

// again asks the table for entries of which events do not tell all: the adjustment of
// sequence numbers. A helper that changes the length of what is said (FTP's, where
// addresses are translated) causes no event of the entry. It is asked for after an event
// that has the adjustment among its status, and after those of what the helper expects
// and of what has come of that.
type again struct {
	t     *Table
	batch *ctnetlink.Batch
	woken chan struct{}

	mu  sync.Mutex
	due map[wire.Key]ctnetlink.FlowSpec
}

const (
	// againDelay is the time between an event and the question: the packet that caused
	// the event has been changed by then.
	againDelay = 20 * time.Millisecond
	maxAgain   = 1 << 16
)

func newAgain(t *Table) *again {
	return &again{t: t, batch: t.conn.NewBatch(), woken: make(chan struct{}, 1), due: map[wire.Key]ctnetlink.FlowSpec{}}
}

func (a *again) close() { _ = a.batch.Close() }

// noteFlow has the entry of an event, or its master, asked for if need be.
func (a *again) noteFlow(f *ctnetlink.Flow, typ ctnetlink.EventType) {
	if status, ok := f.Status(); ok && status&ctnetlink.StatusSeqAdjust != 0 && !f.Has(ctnetlink.AttrSeqAdjOrig) {
		if key, ok := wire.FlowKey(f); ok {
			var s ctnetlink.FlowSpec
			s.Identify(f)
			a.add(key, &s)
		}
	}
	if typ != ctnetlink.EventNew {
		return
	}
	if master, ok := f.Master(); ok {
		zone, _ := f.Zone()
		a.noteMaster(&master, zone)
	}
}

// noteMaster has the entry with an original tuple asked for.
func (a *again) noteMaster(orig *ctnetlink.Tuple, zone uint16) {
	if !orig.Src.IsValid() || !orig.Dst.IsValid() {
		return
	}
	s := ctnetlink.FlowSpec{Orig: *orig, Exact: true}
	if zone != 0 {
		s.SetZone(zone)
	}
	a.add(wire.TupleKey(orig, zone, zone), &s)
}

func (a *again) add(key wire.Key, s *ctnetlink.FlowSpec) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.due) >= maxAgain {
		return // a later event may tell of it
	}
	a.due[key] = *s
	select {
	case a.woken <- struct{}{}:
	default:
	}
}

// run asks until the context ends.
func (a *again) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-a.woken:
		}
		if !wait(ctx, againDelay) {
			return
		}
		a.ask()
	}
}

// ask asks for what is due, and delivers it.
func (a *again) ask() {
	a.mu.Lock()
	due := a.due
	a.due = map[wire.Key]ctnetlink.FlowSpec{}
	a.mu.Unlock()
	for _, s := range due {
		if a.batch.Get(&s); a.batch.Full() {
			a.deliver()
		}
	}
	a.deliver()
}

// deliver delivers the entries that are adjusted. Events wait: an end that was delivered
// before the answer would be undone by it.
func (a *again) deliver() {
	t := a.t
	t.order.Lock()
	defer t.order.Unlock()
	results, err := a.batch.Do()
	if err != nil {
		t.count.failed.Add(1)
	}
	t.sink.Lock()
	defer t.sink.Unlock()
	filter := t.filter.Load()
	var object []byte
	for _, r := range results {
		f := r.Flow
		if f == nil || !f.Has(ctnetlink.AttrSeqAdjOrig) && !f.Has(ctnetlink.AttrSeqAdjReply) || !filter.hosts(f) || !filter.state(f) {
			continue
		}
		key, ok := wire.FlowKey(f)
		if !ok {
			continue
		}
		before := t.sink.Find(&key)
		if before == nil && !t.config.DisableInternalCache {
			continue
		}
		o, err := t.told().AppendFlow(object[:0], f, before)
		if err != nil {
			t.count.failed.Add(1)
			continue
		}
		object = o
		t.sink.Event(wire.Update, o, false)
	}
}
