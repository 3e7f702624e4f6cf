package ctnetlink

import (
	"encoding/binary"
	"os"
	"sync"
	"testing"

	"github.com/gonntrack/gonntrack/internal/wire"
)

// datagram is what a fakeSocket receives.
type datagram struct {
	b    []byte
	from uint32
	err  error
}

// fakeSocket receives what it is given, after something was sent, and then
// waits to be closed. It answers nothing as a kernel would: it is for input
// that the kernel never sends.
type fakeSocket struct {
	mu        sync.Mutex
	sent      [][]byte
	datagrams []datagram
	sendErr   error
	filter    *EventFilter // what FilterEvents refused
	received  int          // calls of Receive that had something
	once      sync.Once
	closed    chan struct{}
}

func fake(datagrams ...datagram) *fakeSocket {
	return &fakeSocket{datagrams: datagrams, closed: make(chan struct{})}
}

// conn returns a Conn on which every dial leads to the same socket.
func (s *fakeSocket) conn() *Conn {
	return NewConn(func() (Socket, error) { return s, nil })
}

func (s *fakeSocket) Send(b []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sent = append(s.sent, append([]byte(nil), b...))
	return s.sendErr
}

func (s *fakeSocket) Receive(b []byte) (int, uint32, error) {
	s.mu.Lock()
	if s.received < len(s.datagrams) {
		d := s.datagrams[s.received]
		s.received++
		s.mu.Unlock()
		if len(d.b) > len(b) {
			return 0, d.from, ErrTruncated
		}
		return copy(b, d.b), d.from, d.err
	}
	s.mu.Unlock()
	<-s.closed
	return 0, 0, os.ErrClosed
}

// Poll finds one datagram for each that was sent.
func (s *fakeSocket) Poll(b []byte) (int, uint32, error) {
	s.mu.Lock()
	waiting := s.received < min(len(s.sent), len(s.datagrams))
	s.mu.Unlock()
	if !waiting {
		return 0, 0, EAGAIN
	}
	return s.Receive(b)
}

// FilterEvents refuses, as an old kernel does.
func (s *fakeSocket) FilterEvents(q *EventFilter) error {
	s.filter = q
	return EINVAL
}

func (s *fakeSocket) Join(Group) error                 { return nil }
func (s *fakeSocket) SetReadBuffer(n int) (int, error) { return n, nil }
func (s *fakeSocket) Lost() uint64                     { return 0 }
func (s *fakeSocket) Queued() int                      { return 0 }
func (s *fakeSocket) Close() error                     { s.once.Do(func() { close(s.closed) }); return nil }

func (s *fakeSocket) isClosed() bool {
	select {
	case <-s.closed:
		return true
	default:
		return false
	}
}

// from0 is a datagram of the kernel's: the messages one after the other.
func from0(messages ...[]byte) datagram {
	var d datagram
	for _, m := range messages {
		d.b = append(d.b, m...)
	}
	return d
}

// entryMessage is a message of a dump: the i-th bench entry under an id.
func entryMessage(seq uint32, i int, id uint32) []byte {
	en := benchEntry(i)
	en.ID, en.Set = id, en.Set.With(AttrID)
	b := en.AppendMessage(nil)
	binary.NativeEndian.PutUint16(b[6:], wire.FlagMulti)
	binary.NativeEndian.PutUint32(b[8:], seq)
	return b
}

// control is a message of netlink itself: NLMSG_ERROR, NLMSG_DONE with a
// number, or any other type.
func control(typ uint16, seq uint32, errno int32) []byte {
	b := make([]byte, 20, 36)
	binary.NativeEndian.PutUint16(b[4:], typ)
	binary.NativeEndian.PutUint32(b[8:], seq)
	binary.NativeEndian.PutUint32(b[16:], uint32(-errno))
	if typ == wire.TypeError {
		b = b[:36] // the header of the request follows
	}
	binary.NativeEndian.PutUint32(b, uint32(len(b)))
	return b
}

func done(seq uint32) []byte { return control(wire.TypeDone, seq, 0) }

// attribute is one attribute whose length field may lie.
func attribute(typ uint16, length int, payload ...byte) []byte {
	if length < 0 {
		length = wire.AttrHeaderLen + len(payload)
	}
	b := binary.NativeEndian.AppendUint16(nil, uint16(length))
	b = binary.NativeEndian.AppendUint16(b, typ)
	b = append(b, payload...)
	for len(b)%4 != 0 {
		b = append(b, 0)
	}
	return b
}

// message puts headers before attributes.
func message(typ uint16, seq uint32, attributes ...[]byte) []byte {
	var e encoder
	e.begin(header{Type: typ, Flags: wire.FlagMulti, Seq: seq, Family: FamilyIPv4})
	for _, a := range attributes {
		e.B = append(e.B, a...)
	}
	e.End()
	return e.B
}

// withLength overwrites a message's length.
func withLength(b []byte, n uint32) []byte {
	b = append([]byte(nil), b...)
	binary.NativeEndian.PutUint32(b, n)
	return b
}

// ids reads a dump and returns the ids it listed.
func ids(t *testing.T, c *Conn) (ids []uint32, failed error) {
	t.Helper()
	for f, err := range c.Dump(&DumpRequest{}) {
		if err != nil {
			return ids, err
		}
		id, _ := f.ID()
		ids = append(ids, id)
	}
	return ids, nil
}
