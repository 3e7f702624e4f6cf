package kernel

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/config"
	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/wire"
	"github.com/gonntrack/gonntrack/ctnetlink"
)

// listen subscribes to events, unless the table is polled.
func (t *Table) listen() error {
	c := t.config
	if c.Poll > 0 {
		return nil
	}
	q := ctnetlink.ListenRequest{
		Groups:   []ctnetlink.Group{ctnetlink.GroupNew, ctnetlink.GroupUpdate, ctnetlink.GroupDestroy},
		Reliable: c.EventsReliable,
		// The kernel doubles what it is asked for.
		ReadBuffer: bufferSize(c) / 2,
		OnLoss:     t.lost,
		Delay:      eventDelay(bufferSize(c)),
	}
	switch {
	case c.Mode == config.Stats:
	case c.Expect:
		q.Groups = append(q.Groups, ctnetlink.GroupExpectNew, ctnetlink.GroupExpectUpdate, ctnetlink.GroupExpectDestroy)
	default:
		// They tell which entries have their sequence numbers adjusted.
		q.Groups = append(q.Groups, ctnetlink.GroupExpectNew)
	}
	if c.KernelFilter {
		q.Program = filterProgram(&c.Filter)
	}
	l, err := t.conn.Listen(q)
	t.listener = l
	return err
}

// eventDelay returns how long events may wait so that many are received at once, for a
// buffer of so many bytes: a wake-up costs as much as some events. A quarter of the buffer
// takes what comes meanwhile, 200 000 events a second. One event counts as 1280 bytes.
func eventDelay(buffer int) time.Duration {
	const longest, bytes = 4 * time.Millisecond, 4 * 200_000 * 1280 // a second
	if buffer <= 0 {
		return longest
	}
	return min(time.Duration(buffer)*time.Second/bytes, longest)
}

// bufferSize returns the size of the socket's buffer in bytes, 0 for the default, which is
// large. A size is a limit, not memory that is taken: where it may grow to a maximum it
// is the maximum from the start, since to grow takes a loss.
func bufferSize(c *config.Config) int { return max(c.NetlinkBuffer, c.NetlinkBufferMax) }

// lost notes that events were lost. It is called by the goroutine that receives.
func (t *Table) lost() { t.count.overruns.Add(1) }

// Run delivers events until the context ends, or Close. It returns nil then.
func (t *Table) Run(ctx context.Context) error {
	if t.closing.Err() != nil {
		return nil
	}
	t.ran.Store(true)
	t.running.Add(1)
	defer t.running.Done()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(t.closing, cancel)()
	t.running.Go(func() { t.again.run(ctx) })
	if t.routes != nil {
		t.hearing.Do(func() { t.running.Go(t.routes.run) })
	}
	if t.listener == nil {
		for wait(ctx, t.config.Poll) {
			t.sink.Overrun()
		}
		return nil
	}
	defer context.AfterFunc(ctx, t.listener.Stop)()
	due := make(chan struct{}, 1)
	t.running.Go(func() { t.refresh(ctx, due) })
	var resync ctnetlink.Resync
	for {
		batch, err := t.listener.Next()
		if errors.Is(err, io.EOF) || err != nil && ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		if batch.Gap {
			t.log(config.Warning, "netlink event socket buffer size cannot be doubled further since it will exceed "+
				"NetlinkBufferSizeMaxGrowth. We are likely to be losing events, this may lead to unsynchronized replicas.")
		}
		t.deliver(batch)
		if resync.Observe(batch, t.listener.ReadBuffer()); resync.Due(t.listener.Idle) {
			select {
			case due <- struct{}{}:
			default:
			}
		}
	}
}

// minResync is the least time between two refreshes after losses.
const minResync = time.Second

// refresh has the cache refreshed after losses. While losses go on it does so at
// intervals, ten times as long as a refresh takes: a dump makes them worse.
func (t *Table) refresh(ctx context.Context, due <-chan struct{}) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-due:
		}
		if settings := t.settings(); settings.OverrunResync <= 0 {
			continue
		}
		began := time.Now()
		t.sink.Overrun()
		for end := time.Now().Add(10 * time.Since(began)); ; {
			losses := t.count.overruns.Load()
			if !wait(ctx, minResync) {
				return
			}
			if !time.Now().Before(end) || t.count.overruns.Load() == losses {
				break
			}
		}
	}
}

// hearLosses hands on which addresses are gone, before what the kernel has ended with them
// is judged: what events tell, or what a dump has not.
func (t *Table) hearLosses() {
	if t.routes != nil {
		t.routes.poll()
	}
}

// deliver hands a batch to the sink, with its lock held for a part of the events at a
// time.
func (t *Table) deliver(b ctnetlink.EventBatch) {
	t.order.Lock()
	defer t.order.Unlock()
	t.hearLosses()
	d := delivery{t: t, f: t.filter.Load()}
	var events ctnetlink.Events
	events.Reset(b)
	for more := true; more; {
		more = func() bool {
			t.sink.Lock()
			defer t.sink.Unlock()
			for range max(t.config.EventIterationLimit, 1) {
				if !events.Next() {
					return false
				}
				d.event(&events)
			}
			return true
		}()
	}
}

// delivery is the delivery of a run of events.
type delivery struct {
	t   *Table
	f   *filter
	buf []byte
}

// event hands on one event. The sink's lock is held.
func (d *delivery) event(events *ctnetlink.Events) {
	d.t.count.received.Add(1)
	if events.Expectation {
		d.expect(events.Expect())
		return
	}
	d.flow(events.Flow())
}

// flow hands on an event about an entry.
func (d *delivery) flow(f *ctnetlink.Flow) {
	t := d.t
	typ := f.EventType()
	key, ok := wire.FlowKey(f)
	if !ok {
		t.count.failed.Add(1)
		return
	}
	id := f.PortID()
	if id != 0 && t.injections.caused(id) {
		return
	}
	before := t.sink.Find(&key)
	send := wire.New
	switch {
	case typ == ctnetlink.EventDestroy:
		send = wire.Delete
		t.counted(f)
		if before == nil && !d.f.hosts(f) {
			t.count.filtered.Add(1)
			return
		}
	case !d.f.hosts(f):
		t.count.filtered.Add(1)
		return
	case !d.f.state(f):
		// It has left the states that are kept alike.
		if before == nil && (typ == ctnetlink.EventNew || !t.config.DisableInternalCache) {
			t.count.filtered.Add(1)
			return
		}
		send = wire.Delete
	case typ == ctnetlink.EventNew:
		before = nil // of an entry whose end was not told
	default:
		send = wire.Update
	}
	o, err := t.told().AppendFlow(d.buf[:0], f, before)
	if err != nil {
		t.count.failed.Add(1)
		return
	}
	d.buf = o
	if typ == ctnetlink.EventDestroy && before != nil {
		t.sink.Ended(f)
	}
	silent := id != 0 && (t.commits.caused(id) || t.flushes.caused(id))
	t.sink.Event(send, o, silent)
	if send != wire.Delete && t.config.Mode != config.Stats {
		t.again.noteFlow(f, typ)
	}
}

// counted adds the counters of an entry that has ended.
func (t *Table) counted(f *ctnetlink.Flow) {
	for _, counters := range []func() (packets, bytes uint64, ok bool){f.CountersOrig, f.CountersReply} {
		if packets, bytes, ok := counters(); ok {
			t.count.packets.Add(packets)
			t.count.bytes.Add(bytes)
		}
	}
}

// expect hands on an event about an expectation.
func (d *delivery) expect(e *ctnetlink.Expect) {
	t := d.t
	typ := e.EventType()
	if typ == ctnetlink.EventNew && t.config.Mode != config.Stats {
		zone, _ := e.Zone()
		t.again.noteMaster(e.Master(), zone)
	}
	if !t.config.Expect || t.injections.caused(e.PortID()) {
		return
	}
	if !t.acceptsExpect(e) {
		t.count.filtered.Add(1)
		return
	}
	o, err := wire.AppendExpect(d.buf[:0], e, nil)
	if err != nil {
		t.count.failed.Add(1)
		return
	}
	d.buf = o
	send := wire.ExpectNew
	switch typ {
	case ctnetlink.EventUpdate:
		send = wire.ExpectUpdate
	case ctnetlink.EventDestroy:
		send = wire.ExpectDelete
	}
	id := e.PortID()
	t.sink.Event(send, o, id != 0 && (t.commits.caused(id) || t.flushes.caused(id)))
}

// acceptsExpect reports whether an expectation is kept alike: its helper is listed, and
// its master is known where that can be asked. The sink's lock is held.
func (t *Table) acceptsExpect(e *ctnetlink.Expect) bool {
	helper, _ := e.Helper()
	if !t.config.KeepsExpectations(string(helper)) {
		return false
	}
	if t.config.DisableInternalCache {
		return true
	}
	zone, _ := e.Zone()
	key := wire.TupleKey(e.Master(), zone, zone)
	return t.sink.Find(&key) != nil
}
