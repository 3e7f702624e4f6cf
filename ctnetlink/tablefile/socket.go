package tablefile

import (
	"os"
	"sync/atomic"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/ctnetlink/engine"
	"github.com/gonntrack/gonntrack/internal/wire"
)

// socket answers from the table that is in the file at the time of the request.
type socket struct {
	file   *File
	closed atomic.Bool

	table    *engine.Table // the table of inner
	inner    ctnetlink.Socket
	scan     *scan     // the running dump, if it reads the file
	follower *follower // not nil after Join
	zeroing  bool      // the running dump resets counters
	bytes    int       // size of the receive buffer
}

// request says what the messages in a datagram ask for.
type request struct {
	changes int  // number of messages that change the table
	zeroes  bool // one is a dump that resets counters
	list    bool // it is a dump that scan can answer
}

func classify(b []byte) (r request) {
	n := 0
	m := wire.Messages{B: b}
	for ; m.Next(); n++ {
		dump := m.Msg.IsDump()
		if changes(m.Msg.Type()) {
			r.changes++
		}
		switch m.Msg.Type() {
		case wire.SubsysConntrack<<8 | wire.MsgGetCtrZero:
			r.zeroes = r.zeroes || dump
		case wire.SubsysConntrack<<8 | wire.MsgGet:
			r.list = dump && len(m.Msg) >= wire.HeadLen
		case wire.SubsysExpect<<8 | wire.MsgGet:
			r.list = dump && len(m.Msg) == wire.HeadLen // without a master
		}
	}
	r.list = r.list && n == 1
	return r
}

// changes reports whether a request of that type changes the table.
func changes(typ uint16) bool {
	switch typ {
	case typeEntry, wire.SubsysConntrack<<8 | wire.MsgDelete, wire.SubsysConntrack<<8 | wire.MsgGetCtrZero,
		typeExpect, wire.SubsysExpect<<8 | wire.MsgDelete:
		return true
	}
	return false
}

func (s *socket) Send(b []byte) error {
	f := s.file
	f.mu.Lock()
	defer f.mu.Unlock()
	if s.closed.Load() {
		return os.ErrClosed
	}
	s.endScan()
	r := classify(b)
	if r.changes > 0 {
		if err := f.begin(); err != nil {
			return err
		}
	} else if r.list && f.lock == nil {
		scan, err := f.scan(b)
		if err != nil {
			return err
		}
		s.scan = scan
		return nil
	}
	if err := s.dial(); err != nil {
		return err
	}
	f.changes += r.changes
	if r.zeroes && !s.zeroing {
		s.zeroing = true
		f.zeroing++
	}
	err := s.inner.Send(b)
	if nerr := f.journal.collect(); err == nil {
		err = nerr
	}
	return err
}

// dial makes inner a socket of the current table.
func (s *socket) dial() error {
	f := s.file
	if err := f.current(); err != nil {
		return err
	}
	if s.inner != nil && s.table == f.table {
		return nil
	}
	s.closeInner()
	inner := f.first
	f.first = nil
	if inner == nil {
		var err error
		if inner, err = f.table.Dial(); err != nil {
			return err
		}
	}
	s.inner, s.table = inner, f.table
	if s.bytes == 0 {
		return nil
	}
	_, err := inner.SetReadBuffer(s.bytes)
	return err
}

func (s *socket) Receive(b []byte) (int, uint32, error) {
	return s.receive(b, ctnetlink.Socket.Receive, (*follower).receive)
}

func (s *socket) Poll(b []byte) (int, uint32, error) {
	return s.receive(b, ctnetlink.Socket.Poll, (*follower).poll)
}

func (s *socket) receive(b []byte, answer func(ctnetlink.Socket, []byte) (int, uint32, error),
	events func(*follower, []byte) (int, error)) (int, uint32, error) {
	if s.scan != nil {
		n, err := s.scan.next(b)
		return n, 0, err
	}
	if s.follower != nil {
		n, err := events(s.follower, b)
		return n, 0, err
	}
	s.file.mu.Lock()
	inner, zeroing := s.inner, s.zeroing
	s.file.mu.Unlock()
	if inner == nil {
		return 0, 0, ctnetlink.EAGAIN
	}
	n, from, err := answer(inner, b)
	if err == nil {
		s.countRefusals(b[:n], zeroing)
	}
	return n, from, err
}

// countRefusals takes refused changes, which changed nothing, off the number of
// changes. A refused update may have changed something, but its error is another
// one. A question for an entry that is not there is no change.
func (s *socket) countRefusals(b []byte, zeroing bool) {
	refused, ended := 0, false
	m := wire.Messages{B: b}
	for m.Next() {
		switch m.Msg.Type() {
		case wire.TypeDone:
			ended = true
		case wire.TypeError:
			ended = true
			errno, ok := m.Msg.Errno()
			if !ok || !changes(refusedType(m.Msg)) {
				continue
			}
			switch ctnetlink.Errno(errno) {
			case ctnetlink.EEXIST, ctnetlink.ENOENT:
				refused++
			}
		}
	}
	if refused == 0 && !zeroing {
		return
	}
	f := s.file
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.lock == nil {
		return
	}
	f.changes = max(f.changes-refused, 0)
	if zeroing {
		f.changes++
		if ended {
			s.endZeroing()
		}
	}
}

// refusedType returns the type of the request that an error is the answer to.
// The request's header follows the error number.
func refusedType(answer wire.Message) uint16 {
	if len(answer) < 2*wire.HeaderLen+4 {
		return 0
	}
	return wire.Message(answer[wire.HeaderLen+4:]).Type()
}

func (s *socket) endZeroing() {
	if s.zeroing {
		s.zeroing = false
		s.file.zeroing--
	}
}

// Join makes the socket follow the changes that are committed to the file, by
// this process too.
func (s *socket) Join(g ctnetlink.Group) error {
	if s.follower == nil {
		w, err := s.file.follow()
		if err != nil {
			return err
		}
		s.follower = w
	}
	s.follower.join(g)
	return nil
}

// SetReadBuffer returns twice the number of bytes, as Linux does. It does not
// bound events, which wait in the spool.
func (s *socket) SetReadBuffer(bytes int) (int, error) {
	s.bytes = bytes
	if s.inner != nil {
		return s.inner.SetReadBuffer(bytes)
	}
	return 2 * bytes, nil
}

func (s *socket) Lost() uint64 {
	if s.follower == nil {
		return 0
	}
	return s.follower.lostEvents()
}

func (s *socket) Queued() int {
	if s.follower == nil {
		return 0
	}
	return s.follower.queued()
}

func (s *socket) Close() error {
	if s.closed.Swap(true) {
		return nil
	}
	if s.follower != nil {
		s.follower.close()
	}
	s.file.mu.Lock()
	defer s.file.mu.Unlock()
	if s.scan != nil {
		s.scan.close() // a Receive may be running
	}
	s.closeInner()
	return nil
}

func (s *socket) closeInner() {
	s.endZeroing()
	if s.inner != nil {
		s.inner.Close()
		s.inner = nil
	}
}

// endScan ends a dump, since another request follows it.
func (s *socket) endScan() {
	if s.scan != nil {
		s.scan.close()
		s.scan = nil
	}
}
