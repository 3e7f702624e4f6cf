package live

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/internal/printable"
	"github.com/gonntrack/gonntrack/internal/wire"
)

// events is what is known of the events of a source.
type events struct {
	listener atomic.Pointer[ctnetlink.Listener] // nil: there is none
	decided  chan struct{}                      // closed when there is one, or when it is known that there is not
	lost     atomic.Bool                        // some were lost since the last dump began
	taken    atomic.Uint64                      // bytes of messages that were taken in
	moved    chan struct{}                      // receives when taken has grown
	buffer   int                                // size asked of the socket's receive buffer

	mu   sync.Mutex
	off  string // why there are no events, or no more; ""
	last ctnetlink.Loss
	lag  lag
}

func (e *events) init() {
	e.decided, e.moved, e.buffer = make(chan struct{}), make(chan struct{}, 1), readBuffer
}

// groups are the events that are listened to.
var groups = []ctnetlink.Group{ctnetlink.GroupNew, ctnetlink.GroupUpdate, ctnetlink.GroupDestroy}

// readBuffer holds the events of some 50 000 births: half a second where there are
// 100 000 a second and other threads have the processor.
const readBuffer = 32 << 20

// follow takes in the events of the source until ctx ends.
func (p *part) follow(ctx context.Context) {
	e := &p.events
	q := ctnetlink.ListenRequest{Groups: groups, ReadBuffer: e.buffer, OnLoss: func() { e.lost.Store(true) }}
	if m := p.t.options.Filter; m != nil {
		q.Filter = m.Events()
		// Events of entries that do not match any more are needed too, so that they leave.
		q.Filter.Mark, q.Filter.MarkMask, q.Filter.Status, q.Filter.StatusMask = 0, 0, 0, 0
	}
	l, err := p.Conn.Listen(q)
	if err != nil {
		e.end(err)
		close(e.decided)
		return
	}
	e.listener.Store(l)
	close(e.decided)
	if p.dumped.deaf.Load() {
		p.t.feed.pace.hurry() // what happened since the dump began is not known
	}
	ended := make(chan struct{})
	var stopped sync.WaitGroup
	defer stopped.Wait()
	stopped.Go(func() {
		select {
		case <-ctx.Done():
		case <-ended:
		}
		l.Stop()
	})
	if err := p.takeEvents(l); err != nil {
		e.end(err)
	}
	close(ended)
}

// end notes why there are no events, or no more.
func (e *events) end(err error) {
	loss := e.loss()
	e.mu.Lock()
	defer e.mu.Unlock()
	e.off, e.last, e.lag = printable.String((&problem{err}).Error()), loss, lag{}
	e.listener.Store(nil)
}

// whyOff returns why there are no events, "" if there are.
func (e *events) whyOff() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.off
}

// loss returns what was lost since the start.
func (e *events) loss() ctnetlink.Loss {
	if l := e.listener.Load(); l != nil {
		return l.Loss()
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.last
}

// behind returns how long the events wait that are taken in now.
func (e *events) behind(now time.Time) time.Duration {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.lag.now(now)
}

// taker takes in batches of events.
type taker struct {
	*part
	walk    ctnetlink.Events
	matched []byte // the messages of a batch that match the filter
	resync  ctnetlink.Resync
	message []byte // of marked
	marked  ctnetlink.Flow
}

// Events wait for others for the time gathering, if some came in that time before, and
// if these were fewer than smallBatch bytes of messages.
const (
	gathering  = time.Millisecond
	smallBatch = 32 << 10
)

// takeEvents takes in events until the listener was stopped.
func (p *part) takeEvents(l *ctnetlink.Listener) error {
	t := taker{part: p}
	e := &p.events
	var before time.Time
	for {
		batch, err := l.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		now := time.Now()
		t.take(batch, now)
		taken := e.taken.Add(uint64(len(batch.Messages)))
		select {
		case e.moved <- struct{}{}:
		default:
		}
		e.mu.Lock()
		e.lag.observe(taken, time.Now(), l)
		e.mu.Unlock()
		t.resync.Observe(batch, l.ReadBuffer())
		if t.resync.Due(l.Idle) {
			p.t.feed.pace.hurry()
		}
		// Where many come one by one, being woken up for each costs more than taking it in.
		if len(batch.Messages) < smallBatch && now.Sub(before) < gathering {
			time.Sleep(gathering)
		}
		before = now
	}
}

// take takes in a batch of events.
func (p *taker) take(batch ctnetlink.EventBatch, received time.Time) {
	t, m := p.t, p.t.options.Filter
	at := p.Now()
	n := 0
	p.matched = p.matched[:0]
	t.mu.Lock()
	before := t.tallyOf(p.n)
	for p.walk.Reset(batch); p.walk.Next(); {
		if p.walk.Expectation {
			continue
		}
		f := p.walk.Flow()
		if m != nil {
			f = p.withMark(f)
		}
		t.apply(p.n, f, at)
		if m != nil {
			if !m.Match(f) {
				continue
			}
			p.matched = append(p.matched, f.Message()...)
		}
		n++
	}
	after, entries := t.tallyOf(p.n), t.len()
	t.mu.Unlock()
	logged := batch.Messages
	if m != nil {
		logged = p.matched
	}
	t.feed.log.add(p.n, received, logged, n)
	t.feed.history.add(received, int(after.Births-before.Births), int(after.Deaths-before.Deaths), entries)
}

// withMark returns an event with the mark, for the filter: events do not have one that
// is 0, although dumps do.
func (p *taker) withMark(f *ctnetlink.Flow) *ctnetlink.Flow {
	if f.Has(ctnetlink.AttrMark) || p.t.copies[p.n].habits&hasMark == 0 {
		return f
	}
	w := wire.Builder{B: append(p.message[:0], f.Message()...)}
	for len(w.B)%4 != 0 {
		w.B = append(w.B, 0)
	}
	w.U32(uint16(ctnetlink.AttrMark), 0)
	binary.NativeEndian.PutUint32(w.B, uint32(len(w.B)))
	p.message = w.B
	if p.marked.Decode(w.B) != nil {
		return f
	}
	return &p.marked
}

// lag measures how long events wait: the time from the receiving of one, now and then,
// until it was taken in.
type lag struct {
	goal  uint64    // when as many bytes were taken in, the one that is watched was
	since time.Time // when it was received; zero: none is watched
	last  time.Duration
}

// observe notes that as many bytes have been taken in.
func (g *lag) observe(taken uint64, now time.Time, l interface{ Received() uint64 }) {
	if !g.since.IsZero() {
		if taken < g.goal {
			return
		}
		g.last, g.since = now.Sub(g.since), time.Time{}
	}
	if received := l.Received(); received > taken {
		g.goal, g.since = received, now
	} else {
		g.last = 0
	}
}

// now returns how long events wait now.
func (g *lag) now(now time.Time) time.Duration {
	if g.since.IsZero() {
		return g.last
	}
	return max(g.last, now.Sub(g.since))
}
