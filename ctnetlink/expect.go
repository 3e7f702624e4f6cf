package ctnetlink

import (
	"time"

	"github.com/gonntrack/gonntrack/internal/wire"
)

// Expect is a view of one expectation, over the message that carried it. The
// rules of Flow hold: it aliases the message, and every accessor's second
// result reports whether the attribute was sent.
type Expect struct {
	h                   header
	msg                 []byte
	have                uint16
	at                  [wire.ExpectMax + 1][]byte
	master, tuple, mask Tuple
}

// ExpectFlags are the flags of an expectation (NF_CT_EXPECT_* of
// nf_conntrack_common.h).
type ExpectFlags uint32

const (
	ExpectPermanent ExpectFlags = 1 // it stays after it was fulfilled
	ExpectInactive  ExpectFlags = 2
	ExpectUserspace ExpectFlags = 4
)

var expectMinLen = [wire.ExpectMax + 1]uint8{
	wire.ExpectTimeout: 4, wire.ExpectID: 4, wire.ExpectZone: 2, wire.ExpectFlags: 4, wire.ExpectClass: 4,
}

// Decode makes e the view of msg, one whole message with its header, without
// copying it. It fails with ErrMalformed as Flow.Decode does.
func (e *Expect) Decode(msg []byte) error {
	*e = Expect{}
	if err := e.decode(msg); err != nil {
		*e = Expect{}
		return err
	}
	return nil
}

func (e *Expect) decode(msg []byte) error {
	h, b, err := decodeHeader(msg)
	if err != nil {
		return err
	}
	e.h = h
	e.msg = msg[:wire.HeadLen+len(b)]
	a := wire.Attrs{B: b}
	for a.Next() {
		if a.Type > wire.ExpectMax {
			continue
		}
		if len(a.Val) < int(expectMinLen[a.Type]) {
			return ErrMalformed
		}
		e.at[a.Type] = a.Val
		e.have |= 1 << a.Type
	}
	if a.Malformed {
		return ErrMalformed
	}
	for _, t := range []struct {
		attr uint16
		to   *Tuple
	}{{wire.ExpectMaster, &e.master}, {wire.ExpectTuple, &e.tuple}, {wire.ExpectMask, &e.mask}} {
		if e.has(t.attr) {
			if err := t.to.decode(e.at[t.attr]); err != nil {
				return err
			}
		}
	}
	return nil
}

// Family returns the family of the expectation's addresses.
func (e *Expect) Family() Family { return e.h.Family }

// EventType returns what the message announces about the expectation, see
// [Flow.EventType].
func (e *Expect) EventType() EventType { return e.h.event() }

// PortID returns the netlink port id of the process whose request caused the
// event, 0 when none did.
func (e *Expect) PortID() uint32 { return e.h.PortID }

func (e *Expect) has(a uint16) bool { return e.have>>a&1 != 0 }

// Message returns the message under the view, header included.
func (e *Expect) Message() []byte { return e.msg }

// Clone returns a view over a copy of the message.
func (e *Expect) Clone() *Expect {
	c := new(Expect)
	// The message was decoded once: it cannot fail now.
	_ = c.Decode(append([]byte(nil), e.msg...))
	return c
}

// Tuple returns what is expected; never nil, empty if not sent.
func (e *Expect) Tuple() *Tuple { return &e.tuple }

// Mask returns which bits of the expected tuple count.
func (e *Expect) Mask() *Tuple { return &e.mask }

// Master returns the original tuple of the connection that awaits it.
func (e *Expect) Master() *Tuple { return &e.master }

func (e *Expect) u32(a uint16) (uint32, bool) {
	if !e.has(a) {
		return 0, false
	}
	return be32(e.at[a]), true
}

// Timeout returns how long the expectation has left, in whole seconds.
func (e *Expect) Timeout() (time.Duration, bool) {
	v, ok := e.u32(wire.ExpectTimeout)
	return seconds(v), ok
}

// ID returns the expectation's id.
func (e *Expect) ID() (uint32, bool) { return e.u32(wire.ExpectID) }

// Class returns the helper's class of expectation.
func (e *Expect) Class() (uint32, bool) { return e.u32(wire.ExpectClass) }

// Flags returns the expectation's flags.
func (e *Expect) Flags() (ExpectFlags, bool) {
	v, ok := e.u32(wire.ExpectFlags)
	return ExpectFlags(v), ok
}

// Zone returns the zone.
func (e *Expect) Zone() (uint16, bool) {
	if !e.has(wire.ExpectZone) {
		return 0, false
	}
	return be16(e.at[wire.ExpectZone]), true
}

// Helper returns the name of the helper, without its NUL.
func (e *Expect) Helper() ([]byte, bool) {
	return wire.CString(e.at[wire.ExpectHelpName]), e.has(wire.ExpectHelpName)
}

// Fn returns the name of the function called when it is fulfilled.
func (e *Expect) Fn() ([]byte, bool) {
	return wire.CString(e.at[wire.ExpectFn]), e.has(wire.ExpectFn)
}
