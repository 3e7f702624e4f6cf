package kernel

import (
	"context"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/wire"
	"github.com/gonntrack/gonntrack/ctnetlink"
)

// dumpPart is how many entries of a dump are delivered at a time.
const dumpPart = 256

// Dump delivers the whole table as updates (-R). silent is handed on to Event. It takes
// the sink's lock in parts; events wait meanwhile, so that what they tell is newer than
// the dump. It may be called before Run and beside it.
func (t *Table) Dump(ctx context.Context, silent bool) error {
	t.order.Lock()
	defer t.order.Unlock()
	if t.ran.Load() { // the one of the start is none
		t.count.resyncs.Add(1)
	}
	var object []byte
	part := func(flows []ctnetlink.Flow) {
		t.sink.Lock()
		defer t.sink.Unlock()
		for i := range flows {
			key, ok := wire.FlowKey(&flows[i])
			if !ok {
				t.count.dumpUnknown.Add(1)
				continue
			}
			before := t.sink.Find(&key)
			o, err := t.told().AppendFlow(object[:0], &flows[i], before)
			if err != nil {
				t.count.dumpUnknown.Add(1)
				continue
			}
			object = o
			t.sink.Event(wire.Update, o, silent && !t.hushed.missed(&key, before, o))
		}
	}
	// Entries are copied, so that the lock is not held while the table is read.
	flows := make([]ctnetlink.Flow, 0, dumpPart)
	var buf []byte
	err := t.accepted(ctx, func(f *ctnetlink.Flow) error {
		flows = flows[:len(flows)+1]
		buf = f.CloneTo(&flows[len(flows)-1], buf)
		if len(flows) == dumpPart {
			part(flows)
			flows, buf = flows[:0], buf[:0]
		}
		return nil
	})
	part(flows)
	if err == nil {
		t.hushed = nil
	}
	t.hearLosses()
	return err
}

// accepted calls visit for each entry of the table that the filter lets through, until
// it returns an error.
func (t *Table) accepted(ctx context.Context, visit func(f *ctnetlink.Flow) error) error {
	filter := t.filter.Load()
	reader := t.conn.Beside()
	defer reader.Close()
	for f, err := range reader.Dump(nil) {
		switch {
		case err != nil:
			return err
		case ctx.Err() != nil:
			return ctx.Err()
		case filter.hosts(f) && filter.state(f):
			if err := visit(f); err != nil {
				return err
			}
		}
	}
	return nil
}

// DumpExpect is Dump for expectations.
func (t *Table) DumpExpect(ctx context.Context, silent bool) error {
	t.order.Lock()
	defer t.order.Unlock()
	var all []*ctnetlink.Expect
	err := t.expectations(ctx, func(e *ctnetlink.Expect) error {
		all = append(all, e.Clone())
		return nil
	})
	if err != nil {
		return err
	}
	t.hearLosses()
	t.sink.Lock()
	defer t.sink.Unlock()
	var object []byte
	for _, e := range all {
		if !t.acceptsExpect(e) {
			continue
		}
		o, err := wire.AppendExpect(object[:0], e, nil)
		if err != nil {
			t.count.dumpUnknown.Add(1)
			continue
		}
		object = o
		t.sink.Event(wire.ExpectUpdate, o, silent)
	}
	return nil
}

// expectations calls visit for each expectation, until it returns an error.
func (t *Table) expectations(ctx context.Context, visit func(e *ctnetlink.Expect) error) error {
	reader := t.conn.Beside()
	defer reader.Close()
	for e, err := range reader.DumpExpect(ctnetlink.FamilyAny) {
		switch {
		case err != nil:
			return err
		case ctx.Err() != nil:
			return ctx.Err()
		}
		if err := visit(e); err != nil {
			return err
		}
	}
	return nil
}

// List calls f, without the lock, for the object of each entry that the filter lets
// through, until f returns an error, which it returns. The object is valid until f
// returns.
func (t *Table) List(ctx context.Context, f func(o wire.Object) error) error {
	settings := t.settings()
	told := toldBy(&settings)
	var object []byte
	return t.accepted(ctx, func(flow *ctnetlink.Flow) error {
		o, err := told.AppendFlow(object[:0], flow, nil)
		if err != nil {
			t.count.dumpUnknown.Add(1)
			return nil
		}
		object = o
		return f(o)
	})
}

// ListExpect is List for expectations.
func (t *Table) ListExpect(ctx context.Context, f func(o wire.Object) error) error {
	settings := t.settings()
	var object []byte
	return t.expectations(ctx, func(e *ctnetlink.Expect) error {
		if helper, _ := e.Helper(); !settings.KeepsExpectations(string(helper)) {
			return nil
		}
		o, err := wire.AppendExpect(object[:0], e, nil)
		if err != nil {
			t.count.dumpUnknown.Add(1)
			return nil
		}
		object = o
		return f(o)
	})
}

// Flush deletes what the filter lets through (-F, -t), and returns how many that were.
// silent: the events that come of it are silent ones.
func (t *Table) Flush(ctx context.Context, silent bool) (int, error) {
	t.count.flushes.Add(1)
	o := t.flusher(silent)
	o.mu.Lock()
	defer o.mu.Unlock()
	b := o.conn.NewBatch()
	defer b.Close()
	deleted := 0
	do := func() error {
		results, err := b.Do()
		for _, r := range results {
			if r.Err == nil {
				deleted++
			}
		}
		return err
	}
	err := t.accepted(ctx, func(f *ctnetlink.Flow) error {
		var s ctnetlink.FlowSpec
		s.Identify(f)
		if b.Delete(&s); b.Full() {
			return do()
		}
		return nil
	})
	if last := do(); err == nil {
		err = last
	}
	return deleted, err
}

// flusher returns the handle for deletions.
func (t *Table) flusher(silent bool) *owner {
	if silent {
		return &t.flushes
	}
	return &t.tells
}

// FlushExpect deletes all expectations.
func (t *Table) FlushExpect(ctx context.Context, silent bool) (int, error) {
	o := t.flusher(silent)
	o.mu.Lock()
	defer o.mu.Unlock()
	deleted := 0
	err := t.expectations(ctx, func(e *ctnetlink.Expect) error {
		var s ctnetlink.ExpectSpec
		s.Identify(e)
		if o.conn.DeleteExpect(&s) == nil {
			deleted++
		}
		return nil
	})
	return deleted, err
}
