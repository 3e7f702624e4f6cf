package ctnetlink

import (
	"math"
	"time"

	"github.com/gonntrack/gonntrack/internal/wire"
)

// Flow is a view of one entry of the table, over the message that carried it.
// The zero Flow is ready for Decode. Everything it returns that is a slice or
// a pointer aliases the message or the Flow and is valid until the next Decode
// (in a stream: until the next entry); Clone keeps it.
//
// Every accessor's second result reports whether the attribute was sent.
type Flow struct {
	h           header
	msg         []byte
	have        AttrSet
	at          [attrMax + 1]span
	orig, reply Tuple
}

// span is where an attribute's payload lies in the message.
type span struct{ off, end uint16 }

// minLen is the least length of the attributes that are plain numbers.
var minLen = [attrMax + 1]uint8{
	AttrStatus: 4, AttrTimeout: 4, AttrMark: 4, AttrUse: 4, AttrID: 4,
	AttrSecMark: 4, AttrZone: 2, AttrMarkMask: 4, AttrStatusMask: 4,
	AttrTimestampEvent: 8,
}

// Decode makes f the view of msg, one whole message with its header, without
// copying it. It fails with ErrMalformed when lengths contradict each other or
// an attribute is too short for what it is; f is then empty. Attributes of
// unknown number are passed over; of an attribute sent twice the last counts.
func (f *Flow) Decode(msg []byte) error {
	if err := f.decode(msg); err != nil {
		*f = Flow{}
		return err
	}
	return nil
}

func (f *Flow) decode(msg []byte) error {
	h, b, err := decodeHeader(msg)
	if err != nil || len(b) > math.MaxUint16-wire.HeadLen {
		return ErrMalformed
	}
	f.h = h
	f.msg = msg[:wire.HeadLen+len(b)]
	f.have = 0
	a := wire.Attrs{B: b}
	for a.Next() {
		if a.Type > attrMax {
			continue
		}
		if len(a.Val) < int(minLen[a.Type]) {
			return ErrMalformed
		}
		// Slices cut from b share its end, so capacities tell how far in.
		off := wire.HeadLen + cap(b) - cap(a.Val)
		f.at[a.Type] = span{uint16(off), uint16(off + len(a.Val))}
		f.have |= 1 << a.Type
	}
	if a.Malformed {
		return ErrMalformed
	}
	if !f.have.Has(AttrTupleOrig) {
		f.orig = Tuple{}
	} else if err := f.orig.decode(f.raw(AttrTupleOrig)); err != nil {
		return err
	}
	if !f.have.Has(AttrTupleReply) {
		f.reply = Tuple{}
	} else if err := f.reply.decode(f.raw(AttrTupleReply)); err != nil {
		return err
	}
	return nil
}

// Family returns the family of the entry's addresses.
func (f *Flow) Family() Family { return f.h.Family }

// EventType returns what the message announces about the entry: EventNew for a
// creation, EventUpdate for a change and for an entry that was asked for,
// EventDestroy for an end.
func (f *Flow) EventType() EventType { return f.h.event() }

// PortID returns the netlink port id of the process whose request caused the
// event, 0 when a packet or a timeout did.
func (f *Flow) PortID() uint32 { return f.h.PortID }

// raw returns the payload of an attribute that is there.
func (f *Flow) raw(a Attr) []byte {
	s := f.at[a]
	return f.msg[s.off:s.end]
}

// Raw returns the payload of an attribute as it was sent.
func (f *Flow) Raw(a Attr) ([]byte, bool) {
	if a > attrMax || !f.have.Has(a) {
		return nil, false
	}
	return f.raw(a), true
}

// Message returns the message under the view, header included.
func (f *Flow) Message() []byte { return f.msg }

// Has reports whether an attribute was sent.
func (f *Flow) Has(a Attr) bool { return f.have.Has(a) }

// Clone returns a view over a copy of the message.
func (f *Flow) Clone() *Flow {
	c := *f
	c.msg = append([]byte(nil), f.msg...)
	return &c
}

// CloneTo makes dst a view over a copy of the message, which it appends to buf, and
// returns the extended slice. With it several entries are kept in one piece of memory.
func (f *Flow) CloneTo(dst *Flow, buf []byte) []byte {
	n := len(buf)
	buf = append(buf, f.msg...)
	*dst = *f
	dst.msg = buf[n:len(buf):len(buf)]
	return buf
}

func (f *Flow) u32(a Attr) (uint32, bool) {
	if !f.have.Has(a) {
		return 0, false
	}
	return be32(f.raw(a)), true
}

// Orig returns the original direction's tuple; never nil, empty if not sent.
func (f *Flow) Orig() *Tuple { return &f.orig }

// Reply returns the reply direction's tuple; never nil, empty if not sent.
func (f *Flow) Reply() *Tuple { return &f.reply }

// Master returns the original tuple of the connection whose expectation this
// one fulfilled.
func (f *Flow) Master() (t Tuple, ok bool) {
	if !f.have.Has(AttrTupleMaster) || t.decode(f.raw(AttrTupleMaster)) != nil {
		return Tuple{}, false
	}
	return t, true
}

// Status returns the entry's flags.
func (f *Flow) Status() (Status, bool) {
	v, ok := f.u32(AttrStatus)
	return Status(v), ok
}

// StatusMask returns CTA_STATUS_MASK, which requests carry and entries do not.
func (f *Flow) StatusMask() (Status, bool) {
	v, ok := f.u32(AttrStatusMask)
	return Status(v), ok
}

// Timeout returns how long the entry has left, in whole seconds. Entries that
// ended by themselves, or are offloaded, do not have it.
func (f *Flow) Timeout() (time.Duration, bool) {
	v, ok := f.u32(AttrTimeout)
	return seconds(v), ok
}

// Mark returns the entry's mark.
func (f *Flow) Mark() (uint32, bool) { return f.u32(AttrMark) }

// MarkMask returns CTA_MARK_MASK, which requests carry and entries do not.
func (f *Flow) MarkMask() (uint32, bool) { return f.u32(AttrMarkMask) }

// SecMark returns the old form of the security mark.
func (f *Flow) SecMark() (uint32, bool) { return f.u32(AttrSecMark) }

// Use returns how many hold the entry: 1 in dumps, 2 in a GET's answer.
func (f *Flow) Use() (uint32, bool) { return f.u32(AttrUse) }

// ID returns the entry's id. It is stable for the entry's life; another entry
// may have it later.
func (f *Flow) ID() (uint32, bool) { return f.u32(AttrID) }

// Zone returns the zone of both directions.
func (f *Flow) Zone() (uint16, bool) {
	if !f.have.Has(AttrZone) {
		return 0, false
	}
	return be16(f.raw(AttrZone)), true
}

// ProtoInfo returns the protocol's own state.
func (f *Flow) ProtoInfo() (ProtoInfo, bool) {
	if !f.have.Has(AttrProtoInfo) {
		return ProtoInfo{}, false
	}
	return decodeProtoInfo(f.raw(AttrProtoInfo))
}

// infoProto is the protocol of each nest in CTA_PROTOINFO.
var infoProto = [...]Protocol{wire.InfoTCP: ProtoTCP, wire.InfoDCCP: ProtoDCCP, wire.InfoSCTP: ProtoSCTP}

// State returns the state of the protocol, if it has any.
func (f *Flow) State() (State, bool) {
	if !f.have.Has(AttrProtoInfo) {
		return 0, false
	}
	// Every protocol's nest has its state as attribute 1.
	a := wire.Attrs{B: f.raw(AttrProtoInfo)}
	if !a.Next() || int(a.Type) >= len(infoProto) || infoProto[a.Type] == 0 {
		return 0, false
	}
	proto := infoProto[a.Type]
	for a = (wire.Attrs{B: a.Val}); a.Next(); {
		if a.Type == wire.InfoTCPState && len(a.Val) > 0 {
			return NewState(proto, a.Val[0]), true
		}
	}
	return 0, false
}

// Helper returns the name of the helper, without its NUL. It is what the
// kernel sent; names from user-space helpers may hold any byte.
func (f *Flow) Helper() ([]byte, bool) {
	if !f.have.Has(AttrHelp) {
		return nil, false
	}
	v, ok := wire.Find(f.raw(AttrHelp), wire.HelpName)
	return wire.CString(v), ok
}

// SecCtx returns the security context's name, without its NUL.
func (f *Flow) SecCtx() ([]byte, bool) {
	if !f.have.Has(AttrSecCtx) {
		return nil, false
	}
	v, ok := wire.Find(f.raw(AttrSecCtx), wire.SecCtxName)
	return wire.CString(v), ok
}

// CountersOrig returns packets and bytes of the original direction.
func (f *Flow) CountersOrig() (packets, bytes uint64, ok bool) {
	return f.counters(AttrCountersOrig)
}

// CountersReply returns packets and bytes of the reply direction.
func (f *Flow) CountersReply() (packets, bytes uint64, ok bool) {
	return f.counters(AttrCountersReply)
}

func (f *Flow) counters(at Attr) (packets, bytes uint64, ok bool) {
	if !f.have.Has(at) {
		return 0, 0, false
	}
	a := wire.Attrs{B: f.raw(at)}
	for a.Next() {
		switch {
		case a.Type == wire.CountersPackets && len(a.Val) >= 8:
			packets, ok = be64(a.Val), true
		case a.Type == wire.CountersBytes && len(a.Val) >= 8:
			bytes, ok = be64(a.Val), true
		case a.Type == wire.CountersPackets32 && len(a.Val) >= 4:
			packets, ok = uint64(be32(a.Val)), true
		case a.Type == wire.CountersBytes32 && len(a.Val) >= 4:
			bytes, ok = uint64(be32(a.Val)), true
		}
	}
	return packets, bytes, ok
}

// Start returns when the entry was made, by the kernel's clock with nanoseconds,
// in local time. Entries have it where nf_conntrack_timestamp was 1 then.
func (f *Flow) Start() (time.Time, bool) { return f.timestamp(wire.TimestampStart) }

// Stop returns when the entry ended. Only DESTROY events have it, under the same
// condition as Start.
func (f *Flow) Stop() (time.Time, bool) { return f.timestamp(wire.TimestampStop) }

func (f *Flow) timestamp(typ uint16) (time.Time, bool) {
	if !f.have.Has(AttrTimestamp) {
		return time.Time{}, false
	}
	ns, ok := wire.Find64(f.raw(AttrTimestamp), typ)
	if !ok {
		return time.Time{}, false
	}
	return unixNano(ns), true
}

// EventTime returns when the event happened. Events have it since Linux 6.14,
// where nf_conntrack_timestamp was 1 when the entry was made.
func (f *Flow) EventTime() (time.Time, bool) {
	if !f.have.Has(AttrTimestampEvent) {
		return time.Time{}, false
	}
	return unixNano(be64(f.raw(AttrTimestampEvent))), true
}

// Labels returns the entry's label set. It aliases the message.
func (f *Flow) Labels() (Labels, bool) { return f.Raw(AttrLabels) }
