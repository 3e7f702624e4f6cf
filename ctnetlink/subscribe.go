package ctnetlink

import (
	"context"
	"errors"
	"io"
	"iter"
	"sync"
)

// Event is something that happened to an entry or an expectation.
type Event struct {
	// Type is what happened: EventNew, EventUpdate or EventDestroy.
	Type EventType
	// Flow is the entry, nil in an event about an expectation.
	Flow *Flow
	// Expect is the expectation, nil in an event about an entry.
	Expect *Expect
	// Gap reports that events were lost since the one before, see
	// [Subscription.Loss].
	Gap bool
}

// PortID returns the netlink port id of the process whose request caused the
// event, 0 when none did.
func (e *Event) PortID() uint32 {
	if e.Expect != nil {
		return e.Expect.PortID()
	}
	return e.Flow.PortID()
}

// Clone returns a copy of the event and of what it shows.
func (e *Event) Clone() *Event {
	c := *e
	if e.Flow != nil {
		c.Flow = e.Flow.Clone()
	}
	if e.Expect != nil {
		c.Expect = e.Expect.Clone()
	}
	return &c
}

// Subscription receives events. A goroutine drains the socket, so that a slow
// loop over All loses events only when the queue is full.
type Subscription struct {
	l      *Listener
	filter *EventFilter
	detach func() bool // from the context
	once   sync.Once
	walk   Events // the events received last
	gap    bool   // events were lost before the next one
}

// Subscribe begins to receive events. Canceling ctx has the effect of Close.
func (c *Conn) Subscribe(ctx context.Context, q ListenRequest) (*Subscription, error) {
	if q.Filter != nil {
		if err := q.Filter.check(); err != nil {
			return nil, &OpError{"subscribe", err}
		}
	}
	l, err := c.Listen(q)
	if err != nil {
		return nil, err
	}
	s := &Subscription{l: l, filter: q.Filter}
	s.detach = context.AfterFunc(ctx, s.stop)
	return s, nil
}

// All returns an iterator over the events. It waits for the next one; after Close
// it yields those that were received before and ends. An error is the last that
// comes. An Event is valid until the next one: Clone keeps it. Leaving the loop
// does not close the subscription: another loop goes on with the next event.
func (s *Subscription) All() iter.Seq2[*Event, error] {
	return func(yield func(*Event, error) bool) {
		for {
			for s.walk.Next() {
				if e := s.event(); e != nil && !yield(e, nil) {
					return
				}
			}
			batch, err := s.l.Next()
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				yield(nil, &OpError{"receive events", err})
				return
			}
			s.gap = s.gap || batch.Gap
			s.walk.Reset(batch)
		}
	}
}

// event returns the current event, nil if the filter leaves it out.
func (s *Subscription) event() *Event {
	e := &Event{Gap: s.gap}
	if s.walk.Expectation {
		e.Expect = s.walk.Expect()
		e.Type = e.Expect.EventType()
	} else {
		e.Flow = s.walk.Flow()
		e.Type = e.Flow.EventType()
		if s.filter != nil && !s.filter.Match(e.Flow) {
			return nil
		}
	}
	s.gap = false
	return e
}

// Loss returns what is known of lost events so far.
func (s *Subscription) Loss() Loss { return s.l.Loss() }

// Close ends the subscription. What the socket holds is still received, for at
// most a second: a loop over All goes on to the last event.
func (s *Subscription) Close() error {
	s.detach()
	s.stop()
	return nil
}

func (s *Subscription) stop() { s.once.Do(s.l.Stop) }
