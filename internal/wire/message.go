package wire

import "encoding/binary"

// Message is one netlink message, header included. It must hold a whole header
// (HeaderLen bytes, for Family and Payload HeadLen); what [Messages] returns
// does.
type Message []byte

// Type returns the message type; of nfnetlink, the subsystem in the high byte
// and the message in the low one.
func (m Message) Type() uint16 { return binary.NativeEndian.Uint16(m[4:]) }

// Flags returns the flags (NLM_F_*).
func (m Message) Flags() uint16 { return binary.NativeEndian.Uint16(m[6:]) }

// Seq returns the sequence number.
func (m Message) Seq() uint32 { return binary.NativeEndian.Uint32(m[8:]) }

// PortID returns the port id of the sender.
func (m Message) PortID() uint32 { return binary.NativeEndian.Uint32(m[12:]) }

// Family returns the address family in the nfnetlink header.
func (m Message) Family() uint8 { return m[HeaderLen] }

// Payload returns the attributes that follow the nfnetlink header.
func (m Message) Payload() []byte { return m[HeadLen:] }

// AddFlags sets flags in addition to those that are set.
func (m Message) AddFlags(flags uint16) {
	binary.NativeEndian.PutUint16(m[6:], m.Flags()|flags)
}

// SetFlags replaces the flags.
func (m Message) SetFlags(flags uint16) { binary.NativeEndian.PutUint16(m[6:], flags) }

// SetSeq replaces the sequence number.
func (m Message) SetSeq(seq uint32) { binary.NativeEndian.PutUint32(m[8:], seq) }

// SetPortID replaces the port id.
func (m Message) SetPortID(id uint32) { binary.NativeEndian.PutUint32(m[12:], id) }

// IsDump reports whether the message requests a dump (NLM_F_DUMP).
func (m Message) IsDump() bool { return m.Flags()&FlagDump == FlagDump }

// Errno returns the error number in an NLMSG_ERROR or NLMSG_DONE message: 0 is
// an acknowledgement, or the end of a dump that succeeded. ok is false if the
// message holds none. The kernel sends numbers negated; an NLMSG_DONE without
// one, or with a length in its place as old kernels sent, counts as 0.
func (m Message) Errno() (errno uint32, ok bool) {
	done := m.Type() == TypeDone
	if len(m) < HeaderLen+4 {
		return 0, done
	}
	n := int32(binary.NativeEndian.Uint32(m[HeaderLen:]))
	if n > 0 || n == -1<<31 {
		return 0, done
	}
	return uint32(-n), true
}

// Messages walks the messages in a datagram without copying:
//
//	m := wire.Messages{B: datagram}
//	for m.Next() { m.Msg.Type() … }
//
// Next returns false at the end. Malformed then reports whether the rest is no
// message: shorter than a header, or of a length that is less than the header's
// or more than what is left.
type Messages struct {
	B         []byte  // the rest of the datagram
	Msg       Message // the current message; aliases the datagram
	Malformed bool
}

// Next moves to the next message.
func (m *Messages) Next() bool {
	b := m.B
	if len(b) < HeaderLen {
		m.Malformed = len(b) != 0
		return false
	}
	n := binary.NativeEndian.Uint32(b)
	if n < HeaderLen || uint64(n) > uint64(len(b)) {
		m.Malformed = true
		return false
	}
	m.Msg = b[:n]
	m.B = b[min(Align(int(n)), len(b)):]
	return true
}
