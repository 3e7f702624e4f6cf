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

// scan answers a dump from the file itself, message by message: no table is
// made, and memory does not grow with it. It lists by family alone; the other
// filters of a request it passes over, as an old kernel does, for who asks checks
// every entry again.
type scan struct {
	f       *File
	text    io.ReadSeekCloser // nil: there is no file
	r       *snapshot.Reader
	subsys  uint16
	family  uint8
	seq     uint32
	age     uint64 // seconds since the timeouts began to run, rounded up
	waiting []byte // the message that did not fit
	ended   bool
}

// datagramSize is how much of a dump is sent at once: what the kernel sends to a
// reader whose buffer is large (af_netlink.c).
const datagramSize = 32 << 10

// scan begins the dump that a request asks for. Nothing is listed of a file that
// is damaged anywhere.
func (f *File) scan(request wire.Message) (*scan, error) {
	file, st, err := f.open()
	if err != nil {
		return nil, err
	}
	s := &scan{f: f, subsys: request.Type() >> 8, family: request.Family(), seq: request.Seq()}
	if file == nil {
		return s, nil
	}
	if s.text, err = atomicfile.Detach(file); err != nil {
		return nil, f.failed(err)
	}
	if err := s.check(); err != nil {
		s.text.Close()
		return nil, f.failed(err)
	}
	if age := time.Since(st.time); age > 0 {
		s.age = uint64((age + time.Second - 1) / time.Second)
	}
	return s, nil
}

// check reads the whole file once, and goes back to its beginning.
func (s *scan) check() error {
	r, err := snapshot.NewReader(s.text)
	for err == nil {
		_, err = r.Next()
	}
	if !errors.Is(err, io.EOF) {
		return err
	}
	if _, err = s.text.Seek(0, io.SeekStart); err != nil {
		return err
	}
	s.r, err = snapshot.NewReader(s.text)
	return err
}

// next fills b with the next datagram.
func (s *scan) next(b []byte) (n int, err error) {
	if s.ended {
		return 0, ctnetlink.EAGAIN
	}
	b = b[:min(len(b), datagramSize)]
	for {
		m := s.waiting
		if m == nil {
			if m, err = s.read(); err != nil {
				return 0, s.f.failed(err)
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
			s.waiting = m
			return n, nil
		}
		s.waiting = nil
		n += copy(b[n:], m)
		for ; n%4 != 0 && n < len(b); n++ {
			b[n] = 0
		}
	}
}

// read returns the next message of the list as it is by now, nil at the end.
func (s *scan) read() ([]byte, error) {
	if s.text == nil {
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
		if m.Type()>>8 != s.subsys || s.family != ctnetlink.FamilyAny && m.Family() != s.family {
			continue
		}
		if t := timeout(m); t != nil {
			left := uint64(be32(t))
			if left < s.age || left == 0 {
				continue // it has ended
			}
			binary.BigEndian.PutUint32(t, uint32(left-s.age))
		}
		m.SetSeq(s.seq)
		return m, nil
	}
}

// done writes the end of the dump: NLMSG_DONE with error number 0.
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
	if s.text != nil {
		s.text.Close()
	}
}
