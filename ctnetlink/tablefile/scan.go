package tablefile

import (
	"encoding/binary"
	"errors"
	"io"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/ctnetlink/snapshot"
	"github.com/gonntrack/gonntrack/internal/atomicfile"
	"github.com/gonntrack/gonntrack/internal/wire"
)

// scan answers a dump from the file, message by message. No table is loaded,
// and memory does not grow with the file. It selects by family only and ignores
// other filters, as an old kernel does; the client checks every entry again.
type scan struct {
	f        *File
	contents io.ReadSeekCloser // nil: there is no file
	r        *snapshot.Reader
	subsys   uint16
	family   ctnetlink.Family
	seq      uint32
	age      uint64 // seconds since the time in the header, rounded up
	stopped  bool   // the timeouts are shown as of that time
	pending  []byte // the message that did not fit into a datagram
	ended    bool
}

// datagramSize is the size of a dump's datagrams: the kernel's for a reader
// with a large buffer.
const datagramSize = 32 << 10

// scan starts the dump that a request asks for. If the file is damaged anywhere
// nothing is listed.
func (f *File) scan(request wire.Message) (*scan, error) {
	file, st, err := f.open()
	if err != nil {
		return nil, err
	}
	s := &scan{f: f, subsys: request.Type() >> 8, family: ctnetlink.Family(request.Family()), seq: request.Seq()}
	if file == nil {
		return s, nil
	}
	if s.contents, err = atomicfile.Detach(file); err != nil {
		return nil, f.wrap(err)
	}
	if err := s.check(); err != nil {
		s.contents.Close()
		return nil, f.wrap(err)
	}
	if age := time.Since(st.time); age > 0 {
		s.age = uint64((age + time.Second - 1) / time.Second)
	}
	s.stopped = f.setClock(&st)
	f.listed = st
	f.ended.Store(0)
	return s, nil
}

// check reads the whole file once and seeks back to the start.
func (s *scan) check() error {
	r, err := snapshot.NewReader(s.contents)
	for err == nil {
		_, err = r.Next()
	}
	if !errors.Is(err, io.EOF) {
		return err
	}
	if _, err = s.contents.Seek(0, io.SeekStart); err != nil {
		return err
	}
	s.r, err = snapshot.NewReader(s.contents)
	return err
}

// next fills b with the next datagram.
func (s *scan) next(b []byte) (n int, err error) {
	if s.ended {
		return 0, ctnetlink.EAGAIN
	}
	b = b[:min(len(b), datagramSize)]
	for {
		m := s.pending
		if m == nil {
			if m, err = s.read(); err != nil {
				return 0, s.f.wrap(err)
			}
		}
		if m == nil {
			if n == 0 {
				s.ended = true
				return s.done(b)
			}
			return n, nil
		}
		if n+len(m) > len(b) {
			if n == 0 {
				return 0, ctnetlink.ErrTruncated
			}
			s.pending = m
			return n, nil
		}
		s.pending = nil
		n += copy(b[n:], m)
		for ; n%4 != 0 && n < len(b); n++ {
			b[n] = 0
		}
	}
}

// read returns the next message to list, with its timeout as of now; nil at the
// end.
func (s *scan) read() ([]byte, error) {
	if s.contents == nil {
		return nil, nil
	}
	for {
		next, err := s.r.Next()
		if errors.Is(err, io.EOF) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		m := wire.Message(next)
		if m.Type()>>8 != s.subsys || s.family != ctnetlink.FamilyAny && ctnetlink.Family(m.Family()) != s.family {
			continue
		}
		if t := timeout(m); t != nil {
			left := uint64(be32(t))
			switch {
			case s.stopped && left < s.age:
				s.f.ended.Add(1)
			case s.stopped:
			case left < s.age, left == 0:
				continue // it has expired
			default:
				binary.BigEndian.PutUint32(t, uint32(left-s.age))
			}
		}
		m.SetSeq(s.seq)
		return m, nil
	}
}

// done writes NLMSG_DONE, the end of the dump, with error number 0.
func (s *scan) done(b []byte) (int, error) {
	const size = wire.HeaderLen + 4
	if len(b) < size {
		return 0, ctnetlink.ErrTruncated
	}
	w := wire.Builder{B: b[:0]}
	w.BeginPlain(wire.TypeDone, wire.FlagMulti, s.seq, 0)
	w.B = append(w.B, 0, 0, 0, 0)
	w.End()
	return size, nil
}

func (s *scan) close() {
	if s.contents != nil {
		s.contents.Close()
	}
}
