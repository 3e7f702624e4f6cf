package timo

import (
	"github.com/ti-mo/conntrack"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/internal/wire"
)

// Expect converts an expectation. The result has no reference to the message
// under e.
func Expect(e *ctnetlink.Expect) conntrack.Expect {
	to := conntrack.Expect{
		TupleMaster: Tuple(e.Master()), Tuple: Tuple(e.Tuple()), Mask: Tuple(e.Mask()),
	}
	to.ID, _ = e.ID()
	timeout, _ := e.Timeout()
	to.Timeout = seconds(timeout)
	to.Zone, _ = e.Zone()
	to.Class, _ = e.Class()
	flags, _ := e.Flags()
	to.Flags = uint32(flags)
	helper, _ := e.Helper()
	fn, _ := e.Fn()
	to.HelpName, to.Function = string(helper), string(fn)
	if n, ok := e.NAT(); ok {
		to.NAT = conntrack.ExpectNAT{Direction: n.Reply, Tuple: Tuple(&n.Tuple)}
	}
	return to
}

// ExpectSpec converts an expectation to a request to create, get or delete it.
func ExpectSpec(x conntrack.Expect) *ctnetlink.ExpectSpec {
	to := &ctnetlink.ExpectSpec{
		Tuple: FromTuple(x.Tuple), Mask: FromTuple(x.Mask), Master: FromTuple(x.TupleMaster),
		Timeout: duration(x.Timeout), HasTimeout: true,
		ID: x.ID, HasID: x.ID != 0, Zone: x.Zone, HasZone: x.Zone != 0,
		Helper: name(x.HelpName), Fn: name(x.Function), Class: x.Class, Flags: ctnetlink.ExpectFlags(x.Flags),
	}
	if filled(&x.NAT.Tuple) {
		to.NAT = ctnetlink.ExpectNAT{Reply: x.NAT.Direction, Tuple: FromTuple(x.NAT.Tuple)}
	}
	to.Family = to.Tuple.Family()
	return to
}

// FromExpect converts an expectation to a view of a new message, which has
// every field of x that is not zero, and the timeout.
func FromExpect(x conntrack.Expect) *ctnetlink.Expect { return fromExpect(x, wire.MsgNew, 0) }

func fromExpect(x conntrack.Expect, msg, flags uint16) *ctnetlink.Expect {
	b := ExpectSpec(x).AppendMessage(nil)
	setType(b, wire.SubsysExpect<<8|msg, flags)
	to := new(ctnetlink.Expect)
	_ = to.Decode(b) // see fromFlow
	return to
}
