package sync

import (
	"encoding/binary"
)

// extKind is what an Extension message is about. A receiver ignores kinds that it does
// not know.
type extKind uint8

// The kinds. What A, B, C and D mean is said behind each.
const (
	// extHello makes a node known. A: entries of the internal cache, B: seconds since
	// the role was taken, C: capabilities, D: mode. Data: the name.
	extHello extKind = 1
	// extReceived tells To up to which sequence it was received. A: the sequence.
	extReceived extKind = 2
	// extBegin begins a bulk. A: its number.
	extBegin extKind = 3
	// extPart ends a part of a bulk. A: bulk, B: part, C and D: the first and the last
	// sequence of the part.
	extPart extKind = 4
	// extEnd ends a bulk. A: bulk, B: number of parts.
	extEnd extKind = 5
	// extGot answers extBegin, extPart and extEnd. A: bulk, B: part, beginPart or
	// endPart, C and D: as extPart. Data: a bit for each sequence that has arrived,
	// the lowest bit of the first byte for the first.
	extGot extKind = 6
	// extAsk asks a node of its tables. A: number of the question, B: which message of
	// the answer is wanted first; it and some behind it are sent. Flags and data: see
	// question.
	extAsk extKind = 7
	// extTell is a message of an answer. A: number of the question, B: of the message,
	// from 0 on, C: how many there are.
	extTell extKind = 8
)

// Parts that are none.
const (
	beginPart = 1<<32 - 1
	endPart   = 1<<32 - 2
)

const (
	// extRole masks the role in the flags of an extHello.
	extRole = 0x0f
	// capRefresh: the node tells again of entries that outlive their timeouts.
	capRefresh = 1
	// capExpect: the node keeps expectations alike, and answers questions of them.
	capExpect = 1 << 1
)

// extLen is the length of an Extension message without its header and data; extMax is
// how much data there may be at most, so that it fits a datagram.
const (
	extLen     = 36
	extVersion = 1
	extMax     = 1024
)

// extension is an Extension message: header (type 9, no flags, the sequence of the last
// message of another type, so that a node which tracks the sequences of messages that it
// does not know finds neither a gap nor a number that comes twice for data), then kind,
// version, flags (big endian, 16 bits), the number of the node that sends, of the one
// that it is for (64 bits), A, B, C and D (32 bits), and data up to the end.
type extension struct {
	Kind       extKind
	Flags      uint16
	Node, To   uint64 // To 0: all
	A, B, C, D uint32
	Data       []byte // at most extMax bytes
}

// append appends the payload of the message.
func (e *extension) append(dst []byte) []byte {
	dst = append(dst, byte(e.Kind), extVersion)
	dst = binary.BigEndian.AppendUint16(dst, e.Flags)
	dst = binary.BigEndian.AppendUint64(dst, e.Node)
	dst = binary.BigEndian.AppendUint64(dst, e.To)
	for _, v := range [...]uint32{e.A, e.B, e.C, e.D} {
		dst = binary.BigEndian.AppendUint32(dst, v)
	}
	return append(dst, e.Data[:min(len(e.Data), extMax)]...)
}

// parse sets e to a payload, of which Data is a part. It reports whether the payload is
// one: versions to come may append to what is here, and change what it means only with
// a new kind.
func (e *extension) parse(payload []byte) bool {
	if len(payload) < extLen || payload[1] < extVersion || len(payload)-extLen > extMax {
		return false
	}
	*e = extension{
		Kind:  extKind(payload[0]),
		Flags: binary.BigEndian.Uint16(payload[2:]),
		Node:  binary.BigEndian.Uint64(payload[4:]),
		To:    binary.BigEndian.Uint64(payload[12:]),
		A:     binary.BigEndian.Uint32(payload[20:]),
		B:     binary.BigEndian.Uint32(payload[24:]),
		C:     binary.BigEndian.Uint32(payload[28:]),
		D:     binary.BigEndian.Uint32(payload[32:]),
		Data:  payload[extLen:],
	}
	return e.Node != 0
}
