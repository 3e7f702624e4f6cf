package ctnetlink

import (
	"errors"
	"io"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/internal/testwait"
	"github.com/gonntrack/gonntrack/internal/wire"
)

// announced makes the event of an entry with a mark, by which it is told.
func announced(mark uint32) []byte {
	en := FlowSpec{
		Family: FamilyIPv4,
		Orig:   Tuple{Has: FieldProto, Proto: ProtoUDP},
		Mark:   mark, Set: AttrSet(0).With(AttrMark),
	}
	e := new(encoder)
	en.append(e, header{Type: wire.SubsysConntrack<<8 | wire.MsgNew, Flags: wire.FlagCreate | wire.FlagExcl})
	return e.B
}

// readOut reads a listener to its end and returns the marks of what it said, and
// how often it told of a gap.
func readOut(t *testing.T, l *Listener) (marks []uint32, gaps int) {
	t.Helper()
	var events Events
	for {
		r, err := l.Next()
		if errors.Is(err, io.EOF) {
			return marks, gaps
		}
		if err != nil {
			t.Fatal(err)
		}
		if r.Gap {
			gaps++
		}
		for events.Reset(r); events.Next(); {
			mark, _ := events.Flow().Mark()
			marks = append(marks, mark)
		}
	}
}

// waitReceived waits until a fake socket has handed out everything.
func waitReceived(t *testing.T, s *fakeSocket) {
	t.Helper()
	if !testwait.For(10*time.Second, func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.received == len(s.datagrams)
	}) {
		t.Fatal("the socket was not drained")
	}
}

// TestQueue: with nobody reading, what the queue cannot hold is dropped and
// counted, and what it holds comes in order: together they are everything.
func TestQueue(t *testing.T) {
	const n = 20000
	var s = fake()
	for i := range uint32(n) {
		s.datagrams = append(s.datagrams, from0(announced(i)))
	}
	l, err := s.conn().Listen(ListenRequest{Groups: []Group{GroupNew}, Queue: 2 * slabSize})
	if err != nil {
		t.Fatal(err)
	}
	waitReceived(t, s)
	go l.Stop()
	marks, _ := readOut(t, l)
	loss := l.Loss()
	if loss.Dropped == 0 || uint64(len(marks))+loss.Dropped != n {
		t.Errorf("%d read, %d dropped, of %d", len(marks), loss.Dropped, n)
	}
	for i := 1; i < len(marks); i++ {
		if marks[i] <= marks[i-1] {
			t.Fatalf("event %d comes after %d", marks[i], marks[i-1])
		}
	}
}

// TestQueueGoesOn: when the reader comes back after a full queue, later events
// arrive, behind a gap.
func TestQueueGoesOn(t *testing.T) {
	s := fake()
	for i := range uint32(10000) {
		s.datagrams = append(s.datagrams, from0(announced(i)))
	}
	l, err := s.conn().Listen(ListenRequest{Queue: 2 * slabSize})
	if err != nil {
		t.Fatal(err)
	}
	waitReceived(t, s)
	before := l.Received()
	first, err := l.Next()
	if err != nil || len(first.Messages) == 0 || first.Gap {
		t.Fatalf("first: %d bytes, gap %v, %v", len(first.Messages), first.Gap, err)
	}
	if before != l.Received() || before < uint64(len(first.Messages)) || before > 2*slabSize {
		t.Errorf("%d bytes received, then %d, of which the first batch has %d", before, l.Received(), len(first.Messages))
	}
	go l.Stop()
	if marks, _ := readOut(t, l); len(marks) == 0 {
		t.Error("nothing after the first")
	}
}

// TestOverrun: ENOBUFS is told as a gap, also when nothing follows, and does
// not end the listening.
func TestOverrun(t *testing.T) {
	s := fake(from0(announced(1)), datagram{err: ENOBUFS}, from0(announced(2)), datagram{err: ENOBUFS})
	var told atomic.Int32
	l, err := s.conn().Listen(ListenRequest{OnLoss: func() { told.Add(1) }})
	if err != nil {
		t.Fatal(err)
	}
	waitReceived(t, s)
	if n := told.Load(); n != 2 { // nothing was read yet
		t.Errorf("OnLoss was called %d times, want 2", n)
	}
	go l.Stop()
	marks, gaps := readOut(t, l)
	if len(marks) != 2 || gaps != 2 || l.Loss().Overruns != 2 {
		t.Errorf("marks %v, %d gaps, %+v", marks, gaps, l.Loss())
	}
}

// TestListenIgnores: what another process sends is no event.
func TestListenIgnores(t *testing.T) {
	forged := from0(announced(1))
	forged.from = 4711
	s := fake(forged, from0(announced(2)))
	l, err := s.conn().Listen(ListenRequest{})
	if err != nil {
		t.Fatal(err)
	}
	waitReceived(t, s)
	go l.Stop()
	if marks, _ := readOut(t, l); len(marks) != 1 || marks[0] != 2 {
		t.Errorf("marks %v, want the kernel's alone", marks)
	}
}

// FuzzEvents: whatever is received, walking it ends.
func FuzzEvents(f *testing.F) {
	f.Add(announced(7))
	f.Fuzz(func(t *testing.T, b []byte) {
		var events Events
		n := 0
		for events.Reset(EventBatch{Messages: b}); events.Next(); n++ {
			if n > len(b) {
				t.Fatal("more events than bytes")
			}
		}
	})
}

// TestReady: an empty slab that waits to be filled is nothing to wait for.
func TestReady(t *testing.T) {
	for _, c := range []struct {
		name string
		l    *Listener
		want bool
	}{
		{"nothing", &Listener{}, false},
		{"an empty slab", &Listener{queue: []*slab{{}}}, false},
		{"a filled slab", &Listener{queue: []*slab{{n: 20}}}, true},
		{"a gap", &Listener{queue: []*slab{{gap: true}}}, true},
		{"behind one that was read", &Listener{head: &slab{read: 20, n: 20}, queue: []*slab{{}, {n: 20}}}, true},
		{"all read", &Listener{head: &slab{read: 20, n: 20}, queue: []*slab{{}}}, false},
		{"not all read", &Listener{head: &slab{read: 20, n: 40}}, true},
		{"the end", &Listener{err: io.EOF}, true},
	} {
		if got := c.l.Ready(); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}
