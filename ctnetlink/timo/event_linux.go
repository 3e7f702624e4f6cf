package timo

import (
	"encoding/binary"

	"github.com/mdlayher/netlink"
	"github.com/ti-mo/conntrack"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/internal/wire"
)

// FlowEvent converts an entry that an event announces.
func FlowEvent(f *ctnetlink.Flow) conntrack.Event {
	flow := Flow(f)
	to := conntrack.Event{Flow: &flow}
	switch f.EventType() {
	case ctnetlink.EventNew:
		to.Type = conntrack.EventNew
	case ctnetlink.EventUpdate:
		to.Type = conntrack.EventUpdate
	case ctnetlink.EventDestroy:
		to.Type = conntrack.EventDestroy
	}
	return to
}

// ExpectEvent converts an expectation that an event announces. The kernel
// announces no change of an expectation.
func ExpectEvent(e *ctnetlink.Expect) conntrack.Event {
	expect := Expect(e)
	to := conntrack.Event{Type: conntrack.EventExpNew, Expect: &expect}
	if e.EventType() == ctnetlink.EventDestroy {
		to.Type = conntrack.EventExpDestroy
	}
	return to
}

// FromEvent converts an event to a view of a new message: of an entry, or of an
// expectation; the other result is nil. Their EventType methods return the type
// of the event. Both results are nil if e has no type, or no entry or
// expectation that goes with the type.
func FromEvent(e conntrack.Event) (*ctnetlink.Flow, *ctnetlink.Expect) {
	msg, flags := uint16(wire.MsgNew), uint16(0)
	switch e.Type {
	case conntrack.EventNew, conntrack.EventExpNew:
		flags = wire.FlagCreate | wire.FlagExcl
	case conntrack.EventDestroy, conntrack.EventExpDestroy:
		msg = wire.MsgDelete
	}
	switch e.Type {
	case conntrack.EventNew, conntrack.EventUpdate, conntrack.EventDestroy:
		if e.Flow != nil {
			return fromFlow(*e.Flow, msg, flags), nil
		}
	case conntrack.EventExpNew, conntrack.EventExpDestroy:
		if e.Expect != nil {
			return nil, fromExpect(*e.Expect, msg, flags)
		}
	}
	return nil, nil
}

// Message converts a message, such as that of a ctnetlink.Flow, to the type that
// conntrack.Event.Unmarshal and netfilter.DecodeNetlink read. It copies b. The
// Decode methods of ctnetlink read what MarshalBinary of the result returns.
func Message(b []byte) (m netlink.Message, err error) {
	b = append([]byte(nil), b...)
	err = m.UnmarshalBinary(b)
	return m, err
}

// setType sets the type and the flags of a message.
func setType(b []byte, typ, flags uint16) {
	binary.NativeEndian.PutUint16(b[4:], typ)
	binary.NativeEndian.PutUint16(b[6:], flags)
}
