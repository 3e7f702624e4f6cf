package wire

import "encoding/binary"

// version is the protocol's, in the high nibble of a message's first byte.
const version = 1

// Header is the header of a message. From and To belong to ACK, NACK and RESYNC; other
// messages do not have them.
type Header struct {
	Type     Type
	Flags    Flags
	Length   uint16 // of the whole message, in bytes
	Seq      uint32
	From, To uint32
}

// hasRange reports whether the message has From and To.
func (h *Header) hasRange() bool { return h.Type == Control && h.Flags&flagsRange != 0 }

// Append appends the message with the given payload to dst. Its length is computed;
// h.Length is not looked at. A payload must be shorter than 65528 bytes.
func (h *Header) Append(dst, payload []byte) []byte {
	n := HeaderLen + len(payload)
	if h.hasRange() {
		n = ControlLen + len(payload)
	}
	dst = append(dst, version<<4|byte(h.Type), byte(h.Flags), byte(n>>8), byte(n))
	dst = binary.BigEndian.AppendUint32(dst, h.Seq)
	if h.hasRange() {
		dst = binary.BigEndian.AppendUint32(dst, h.From)
		dst = binary.BigEndian.AppendUint32(dst, h.To)
	}
	return append(dst, payload...)
}

// Next returns the first message of a datagram, its payload and the messages behind it.
// With an error, which is a Damage, h has what could be read of the header, and rest is
// where reading goes on; it is empty where the end of the message is not known.
//
// It judges as a node in mode FT-FW does. NOTRACK counts ACK and NACK as BadHeader, for
// ALARM see Header.Alarm.
func Next(b []byte) (h Header, payload, rest []byte, err error) {
	if len(b) < HeaderLen {
		return h, nil, nil, Truncated
	}
	h.Type, h.Flags = Type(b[0]&0xf), Flags(b[1])
	h.Length = binary.BigEndian.Uint16(b[2:])
	h.Seq = binary.BigEndian.Uint32(b[4:])
	n := int(h.Length)
	if n < HeaderLen || n > len(b) {
		return h, nil, nil, BadSize
	}
	payload, rest = b[HeaderLen:n:n], b[n:]
	if b[0]>>4 != version {
		return h, nil, rest, WrongVersion
	}
	if h.hasRange() {
		switch {
		case len(b) < ControlLen:
			return h, nil, nil, Truncated
		case n < ControlLen:
			return h, nil, nil, BadSize
		}
		h.From = binary.BigEndian.Uint32(b[8:])
		h.To = binary.BigEndian.Uint32(b[12:])
		payload = b[ControlLen:n:n]
	}
	if !h.valid() {
		return h, nil, rest, BadHeader
	}
	return h, payload, rest, nil
}

// valid reports whether the type is known and the flags are those of its messages. As
// with conntrack-tools a control message may have any flags beside those that say what
// it is.
func (h *Header) valid() bool {
	switch {
	case h.Type <= ExpectDelete, h.Type == Extension:
		return h.Flags&^flagsData == 0
	case h.Type == Control:
		return h.Flags&(flagsRange|FlagAlive) != 0
	}
	return false
}

// Alarm returns what the message, of which Next has returned err, is in mode ALARM: one
// with flags is ignored, and one of a type that brings no entries is a BadType.
func (h *Header) Alarm(err error) (ignore bool, _ error) {
	switch {
	case err != nil && err != error(BadHeader):
		return false, err
	case h.Flags != 0:
		return true, nil
	case h.Type > ExpectDelete && h.Type != Extension:
		return false, BadType
	}
	return false, nil
}
