package ctnetlink

// Event is what happened to an entry or an expectation.
type Event uint8

const (
	EventNone    Event = iota // the message is no event
	EventNew                  // it was created
	EventUpdate               // it changed
	EventDestroy              // it is gone
)

// Event returns what a message announces. A NEW event carries the flags of a
// creation, an UPDATE does not.
func (h *Header) Event() Event {
	switch h.Type & 0xff {
	case msgNew:
		if h.Flags&(FlagCreate|FlagExcl) != 0 {
			return EventNew
		}
		return EventUpdate
	case msgDelete:
		return EventDestroy
	}
	return EventNone
}

// Events walks the events of a batch.
type Events struct {
	m messages
	// Expectation tells whose event the current message is.
	Expectation bool
	flow        Flow
	expect      Expect
}

// Reset begins to walk b.
func (e *Events) Reset(b Received) { e.m = messages{b: b.Messages} }

// Next moves to the next event; false at the end of the batch. What is not an
// event, or cannot be read, is passed over.
func (e *Events) Next() bool {
	for e.m.next() {
		switch e.m.typ >> 8 {
		case subsysConntrack:
			e.Expectation = false
			if e.flow.Decode(e.m.msg) == nil && e.flow.Event() != EventNone {
				return true
			}
		case subsysExpect:
			e.Expectation = true
			if e.expect.Decode(e.m.msg) == nil && e.expect.Event() != EventNone {
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
