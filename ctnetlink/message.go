package ctnetlink

import "encoding/binary"

// Header is the header of a netlink message and of the nfnetlink message in it.
type Header struct {
	Type    uint16 // subsystem in the high byte, message in the low one
	Flags   uint16
	Seq     uint32 // of the request it answers; 0 on events
	PortID  uint32 // on events: the port id of the process that caused it, 0 for packets
	Family  uint8  // FamilyIPv4, FamilyIPv6
	Version uint8
	ResID   uint16 // the CPU's number in statistics
}

// messages walks the netlink messages of a datagram without copying. next
// returns false at the end; malformed says that the rest is not a message.
type messages struct {
	b         []byte
	msg       []byte // the current message, header included; aliases b
	typ       uint16
	malformed bool
}

func (m *messages) next() bool {
	b := m.b
	if len(b) < nlmsgHeaderLen {
		m.malformed = len(b) != 0
		return false
	}
	n := binary.NativeEndian.Uint32(b)
	if n < nlmsgHeaderLen || uint64(n) > uint64(len(b)) {
		m.malformed = true
		return false
	}
	m.msg = b[:n]
	m.typ = binary.NativeEndian.Uint16(b[4:])
	m.b = b[min(align4(int(n)), len(b)):]
	return true
}

// seq returns the sequence number of the current message.
func (m *messages) seq() uint32 { return binary.NativeEndian.Uint32(m.msg[8:]) }

// nativeSeq returns the sequence number of the message that begins b.
func nativeSeq(b []byte) uint32 { return binary.NativeEndian.Uint32(b[8:]) }

// isDump tells whether the message that begins b asks for a dump.
func isDump(b []byte) bool {
	return len(b) >= nlmsgHeaderLen && binary.NativeEndian.Uint16(b[6:])&FlagDump == FlagDump
}

// setFlag sets a flag of the message that begins b.
func setFlag(b []byte, flag uint16) {
	binary.NativeEndian.PutUint16(b[6:], binary.NativeEndian.Uint16(b[6:])|flag)
}

// errno returns the number carried by NLMSG_ERROR or NLMSG_DONE (0 for an
// acknowledgement, and for a DONE without payload).
func (m *messages) errno() (Errno, error) {
	if len(m.msg) < nlmsgHeaderLen+4 {
		if m.typ == nlmsgDone {
			return 0, nil
		}
		return 0, ErrMalformed
	}
	n := int32(binary.NativeEndian.Uint32(m.msg[nlmsgHeaderLen:]))
	if n > 0 || n == -1<<31 {
		// The kernel sends negative numbers only; NLMSG_DONE of a dump may
		// carry a length in old kernels.
		if m.typ == nlmsgDone {
			return 0, nil
		}
		return 0, ErrMalformed
	}
	return Errno(-n), nil
}

// decodeHeader reads both headers and returns the attributes behind them.
func decodeHeader(msg []byte) (h Header, attributes []byte, err error) {
	if len(msg) < headLen {
		return h, nil, ErrMalformed
	}
	n := binary.NativeEndian.Uint32(msg)
	if n < headLen || uint64(n) > uint64(len(msg)) {
		return h, nil, ErrMalformed
	}
	h = Header{
		Type:    binary.NativeEndian.Uint16(msg[4:]),
		Flags:   binary.NativeEndian.Uint16(msg[6:]),
		Seq:     binary.NativeEndian.Uint32(msg[8:]),
		PortID:  binary.NativeEndian.Uint32(msg[12:]),
		Family:  msg[16],
		Version: msg[17],
		ResID:   be16(msg[18:]),
	}
	return h, msg[headLen:n], nil
}
