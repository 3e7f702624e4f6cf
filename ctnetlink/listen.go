package ctnetlink

import (
	"errors"
	"io"
	"slices"
	"sync"
	"time"

	"golang.org/x/net/bpf"

	"github.com/gonntrack/gonntrack/internal/wire"
)

// ListenRequest says which events a Listener receives and how much it may hold.
type ListenRequest struct {
	Groups []Group
	// ReadBuffer is the size asked of the socket's receive buffer, in bytes;
	// 0: 16 MiB. What is granted may be less.
	ReadBuffer int
	// Queue bounds the memory between the receiver and the reader, in bytes;
	// 0: 128 MiB. It is taken as it is needed.
	Queue int
	// Filter, if any, leaves out events before the socket queues them. It is
	// a help, not a promise: what comes must be checked again.
	Filter *EventFilter
	// Program, if not nil, is a program that does so in place of Filter, where
	// the socket is a [ProgramFilterer].
	Program []bpf.Instruction
	// Reliable asks the table to keep what it could not deliver: an entry whose
	// DESTROY did not fit into the buffer stays, unusable, and its end is
	// announced later. Packets that cause other events are dropped while the
	// buffer is full, and nothing tells of it. It is ignored where the socket
	// is no [ReliableSocket].
	Reliable bool
	// Delay is how long events may wait in the socket, so that many are received
	// at once: where thousands come in a second that takes a fraction of the
	// processor's time. The first after a silence does not wait. 0: none waits.
	Delay time.Duration
	// OnLoss, if not nil, is called when more events were lost, also while
	// nobody calls Next. It is called by the goroutine that receives: it must
	// return at once. Listener.Loss returns how many they are.
	OnLoss func()
}

const (
	// defaultReadBuffer holds the events of some 26 000 creations (the kernel
	// accounts 1 280 bytes each, and doubles what is asked): more than it
	// makes while a receiver is off the processor.
	defaultReadBuffer = 16 << 20
	// defaultQueue holds some 400 000 events.
	defaultQueue = 128 << 20

	slabSize = 256 << 10
	// slabRoom is the least room that a datagram is received into. Events are
	// built in buffers of a page.
	slabRoom = 16 << 10
)

// Loss is what is known of events that did not arrive.
type Loss struct {
	// Overruns is how often the kernel said that the socket's buffer was full
	// and events were lost.
	Overruns uint64
	// Lost is how many events that were, 0 where the kernel does not tell.
	Lost uint64
	// Dropped is how many events were received and dropped because the queue
	// was full: the reader was too slow for too long.
	Dropped uint64
}

// Listener receives events. Receiving never waits for the reader: a goroutine
// drains the socket into a queue of slabs, from which Next takes whatever is
// there. A slab is filled from the front by the receiver while the reader
// reads what lies behind: nothing is copied.
type Listener struct {
	sock    Socket
	granted int
	onLoss  func()
	delay   time.Duration
	pause   func(time.Duration)

	mu    sync.Mutex
	ready sync.Cond // there is something to read, or the end
	queue []*slab   // the last one is being filled
	spare []*slab
	slabs int // in the queue, spare, and the reader's
	max   int
	gap   bool // events were lost before the next slab
	loss  Loss
	news  uint64 // datagrams and losses so far
	bytes uint64 // of messages, with padding, so far
	err   error
	head  *slab // the reader's

	stopped bool
}

// slab is a piece of the queue: b[:read] was handed to the reader, b[read:n] is
// waiting, the receiver fills b[n:].
type slab struct {
	b       []byte
	read, n int
	gap     bool // events were lost before its first
	sealed  bool // the receiver is done with it
}

// EventBatch is a run of events.
type EventBatch struct {
	// Messages are whole netlink messages, valid until the next call of Next.
	Messages []byte
	// Gap says that events were lost. Those that were dropped lie before these
	// messages; where the kernel's buffer was full, what it held comes first,
	// at most ReadBuffer bytes of messages.
	Gap bool
}

// Listen opens a socket, sizes it, joins the groups and begins to receive.
func (c *Conn) Listen(q ListenRequest) (*Listener, error) {
	sock, err := c.dial()
	if err != nil {
		return nil, &OpError{"listen", err}
	}
	if q.ReadBuffer <= 0 {
		q.ReadBuffer = defaultReadBuffer
	}
	if q.Queue <= 0 {
		q.Queue = defaultQueue
	}
	l := &Listener{sock: sock, max: max(2, q.Queue/slabSize), onLoss: q.OnLoss, delay: q.Delay}
	l.ready.L = &l.mu
	if l.granted, err = sock.SetReadBuffer(q.ReadBuffer); err != nil {
		sock.Close()
		return nil, &OpError{"set the receive buffer", err}
	}
	if s, ok := sock.(EventFilterer); ok && q.Filter != nil {
		// Before there is anything to filter. A refusal costs time only.
		_ = s.FilterEvents(q.Filter)
	}
	if s, ok := sock.(ProgramFilterer); ok && q.Program != nil {
		_ = s.FilterProgram(q.Program)
	}
	if s, ok := sock.(ReliableSocket); ok && q.Reliable {
		if err := s.SetReliable(); err != nil {
			sock.Close()
			return nil, &OpError{"make events reliable", err}
		}
	}
	l.pause = time.Sleep
	if s, ok := sock.(ThreadWaiter); ok && q.Delay > 0 {
		s.WaitInThread()
		l.pause = s.Pause
	}
	for _, g := range q.Groups {
		if err := sock.Join(g); err != nil {
			sock.Close()
			return nil, &OpError{"join a multicast group", err}
		}
	}
	go l.receive()
	return l, nil
}

// Leave takes the listener out of a group: where nobody else is in it, the table does not
// make its events, which is most of what a request costs that changes the table. What
// happens meanwhile is found by a dump after Join. It fails with EOPNOTSUPP where the
// socket is no [GroupLeaver].
func (l *Listener) Leave(g Group) error {
	s, ok := l.sock.(GroupLeaver)
	if !ok {
		return &OpError{"leave a multicast group", EOPNOTSUPP}
	}
	if err := s.Leave(g); err != nil {
		return &OpError{"leave a multicast group", err}
	}
	return nil
}

// FilterProgram replaces the program that leaves out events. It fails with EOPNOTSUPP
// where the socket is no [ProgramFilterer].
func (l *Listener) FilterProgram(p []bpf.Instruction) error {
	s, ok := l.sock.(ProgramFilterer)
	if !ok {
		return &OpError{"attach a program", EOPNOTSUPP}
	}
	if err := s.FilterProgram(p); err != nil {
		return &OpError{"attach a program", err}
	}
	return nil
}

// Join puts the listener into a group.
func (l *Listener) Join(g Group) error {
	if err := l.sock.Join(g); err != nil {
		return &OpError{"join a multicast group", err}
	}
	return nil
}

// ReadBuffer returns the size of the socket's buffer as the kernel tells it
// back: twice what it granted.
func (l *Listener) ReadBuffer() int { return l.granted }

// Loss returns what is known of lost events so far.
func (l *Listener) Loss() Loss {
	l.mu.Lock()
	defer l.mu.Unlock()
	if lost := l.sock.Lost(); lost > l.loss.Lost && l.loss.Overruns > 0 {
		l.loss.Lost = lost
	}
	return l.loss
}

// Next waits for events, or for the news that some were lost, and returns what
// is there. After Stop it returns what is left, then io.EOF.
func (l *Listener) Next() (EventBatch, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for {
		if s := l.head; s != nil {
			if s.n > s.read || s.gap {
				batch := EventBatch{s.b[s.read:s.n], s.gap}
				s.read, s.gap = s.n, false
				return batch, nil
			}
			if s.sealed {
				l.head = nil
				l.recycle(s)
			}
		}
		switch {
		case l.head == nil && len(l.queue) > 0:
			l.head = l.queue[0]
			l.queue = l.queue[1:]
		case l.err != nil:
			return EventBatch{}, l.err
		default:
			l.ready.Wait()
		}
	}
}

// Received returns how many bytes of messages have been received so far: those that
// Next has returned, and those that wait.
func (l *Listener) Received() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.bytes
}

// Queued returns how much of the socket's buffer is taken by messages that have not been
// received yet: at least the sum of their lengths.
func (l *Listener) Queued() int { return l.sock.Queued() }

// Ready reports whether Next would return at once.
func (l *Listener) Ready() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	// The slab that is being filled may be empty yet.
	waiting := func(s *slab) bool { return s.n > s.read || s.gap }
	return l.err != nil || l.head != nil && waiting(l.head) || slices.ContainsFunc(l.queue, waiting)
}

// Idle reports whether no event waits: Next would wait, and the socket holds nothing. Until
// then the kernel may go on to drop events after a loss without another word.
func (l *Listener) Idle() bool { return l.sock.Queued() == 0 && !l.Ready() }

// maxSpare is how many empty slabs are kept for the next burst.
const maxSpare = 4

// recycle takes back a slab that was read.
func (l *Listener) recycle(s *slab) {
	if len(l.spare) < maxSpare {
		l.spare = append(l.spare, s)
	} else {
		l.slabs--
	}
}

// Stop ends the listening: what the socket holds is still received, for at
// most a second, and Next returns all of it before io.EOF.
func (l *Listener) Stop() {
	const quiet = 5 * time.Millisecond
	l.mu.Lock()
	l.stopped = true
	l.mu.Unlock()
	last := l.count()
	for range time.Second / quiet {
		time.Sleep(quiet)
		now := l.count()
		if now == last && l.sock.Queued() == 0 {
			break
		}
		last = now
	}
	l.Loss() // the kernel's last word
	l.sock.Close()
}

func (l *Listener) count() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.news
}

// receive drains the socket until it is closed.
func (l *Listener) receive() {
	var cur *slab
	var scratch []byte
	for {
		if cur == nil {
			cur = l.newSlab()
		}
		var buf []byte
		if cur != nil {
			buf = cur.b[cur.n:]
		} else {
			// The queue is full: keep the socket empty, and count.
			if scratch == nil {
				scratch = make([]byte, slabRoom)
			}
			buf = scratch
		}
		n, from, err := l.next(buf)
		if err == nil && from != 0 {
			continue // not from the kernel
		}
		var more bool
		known := l.loss.Overruns + l.loss.Dropped // only this goroutine changes them
		if cur, more = l.note(cur, buf, n, err); !more {
			return
		}
		if l.onLoss != nil && l.loss.Overruns+l.loss.Dropped != known {
			l.onLoss()
		}
	}
}

// next receives a datagram. With a delay it wakes the reader when nothing is left, and
// lets more come.
func (l *Listener) next(buf []byte) (n int, from uint32, err error) {
	if l.delay == 0 {
		return l.sock.Receive(buf)
	}
	n, from, err = l.sock.Poll(buf)
	if !errors.Is(err, EAGAIN) {
		return n, from, err
	}
	l.ready.Signal()
	l.pause(l.delay)
	if n, from, err = l.sock.Poll(buf); errors.Is(err, EAGAIN) {
		n, from, err = l.sock.Receive(buf)
	}
	return n, from, err
}

// note takes in what Receive returned, and returns the slab to go on with: nil
// for a new one.
func (l *Listener) note(cur *slab, buf []byte, n int, err error) (next *slab, more bool) {
	lost := uint64(0)
	if errors.Is(err, ENOBUFS) {
		lost = l.sock.Lost()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	wake := true
	defer func() {
		if wake {
			l.ready.Signal()
		}
	}()
	l.news++
	switch {
	case errors.Is(err, ENOBUFS):
		l.loss.Overruns++
		l.loss.Lost = lost
		l.gap = true
	case errors.Is(err, ErrTruncated):
		l.loss.Dropped++
		l.gap = true
	case err != nil:
		if l.stopped {
			err = io.EOF
		}
		l.err = err
		if cur != nil {
			cur.sealed = true
		}
		return nil, false
	case cur == nil:
		m := wire.Messages{B: buf[:n]}
		for m.Next() {
			l.loss.Dropped++
		}
		l.gap = true
	default:
		cur.n += wire.Align(n)
		l.bytes += uint64(wire.Align(n))
		if len(cur.b)-cur.n >= slabRoom {
			wake = l.delay == 0 // otherwise when nothing is left
			return cur, true
		}
	}
	if cur != nil && cur.n == 0 {
		cur.gap, l.gap = cur.gap || l.gap, false
		return cur, true // empty: it does for what comes
	}
	if cur != nil {
		cur.sealed = true
	}
	return nil, true
}

// newSlab appends an empty slab to the queue, unless there are as many as may
// be.
func (l *Listener) newSlab() *slab {
	l.mu.Lock()
	defer l.mu.Unlock()
	var s *slab
	if last := len(l.spare) - 1; last >= 0 {
		s = l.spare[last]
		l.spare = l.spare[:last]
		s.read, s.n, s.sealed = 0, 0, false
	} else if l.slabs < l.max {
		s = &slab{b: make([]byte, slabSize)}
		l.slabs++
	} else {
		return nil
	}
	s.gap, l.gap = l.gap, false
	l.queue = append(l.queue, s)
	if s.gap {
		l.ready.Signal()
	}
	return s
}
