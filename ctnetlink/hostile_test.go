package ctnetlink

import (
	"bytes"
	"encoding/binary"
	"errors"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/internal/testwait"
	"github.com/gonntrack/gonntrack/internal/wire"
)

// TestDumpHostile feeds Dump what a kernel never sends. The dump of a new Conn
// has sequence number 1.
func TestDumpHostile(t *testing.T) {
	entry := func(i int) []byte { return entryMessage(1, i, uint32(i)) }
	foreign := func(d datagram) datagram { d.from = 4711; return d }
	short := message(wire.SubsysConntrack<<8, 1, attribute(uint16(AttrID), -1, 1, 2))
	expectation := message(wire.SubsysExpect<<8, 1, attribute(wire.ExpectID, -1, 0, 0, 0, 9))

	for _, tt := range []struct {
		name      string
		datagrams []datagram
		want      []uint32
		err       error
	}{
		{"an ordinary dump", []datagram{from0(entry(1), entry(2)), from0(entry(3)), from0(done(1))}, []uint32{1, 2, 3}, nil},
		{"nothing", []datagram{from0(done(1))}, nil, nil},
		{"DONE behind entries", []datagram{from0(entry(1), entry(2), done(1), entry(3))}, []uint32{1, 2}, nil},
		{"DONE without a number", []datagram{from0(entry(1), withLength(done(1)[:16], 16))}, []uint32{1}, nil},
		{"DONE with a length, as old kernels send", []datagram{from0(control(wire.TypeDone, 1, -20))}, nil, nil},
		{"DONE with an errno", []datagram{from0(entry(1)), from0(control(wire.TypeDone, 1, 12))}, []uint32{1}, ENOMEM},
		{"DONE of another request", []datagram{from0(entry(1), done(77), entry(2)), from0(done(1))}, []uint32{1, 2}, nil},
		{"ERROR first", []datagram{from0(control(wire.TypeError, 1, 1))}, nil, EPERM},
		{"ERROR in the middle", []datagram{from0(entry(1), control(wire.TypeError, 1, 16), entry(2))}, []uint32{1}, EBUSY},
		{"ERROR of another request", []datagram{from0(entry(1), control(wire.TypeError, 2, 16)), from0(done(1))}, []uint32{1}, nil},
		{"ERROR that is positive", []datagram{from0(control(wire.TypeError, 1, -5))}, nil, ErrMalformed},
		{"ERROR that has no negative", []datagram{from0(control(wire.TypeError, 1, -1<<31))}, nil, ErrMalformed},
		{"ERROR without a number", []datagram{from0(withLength(control(wire.TypeError, 1, 0)[:16], 16))}, nil, ErrMalformed},
		{"OVERRUN", []datagram{from0(entry(1), control(wire.TypeOverrun, 1, 0))}, []uint32{1}, ENOBUFS},
		{"NOOP and an unknown control message", []datagram{from0(control(wire.TypeNoop, 1, 0), control(9, 1, 0), entry(1), done(1))}, []uint32{1}, nil},
		{"a sender that is not the kernel", []datagram{foreign(from0(entry(1), done(1))), from0(entry(2)), foreign(from0(done(1))), from0(entry(3), done(1))}, []uint32{2, 3}, nil},
		{"entries of another request", []datagram{from0(entryMessage(9, 1, 1), entry(2), done(1))}, []uint32{2}, nil},
		{"an expectation", []datagram{from0(expectation, entry(2), done(1))}, []uint32{2}, nil},
		{"an empty datagram", []datagram{from0(), from0(entry(1), done(1))}, []uint32{1}, nil},
		{"a truncated datagram", []datagram{from0(entry(1)), {err: ErrTruncated}, from0(done(1))}, []uint32{1}, ErrTruncated},
		{"an error of the socket", []datagram{from0(entry(1)), {err: ENOBUFS}}, []uint32{1}, ENOBUFS},
		{"length 0", []datagram{from0(entry(1), withLength(entry(2), 0))}, []uint32{1}, ErrMalformed},
		{"length 15", []datagram{from0(entry(1), withLength(entry(2), 15))}, []uint32{1}, ErrMalformed},
		{"no room for nfgenmsg", []datagram{from0(entry(1), withLength(entry(2)[:16], 16))}, []uint32{1}, ErrMalformed},
		{"length beyond the datagram", []datagram{from0(entry(1), withLength(entry(2), 1<<16))}, []uint32{1}, ErrMalformed},
		{"length 4 GiB", []datagram{from0(entry(1), withLength(entry(2), 1<<32-1))}, []uint32{1}, ErrMalformed},
		{"half a header", []datagram{from0(entry(1), entry(2)[:7])}, []uint32{1}, ErrMalformed},
		{"a number too short", []datagram{from0(entry(1), short)}, []uint32{1}, ErrMalformed},
		{"repeated in the next datagram", []datagram{from0(entry(1), entry(2)), from0(entry(1), entry(2), entry(3)), from0(done(1))}, []uint32{1, 2, 3}, nil},
		{"repeated twice", []datagram{from0(entry(1)), from0(entry(1)), from0(entry(1), entry(2)), from0(done(1))}, []uint32{1, 2}, nil},
		{"one id, different tuples", []datagram{from0(entryMessage(1, 5, 7)), from0(entryMessage(1, 6, 7), entryMessage(1, 5, 7)), from0(done(1))}, []uint32{7, 7}, nil},
		{"one tuple, different ids", []datagram{from0(entryMessage(1, 5, 7)), from0(entryMessage(1, 5, 8)), from0(done(1))}, []uint32{7, 8}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := fake(tt.datagrams...)
			got, err := ids(t, s.conn())
			if !slices.Equal(got, tt.want) {
				t.Errorf("listed %v, want %v", got, tt.want)
			}
			if tt.err == nil && err != nil || tt.err != nil && !errors.Is(err, tt.err) {
				t.Errorf("ended in %v, want %v", err, tt.err)
			}
			if !s.isClosed() {
				t.Error("the socket was left open")
			}
		})
	}
}

// TestDumpManyRepeats: more ids than the set has room for are listed, and
// nothing else happens.
func TestDumpManyRepeats(t *testing.T) {
	var first, second [][]byte
	var small FlowSpec // a message so small that a datagram has more than idSetMax
	for i := range 2 * idSetMax {
		small.Orig = Tuple{Has: FieldZone, Zone: uint16(i)}
		small.ID, small.Set = uint32(i%3), AttrSet(0).With(AttrID)
		m := small.AppendMessage(nil)
		binary.NativeEndian.PutUint32(m[8:], 1) // the sequence number
		if i%2 == 0 {
			first = append(first, m)
		}
		second = append(second, m)
	}
	got, err := ids(t, fake(from0(first...), from0(second...), from0(done(1))).conn())
	if err != nil || len(got) != 2*idSetMax {
		t.Errorf("listed %d of %d, error %v", len(got), 2*idSetMax, err)
	}
}

// TestDumpBreak: leaving the loop closes the socket and ends the goroutine,
// whether that waits for the kernel, for a buffer or for nothing.
func TestDumpBreak(t *testing.T) {
	before := runtime.NumGoroutine()
	entry := from0(entryMessage(1, 1, 1), entryMessage(1, 2, 2))
	for _, datagrams := range [][]datagram{
		{entry},                                // then it waits for ever
		slices.Repeat([]datagram{entry}, 1000), // more than the ring holds
		{entry, from0(done(1))},
		{entry, {err: ENOBUFS}},
	} {
		s := fake(datagrams...)
		for f, err := range s.conn().Dump(&DumpRequest{}) {
			if err != nil || f == nil {
				t.Fatal(err)
			}
			break
		}
		if !s.isClosed() {
			t.Error("the socket was left open")
		}
		if s.mu.Lock(); s.received > 2*ringSize {
			t.Errorf("%d datagrams were received for one that was read", s.received)
		}
		s.mu.Unlock()
	}
	func() {
		defer func() { _ = recover() }()
		for range fake(entry).conn().Dump(&DumpRequest{}) {
			panic("in the loop")
		}
	}()
	settle(t, before)
}

// settle waits until no more goroutines run than before.
func settle(t *testing.T, before int) {
	t.Helper()
	if !testwait.For(10*time.Second, func() bool { return runtime.NumGoroutine() <= before }) {
		t.Errorf("%d goroutines, %d before", runtime.NumGoroutine(), before)
	}
}

// TestDumpErrors of dialling and sending come out as the only item.
func TestDumpErrors(t *testing.T) {
	before := runtime.NumGoroutine()
	_, err := ids(t, NewConn(func() (Socket, error) { return nil, EPERM }))
	if !errors.Is(err, EPERM) {
		t.Errorf("dial: %v", err)
	}
	s := fake()
	s.sendErr = EMSGSIZE
	if _, err = ids(t, s.conn()); !errors.Is(err, EMSGSIZE) || !s.isClosed() {
		t.Errorf("send: %v, closed %v", err, s.isClosed())
	}
	settle(t, before)
}

// TestDumpBesideRequests: a request made in the loop goes to another socket
// and neither mixes with the dump nor spoils the entry that is being read.
func TestDumpBesideRequests(t *testing.T) {
	dump := fake(from0(entryMessage(1, 1, 1), entryMessage(1, 2, 2)), from0(entryMessage(1, 3, 3), done(1)))
	requests := fake(from0(control(wire.TypeError, 2, 0)), from0(control(wire.TypeError, 3, 2)), from0(control(wire.TypeError, 4, 0)))
	sockets := []*fakeSocket{dump, requests}
	c := NewConn(func() (Socket, error) {
		s := sockets[0]
		sockets = sockets[1:]
		return s, nil
	})
	c.directions.answer.Store(directionsKnown)
	var listed []uint32
	for f, err := range c.Dump(&DumpRequest{}) {
		if err != nil {
			t.Fatal(err)
		}
		var en FlowSpec
		en.Identify(f)
		if err := c.Delete(&en); (len(listed) == 1) != errors.Is(err, ENOENT) {
			t.Errorf("delete %d: %v", len(listed), err)
		}
		id, _ := f.ID()
		listed = append(listed, id)
	}
	if !slices.Equal(listed, []uint32{1, 2, 3}) || len(requests.sent) != 3 || len(dump.sent) != 1 {
		t.Errorf("listed %v, %d requests", listed, len(requests.sent))
	}
}

// TestRequestHostile is TestDumpHostile for a single request's answer.
func TestRequestHostile(t *testing.T) {
	entry := entryMessage(1, 1, 1)
	ack := control(wire.TypeError, 1, 0)
	for _, tt := range []struct {
		name      string
		datagrams []datagram
		err       error
		keeps     bool // the socket, for the next request
	}{
		{"an ordinary answer", []datagram{from0(entry), from0(ack)}, nil, true},
		{"both in one datagram", []datagram{from0(entry, ack)}, nil, true},
		{"only the acknowledgement", []datagram{from0(ack)}, ErrNoAnswer, true},
		{"an error", []datagram{from0(control(wire.TypeError, 1, 2))}, ENOENT, true},
		{"an unknown error", []datagram{from0(control(wire.TypeError, 1, 4095))}, Errno(4095), true},
		{"another's error", []datagram{from0(control(wire.TypeError, 7, 2)), from0(entry, ack)}, nil, true},
		{"another sender's", []datagram{{b: control(wire.TypeError, 1, 2), from: 9}, from0(entry, ack)}, nil, true},
		{"an answer that cannot be read", []datagram{from0(message(wire.SubsysConntrack<<8, 1, attribute(1, 3))), from0(ack)}, ErrMalformed, true},
		{"control messages", []datagram{from0(control(wire.TypeNoop, 1, 0), control(15, 1, 0), entry), from0(ack)}, nil, true},
		{"OVERRUN", []datagram{from0(control(wire.TypeOverrun, 1, 0))}, ENOBUFS, false},
		{"a truncated datagram", []datagram{{err: ErrTruncated}}, ErrTruncated, false},
		{"length 0", []datagram{from0(withLength(entry, 0))}, ErrMalformed, false},
		{"length 4 GiB", []datagram{from0(withLength(entry, 1<<32-1))}, ErrMalformed, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := fake(tt.datagrams...)
			f, err := s.conn().Get(&FlowSpec{Family: FamilyIPv4, Orig: benchEntry(1).Orig})
			if tt.err == nil && (err != nil || f == nil) || tt.err != nil && !errors.Is(err, tt.err) {
				t.Errorf("%v, want %v", err, tt.err)
			}
			if s.isClosed() == tt.keeps {
				t.Errorf("the socket is closed: %v", s.isClosed())
			}
			if f != nil && !bytes.Equal(f.Message(), entry) {
				t.Errorf("another entry: %x", f.Message())
			}
		})
	}
}

// TestDeleteNeedsTuple: without one the kernel would empty the table.
func TestDeleteNeedsTuple(t *testing.T) {
	s := fake()
	c := s.conn()
	if err := c.Delete(&FlowSpec{Family: FamilyIPv4, ID: 5, Set: AttrSet(0).With(AttrID)}); !errors.Is(err, EINVAL) {
		t.Error("delete:", err)
	}
	if err := c.DeleteExpect(&ExpectSpec{ID: 5, HasID: true, Master: benchEntry(1).Orig}); !errors.Is(err, EINVAL) {
		t.Error("delete expectation:", err)
	}
	if len(s.sent) != 0 {
		t.Errorf("sent %x", s.sent)
	}
}

// TestLongPayload: what is far too long is cut, so that it cannot run over
// into attributes of its own.
func TestLongPayload(t *testing.T) {
	forged := bytes.Repeat(attribute(uint16(AttrMark), -1, 0, 0, 0, 1), 1<<14)
	en := benchEntry(1)
	en.Set = AttrSet(0).With(AttrHelp).With(AttrLabels)
	en.Helper, en.Labels = string(forged), forged
	var f Flow
	if err := f.Decode(en.AppendMessage(nil)); err != nil {
		t.Fatal(err)
	}
	if f.Has(AttrMark) {
		t.Error("a helper's name became a mark")
	}
	if labels, _ := f.Labels(); len(labels) != wire.MaxPayload {
		t.Errorf("%d bytes of labels", len(labels))
	}
}
