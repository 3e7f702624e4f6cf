package ctnetlink

import "github.com/gonntrack/gonntrack/internal/wire"

// EventType is what happened to an entry or an expectation.
type EventType uint8

const (
	EventNone    EventType = iota // nothing: the message is not an event
	EventNew                      // it was created
	EventUpdate                   // it changed
	EventDestroy                  // it is gone
)

// String returns "NEW", "UPDATE", "DESTROY" or "NONE".
func (t EventType) String() string {
	switch t {
	case EventNew:
		return "NEW"
	case EventUpdate:
		return "UPDATE"
	case EventDestroy:
		return "DESTROY"
	}
	return "NONE"
}

// event returns what a message announces. A NEW event carries the flags of a
// creation, an UPDATE does not.
func (h *header) event() EventType {
	switch h.Type & 0xff {
	case wire.MsgNew:
		if h.Flags&(wire.FlagCreate|wire.FlagExcl) != 0 {
			return EventNew
		}
		return EventUpdate
	case wire.MsgDelete:
		return EventDestroy
	}
	return EventNone
}

// Events walks the events of a batch.
type Events struct {
	m wire.Messages
	// Expectation tells whose event the current message is.
	Expectation bool
	flow        Flow
	expect      Expect
}

// Reset begins to walk b.
func (e *Events) Reset(b EventBatch) { e.m = wire.Messages{B: b.Messages} }

// Next moves to the next event; false at the end of the batch. What is not an
// event, or cannot be read, is passed over.
func (e *Events) Next() bool {
	for e.m.Next() {
		switch e.m.Msg.Type() >> 8 {
		case wire.SubsysConntrack:
			e.Expectation = false
			if e.flow.Decode(e.m.Msg) == nil && e.flow.h.event() != EventNone {
				return true
			}
		case wire.SubsysExpect:
			e.Expectation = true
			if e.expect.Decode(e.m.Msg) == nil && e.expect.h.event() != EventNone {
				return true
			}
		}
	}
	return false
}

// Flow returns the entry of the current event, valid until the next.
func (e *Events) Flow() *Flow { return &e.flow }

// Expect returns the expectation of the current event, valid until the next.
func (e *Events) Expect() *Expect { return &e.expect }
