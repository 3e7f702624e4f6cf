package snapshot

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"time"

	"github.com/gonntrack/gonntrack/internal/wire"
)

// Header is the header of a snapshot.
type Header struct {
	// Time is when the table was read: remaining timeouts count from it.
	Time time.Time
	// Serial differs between any two states of the same table. It has 63 bits.
	Serial uint64
	// Stopped reports that the timeouts do not run: the table is as it was at
	// Time, whenever it is read.
	Stopped bool
	// Foreign reports that the snapshot was written in the other byte order. A
	// Reader converts the messages; a Writer ignores the field.
	Foreign bool
}

const (
	magic     = "\x89CTN\r\n\x1a\n"
	orderMark = 0xfeff
	stopped   = 1 << 63 // in the word of the serial
	version   = 1
	endLen    = wire.HeaderLen + 12

	// HeaderLen is the length of the header in bytes.
	HeaderLen = 32
)

// castagnoli returns the table of CRC-32C; its first call makes it.
func castagnoli() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) }

// Writer encodes a snapshot into slices of the caller: AppendHeader once, Append
// for each message, AppendEnd once. The caller writes what was appended, in this
// order. The zero Writer is ready to use.
type Writer struct {
	crc   uint32
	count uint64
}

// Count returns how many messages were appended.
func (w *Writer) Count() uint64 { return w.count }

// AppendHeader appends the header to dst and returns the extended slice.
func (w *Writer) AppendHeader(dst []byte, h Header) []byte {
	start := len(dst)
	dst = append(dst, magic...)
	dst = binary.NativeEndian.AppendUint16(dst, orderMark)
	dst = binary.NativeEndian.AppendUint16(dst, version)
	dst = binary.NativeEndian.AppendUint32(dst, HeaderLen)
	dst = binary.NativeEndian.AppendUint64(dst, uint64(h.Time.UnixNano()))
	serial := h.Serial &^ stopped
	if h.Stopped {
		serial |= stopped
	}
	dst = binary.NativeEndian.AppendUint64(dst, serial)
	w.checksum(dst[start:])
	return dst
}

// Append appends msg, an entry or an expectation, to dst and returns the
// extended slice. The message is one that a table answers with, such as
// [ctnetlink.Flow.Message] returns: whole, in this machine's byte order.
func (w *Writer) Append(dst, msg []byte) []byte {
	start := len(dst)
	dst = append(dst, msg...)
	for (len(dst)-start)%4 != 0 {
		dst = append(dst, 0)
	}
	m := wire.Message(dst[start:])
	m.SetFlags(wire.FlagMulti)
	m.SetSeq(0)
	m.SetPortID(0)
	w.checksum(dst[start:])
	w.count++
	return dst
}

// AppendEnd appends the end mark to dst and returns the extended slice.
func (w *Writer) AppendEnd(dst []byte) []byte {
	start := len(dst)
	dst = binary.NativeEndian.AppendUint32(dst, endLen)
	dst = binary.NativeEndian.AppendUint16(dst, wire.TypeDone)
	dst = append(dst, make([]byte, 10)...) // flags, sequence number, port id
	dst = binary.NativeEndian.AppendUint64(dst, w.count)
	w.checksum(dst[start:])
	return binary.NativeEndian.AppendUint32(dst, w.crc)
}

func (w *Writer) checksum(b []byte) { w.crc = crc32.Update(w.crc, castagnoli(), b) }

// Error is a defect of a snapshot.
type Error struct {
	Offset  int64  // where, in bytes from the beginning
	Problem string // what is wrong
}

func (e *Error) Error() string { return fmt.Sprintf("byte %d: %s", e.Offset, e.Problem) }

// maxMessage bounds the length of a message: attributes have lengths of
// 16 bits, and so have the places where a view looks for them.
const maxMessage = 1 << 16

// Reader reads a snapshot as a stream; its memory does not grow with the table.
// A defect of the snapshot is reported as an *[Error]; errors of the underlying
// io.Reader are returned unchanged.
type Reader struct {
	header Header
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

// IsSnapshot reports whether text begins as a snapshot does.
func IsSnapshot[T []byte | string](text T) bool {
	return len(text) >= len(magic) && string(text[:len(magic)]) == magic
}

// NewReader reads the header from r and returns a Reader of the messages.
func NewReader(r io.Reader) (*Reader, error) {
	s := &Reader{r: r, buf: make([]byte, 4*maxMessage)}
	b, err := s.peek(HeaderLen)
	if err != nil {
		return nil, err
	}
	if s.header, s.order, err = decodeHeader(b); err != nil {
		return nil, err
	}
	s.checksum(b)
	s.take(HeaderLen)
	return s, nil
}

// ReadHeader reads the header alone, the first HeaderLen bytes of r.
func ReadHeader(r io.Reader) (Header, error) {
	var b [HeaderLen]byte
	n, err := io.ReadFull(r, b[:])
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return Header{}, err
	}
	h, _, err := decodeHeader(b[:n])
	return h, err
}

// isText reports whether bytes are printable ASCII characters, blanks and newlines.
func isText(b []byte) bool {
	for _, c := range b {
		if (c < ' ' || c > '~') && c != '\t' && c != '\n' && c != '\r' {
			return false
		}
	}
	return true
}

func decodeHeader(b []byte) (h Header, order binary.ByteOrder, err error) {
	wrong := func(offset int64, form string, args ...any) error {
		return &Error{offset, fmt.Sprintf(form, args...)}
	}
	start := b[:min(len(b), len(magic))]
	switch {
	case len(b) == 0:
		return h, nil, wrong(0, "the file is empty")
	case string(start) != magic[:len(start)] && isText(start):
		return h, nil, wrong(0, "not a table file but a text: it begins with %q", start)
	case string(start) != magic[:len(start)]:
		return h, nil, wrong(0, "not a table file: it begins with % x, not % x", start, magic)
	case len(b) < HeaderLen:
		return h, nil, wrong(int64(len(b)), "the file ends within the header")
	}
	order = binary.NativeEndian
	switch mark := b[8:10]; {
	case order.Uint16(mark) == orderMark:
	case otherEndian.Uint16(mark) == orderMark:
		order, h.Foreign = otherEndian, true
	default:
		return h, nil, wrong(8, "% x is not a byte order mark", mark)
	}
	if v := order.Uint16(b[10:]); v != version {
		return h, nil, wrong(10, "unknown version %d, expected %d", v, version)
	}
	if n := order.Uint32(b[12:]); n != HeaderLen {
		return h, nil, wrong(12, "header of %d bytes, expected %d", n, HeaderLen)
	}
	h.Time = time.Unix(0, int64(order.Uint64(b[16:])))
	h.Serial = order.Uint64(b[24:])
	h.Stopped = h.Serial&stopped != 0
	h.Serial &^= stopped
	return h, order, nil
}

// Header returns the header that NewReader read.
func (s *Reader) Header() Header { return s.header }

// Offset returns where the next message begins, in bytes from the beginning.
func (s *Reader) Offset() int64 { return s.offset }

// Next returns the next message in this machine's byte order, or io.EOF after
// the last one, when the end mark was found and the checksum is right. The
// lengths of the message and of its attributes have been checked; the slice is
// valid until the next call.
func (s *Reader) Next() ([]byte, error) {
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

func (s *Reader) next() ([]byte, error) {
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
	case length < wire.HeadLen || length > maxMessage:
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
	s.checksum(b)
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
func (s *Reader) finish(length int64) error {
	if length != endLen {
		return s.wrong(0, "end mark of %d bytes, expected %d", length, endLen)
	}
	b, err := s.peek(endLen)
	if err != nil {
		return err
	}
	if len(b) < endLen {
		return s.cutOff(len(b))
	}
	s.checksum(b[:endLen-4])
	if n := s.order.Uint64(b[16:]); n != s.count {
		return s.wrong(16, "the end mark counts %d messages, but there are %d", n, s.count)
	}
	if sum := s.order.Uint32(b[24:]); sum != s.crc {
		return s.wrong(24, "checksum mismatch: the end mark has %08x, the data %08x", sum, s.crc)
	}
	s.take(endLen)
	if b, err = s.peek(1); err != nil {
		return err
	}
	if len(b) > 0 {
		return s.wrong(0, "data after the end mark")
	}
	return io.EOF
}

func (s *Reader) checksum(b []byte) { s.crc = crc32.Update(s.crc, castagnoli(), b) }

// wrong returns an error about the byte at an offset from the current message.
func (s *Reader) wrong(at int, form string, args ...any) error {
	return &Error{s.offset + int64(at), fmt.Sprintf(form, args...)}
}

func (s *Reader) cutOff(rest int) error {
	return s.wrong(rest, "the file is truncated (%d complete messages before this point)", s.count)
}

// peek returns n bytes that were not taken, at most a buffer full; fewer at the
// end.
func (s *Reader) peek(n int) ([]byte, error) {
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

func (s *Reader) take(n int) {
	s.at += n
	s.offset += int64(n)
}
