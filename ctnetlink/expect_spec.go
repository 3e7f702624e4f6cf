package ctnetlink

import (
	"time"

	"github.com/gonntrack/gonntrack/internal/wire"
)

// ExpectSpec describes an expectation in a request. Tuples are sent when their
// Has is not empty, Timeout, ID and Zone when they are marked as present.
type ExpectSpec struct {
	// Family is that of the addresses. FamilyAny stands for that of Tuple.
	Family Family
	// Tuple is what is expected, Mask which bits of it are compared, Master the
	// original tuple of the connection that expects it, which needs a helper.
	Tuple, Mask, Master Tuple
	// Timeout is the time that the expectation has left, in seconds: a fraction
	// counts as a whole one. The kernel takes the helper's own for a new one.
	Timeout    time.Duration
	HasTimeout bool
	// ID restricts DeleteExpect to the expectation with that id.
	ID    uint32
	HasID bool
	// Zone is the zone of the expected connection.
	Zone    uint16
	HasZone bool
	// Helper is the name of the helper, Fn that of the function that is called
	// when a connection matches. Empty names are not sent.
	Helper, Fn string
	// Class is the class of the helper's expectations, Flags are the flags.
	// Zero values are not sent; they are the kernel's default.
	Class uint32
	Flags ExpectFlags
	// NAT is the translation of the expected connection. It is sent when
	// NAT.Tuple.Has is not empty.
	NAT ExpectNAT
}

// AppendMessage appends to dst a NEW message with what x describes, as a table
// lists and announces expectations, and returns the extended slice. An Expect
// decodes it. Fields are not checked.
func (x *ExpectSpec) AppendMessage(dst []byte) []byte {
	e := encoder{wire.Builder{B: dst}}
	x.append(&e, header{Type: wire.SubsysExpect<<8 | wire.MsgNew})
	return e.B
}

func (x *ExpectSpec) append(e *encoder, h header) {
	h.Family = x.family()
	e.begin(h)
	if x.Master.Has != 0 {
		e.tuple(wire.ExpectMaster, &x.Master)
	}
	if x.Tuple.Has != 0 {
		e.tuple(wire.ExpectTuple, &x.Tuple)
	}
	if x.Mask.Has != 0 {
		e.tuple(wire.ExpectMask, &x.Mask)
	}
	if x.HasTimeout {
		e.timeout(wire.ExpectTimeout, x.Timeout)
	}
	if x.HasID {
		e.U32(wire.ExpectID, x.ID)
	}
	if x.HasZone {
		e.U16(wire.ExpectZone, x.Zone)
	}
	if x.Helper != "" {
		e.Str(wire.ExpectHelpName, x.Helper)
	}
	if x.Fn != "" {
		e.Str(wire.ExpectFn, x.Fn)
	}
	if x.Class != 0 {
		e.U32(wire.ExpectClass, x.Class)
	}
	if x.Flags != 0 {
		e.U32(wire.ExpectFlags, uint32(x.Flags))
	}
	if x.NAT.Tuple.Has != 0 {
		e.expectNAT(&x.NAT)
	}
	e.End()
}

// Identify makes x name the expectation that e shows: by its family, its tuple,
// its id and its zone.
func (x *ExpectSpec) Identify(e *Expect) {
	*x = ExpectSpec{Family: e.Family(), Tuple: *e.Tuple()}
	x.ID, x.HasID = e.ID()
	x.Zone, x.HasZone = e.Zone()
}

// family returns the family to send.
func (x *ExpectSpec) family() Family {
	if x.Family == FamilyAny {
		return x.Tuple.Family()
	}
	return x.Family
}

// SetTimeout sets Timeout.
func (x *ExpectSpec) SetTimeout(d time.Duration) { x.Timeout, x.HasTimeout = d, true }

// SetID sets ID.
func (x *ExpectSpec) SetID(id uint32) { x.ID, x.HasID = id, true }

// SetZone sets Zone.
func (x *ExpectSpec) SetZone(zone uint16) { x.Zone, x.HasZone = zone, true }

// check returns an error about a field that cannot be sent as it is set.
func (x *ExpectSpec) check() error {
	for _, f := range [...]struct {
		name     string
		set, has bool
	}{
		{"Timeout", x.Timeout != 0, x.HasTimeout}, {"ID", x.ID != 0, x.HasID}, {"Zone", x.Zone != 0, x.HasZone},
	} {
		if f.set && !f.has {
			return &FieldError{"ExpectSpec." + f.name, "set, but Has" + f.name + " is false"}
		}
	}
	if _, ok := wireSeconds(x.Timeout); !ok {
		return &FieldError{"ExpectSpec.Timeout", "out of range: " + x.Timeout.String()}
	}
	for _, t := range [...]struct {
		name  string
		tuple *Tuple
	}{{"Tuple", &x.Tuple}, {"Mask", &x.Mask}, {"Master", &x.Master}, {"NAT.Tuple", &x.NAT.Tuple}} {
		if err := t.tuple.check("ExpectSpec." + t.name); err != nil {
			return err
		}
	}
	return nil
}
