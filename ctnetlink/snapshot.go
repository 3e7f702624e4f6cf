package ctnetlink

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"time"

	"github.com/gonntrack/gonntrack/internal/wire"
)

// A snapshot is a table as a stream of bytes: what `conntrack -L -o netlink`
// writes and what a table file holds. Every word of it is in the byte order of
// the machine that wrote it, as netlink's own words are; a reader of the other
// order swaps them. It has three parts.
//
// The header, 32 bytes:
//
//	0   8  89 43 54 4e 0d 0a 1a 0a ("\x89CTN\r\n\x1a\n"): no text, and not what
//	       a transfer as text makes of it
//	8   2  u16 0xfeff, the byte order mark: ff fe little endian, fe ff big endian
//	10  2  u16 1, the version
//	12  4  u32 32, the length of the header
//	16  8  i64 nanoseconds since 1970-01-01 00:00 UTC: the time from which the
//	       remaining timeouts (CTA_TIMEOUT, CTA_EXPECT_TIMEOUT) count
//	24  8  u64 serial: a number that no other state of the same table has
//
// Then messages, as a dump of the kernel has them, each padded to a multiple of
// 4 bytes: IPCTNL_MSG_CT_NEW of subsystem 1 (type 0x100) for every entry, and
// IPCTNL_MSG_EXP_NEW of subsystem 2 (type 0x200) for every expectation. Sequence
// number and port id are 0, the flags are NLM_F_MULTI.
//
// Then the end mark, an NLMSG_DONE message of 28 bytes, by which a stream that
// broke off between two messages is known:
//
//	0   16  nlmsghdr: length 28, type 3, the rest 0
//	16  8   u64 the number of messages before it
//	24  4   u32 CRC-32C (Castagnoli, RFC 3720) of every byte before these four
//
// Nothing follows it.
type SnapshotHeader struct {
	// Time is when the timeouts began to run.
	Time time.Time
	// Serial tells one state of a table from another.
	Serial uint64
	// Foreign says that the snapshot is of the other byte order. The reader's
	// messages are in this machine's all the same.
	Foreign bool
}

const (
	snapshotMagic     = "\x89CTN\r\n\x1a\n"
	snapshotOrderMark = 0xfeff
	snapshotVersion   = 1
	snapshotEndLen    = wire.HeaderLen + 12

	// SnapshotHeaderLen is the length of a snapshot's header in bytes.
	SnapshotHeaderLen = 32
)

// castagnoli returns the table of CRC-32C; its first call makes it.
func castagnoli() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) }

// SnapshotWriter makes a snapshot, piece by piece, in slices of the caller's:
// AppendHeader once, Append for each message, AppendEnd once. Every byte that
// it appends is to be written, in this order, and nothing else.
type SnapshotWriter struct {
	crc   uint32
	count uint64
}

// Count returns how many messages were appended.
func (w *SnapshotWriter) Count() uint64 { return w.count }

// AppendHeader appends the header. Foreign has no meaning here.
func (w *SnapshotWriter) AppendHeader(dst []byte, h SnapshotHeader) []byte {
	start := len(dst)
	dst = append(dst, snapshotMagic...)
	dst = binary.NativeEndian.AppendUint16(dst, snapshotOrderMark)
	dst = binary.NativeEndian.AppendUint16(dst, snapshotVersion)
	dst = binary.NativeEndian.AppendUint32(dst, SnapshotHeaderLen)
	dst = binary.NativeEndian.AppendUint64(dst, uint64(h.Time.UnixNano()))
	dst = binary.NativeEndian.AppendUint64(dst, h.Serial)
	w.note(dst[start:])
	return dst
}

// Append appends an entry or an expectation: a whole message as a table answers
// with it, header included, in this machine's byte order.
func (w *SnapshotWriter) Append(dst, msg []byte) []byte {
	start := len(dst)
	dst = append(dst, msg...)
	for (len(dst)-start)%4 != 0 {
		dst = append(dst, 0)
	}
	binary.NativeEndian.PutUint16(dst[start+6:], wire.FlagMulti)
	clear(dst[start+8 : start+16]) // sequence number and port id
	w.note(dst[start:])
	w.count++
	return dst
}

// AppendEnd appends the end mark.
func (w *SnapshotWriter) AppendEnd(dst []byte) []byte {
	start := len(dst)
	dst = binary.NativeEndian.AppendUint32(dst, snapshotEndLen)
	dst = binary.NativeEndian.AppendUint16(dst, wire.TypeDone)
	dst = append(dst, make([]byte, 10)...) // flags, sequence number, port id
	dst = binary.NativeEndian.AppendUint64(dst, w.count)
	w.note(dst[start:])
	return binary.NativeEndian.AppendUint32(dst, w.crc)
}

func (w *SnapshotWriter) note(b []byte) { w.crc = crc32.Update(w.crc, castagnoli(), b) }

// SnapshotError says what is wrong with a snapshot, and where.
type SnapshotError struct {
	Offset  int64 // in bytes from the beginning
	Problem string
}

func (e *SnapshotError) Error() string { return fmt.Sprintf("byte %d: %s", e.Offset, e.Problem) }

// maxSnapshotMessage bounds the length of a message: attributes have lengths of
// 16 bits, and so have the places where a view looks for them.
const maxSnapshotMessage = 1 << 16

// SnapshotReader reads a snapshot as a stream; its memory does not grow with the
// table. What is wrong is a *SnapshotError, what the reader below it says is
// passed on.
type SnapshotReader struct {
	header SnapshotHeader
	r      io.Reader
	order  binary.ByteOrder
	buf    []byte // buf[at:end] is read and not yet taken
	at     int
	end    int
	offset int64 // of buf[at] in the snapshot
	eof    bool
	crc    uint32
	count  uint64
	err    error // what ended it
}

// NewSnapshotReader reads the header.
func NewSnapshotReader(r io.Reader) (*SnapshotReader, error) {
	s := &SnapshotReader{r: r, buf: make([]byte, 4*maxSnapshotMessage)}
	b, err := s.peek(SnapshotHeaderLen)
	if err != nil {
		return nil, err
	}
	if s.header, s.order, err = decodeSnapshotHeader(b); err != nil {
		return nil, err
	}
	s.note(b)
	s.take(SnapshotHeaderLen)
	return s, nil
}

// ReadSnapshotHeader reads the header alone: SnapshotHeaderLen bytes of r.
func ReadSnapshotHeader(r io.Reader) (SnapshotHeader, error) {
	var b [SnapshotHeaderLen]byte
	n, err := io.ReadFull(r, b[:])
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return SnapshotHeader{}, err
	}
	h, _, err := decodeSnapshotHeader(b[:n])
	return h, err
}

func decodeSnapshotHeader(b []byte) (h SnapshotHeader, order binary.ByteOrder, err error) {
	wrong := func(offset int64, form string, args ...any) error {
		return &SnapshotError{offset, fmt.Sprintf(form, args...)}
	}
	magic := b[:min(len(b), len(snapshotMagic))]
	switch {
	case len(b) == 0:
		return h, nil, wrong(0, "the file is empty")
	case string(magic) != snapshotMagic[:len(magic)]:
		return h, nil, wrong(0, "not a table file: it begins with % x, not % x", magic, snapshotMagic)
	case len(b) < SnapshotHeaderLen:
		return h, nil, wrong(int64(len(b)), "the file ends within the header")
	}
	order = binary.NativeEndian
	switch mark := b[8:10]; {
	case order.Uint16(mark) == snapshotOrderMark:
	case otherEndian.Uint16(mark) == snapshotOrderMark:
		order, h.Foreign = otherEndian, true
	default:
		return h, nil, wrong(8, "% x is not a byte order mark", mark)
	}
	if v := order.Uint16(b[10:]); v != snapshotVersion {
		return h, nil, wrong(10, "unknown version %d, expected %d", v, snapshotVersion)
	}
	if n := order.Uint32(b[12:]); n != SnapshotHeaderLen {
		return h, nil, wrong(12, "header of %d bytes, expected %d", n, SnapshotHeaderLen)
	}
	h.Time = time.Unix(0, int64(order.Uint64(b[16:])))
	h.Serial = order.Uint64(b[24:])
	return h, order, nil
}

// Header returns the header.
func (s *SnapshotReader) Header() SnapshotHeader { return s.header }

// Offset returns where the next message begins.
func (s *SnapshotReader) Offset() int64 { return s.offset }

// Next returns the next message, valid until the following call, in this
// machine's byte order; io.EOF behind a whole snapshot's last. Its lengths and
// those of its attributes fit together.
func (s *SnapshotReader) Next() ([]byte, error) {
	if s.err != nil {
		return nil, s.err
	}
	msg, err := s.next()
	if err != nil {
		s.err = err
		return nil, err
	}
	return msg, nil
}

func (s *SnapshotReader) next() ([]byte, error) {
	b, err := s.peek(wire.HeaderLen)
	if err != nil {
		return nil, err
	}
	if len(b) < wire.HeaderLen {
		return nil, s.cutOff(len(b))
	}
	typ := s.order.Uint16(b[4:])
	length := int64(s.order.Uint32(b))
	switch {
	case typ == wire.TypeDone:
		return nil, s.finish(length)
	case typ != wire.SubsysConntrack<<8|wire.MsgNew && typ != wire.SubsysExpect<<8|wire.MsgNew:
		return nil, s.wrong(4, "unexpected message type %#x", typ)
	case length < wire.HeadLen || length > maxSnapshotMessage:
		return nil, s.wrong(0, "a message of %d bytes", length)
	}
	n := int(length)
	whole := wire.Align(n)
	if b, err = s.peek(whole); err != nil {
		return nil, err
	}
	if len(b) < whole {
		return nil, s.cutOff(len(b))
	}
	s.note(b)
	msg := b[:n]
	if s.header.Foreign {
		swapHeader(msg)
	}
	if at, ok := checkAttributes(msg[wire.HeadLen:], s.header.Foreign); !ok {
		return nil, s.wrong(wire.HeadLen+at, "attribute length does not fit the message")
	}
	s.take(whole)
	s.count++
	return msg, nil
}

// finish reads the end mark, and returns io.EOF when all is well.
func (s *SnapshotReader) finish(length int64) error {
	if length != snapshotEndLen {
		return s.wrong(0, "end mark of %d bytes, expected %d", length, snapshotEndLen)
	}
	b, err := s.peek(snapshotEndLen)
	if err != nil {
		return err
	}
	if len(b) < snapshotEndLen {
		return s.cutOff(len(b))
	}
	s.note(b[:snapshotEndLen-4])
	if n := s.order.Uint64(b[16:]); n != s.count {
		return s.wrong(16, "the end mark counts %d messages, but there are %d", n, s.count)
	}
	if sum := s.order.Uint32(b[24:]); sum != s.crc {
		return s.wrong(24, "checksum mismatch: the end mark has %08x, the data %08x", sum, s.crc)
	}
	s.take(snapshotEndLen)
	if b, err = s.peek(1); err != nil {
		return err
	}
	if len(b) > 0 {
		return s.wrong(0, "data after the end mark")
	}
	return io.EOF
}

func (s *SnapshotReader) note(b []byte) { s.crc = crc32.Update(s.crc, castagnoli(), b) }

// wrong makes an error about the bytes at an offset from where the reader is.
func (s *SnapshotReader) wrong(at int, form string, args ...any) error {
	return &SnapshotError{s.offset + int64(at), fmt.Sprintf(form, args...)}
}

func (s *SnapshotReader) cutOff(rest int) error {
	return s.wrong(rest, "the file is truncated (%d complete messages before this point)", s.count)
}

// peek returns n bytes that were not taken, at most a buffer full; fewer at the
// end.
func (s *SnapshotReader) peek(n int) ([]byte, error) {
	for s.end-s.at < n && !s.eof {
		if s.at+n > len(s.buf) {
			s.end = copy(s.buf, s.buf[s.at:s.end])
			s.at = 0
		}
		m, err := s.r.Read(s.buf[s.end:])
		s.end += m
		if errors.Is(err, io.EOF) {
			s.eof = true
		} else if err != nil {
			return nil, err
		}
	}
	return s.buf[s.at:min(s.at+n, s.end)], nil
}

func (s *SnapshotReader) take(n int) {
	s.at += n
	s.offset += int64(n)
}
