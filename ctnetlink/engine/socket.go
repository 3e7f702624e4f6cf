package engine

import (
	"math"
	"os"
	"slices"
	"sync"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/internal/wire"
)

// What the kernel charges to a receive buffer for a datagram: its bytes and
// those of the structures around it.
const (
	ackCost    = 832
	eventCost  = 1280
	answerCost = 4864 // these are built in a page

	defaultBuffer = 212992      // net.core.rmem_default
	minBuffer     = 2304        // SOCK_MIN_RCVBUF
	maxSend       = 212992 - 32 // net.core.wmem_default, less netlink's overhead
	maxDatagram   = 32 << 10    // the longest of a dump
	firstDatagram = 3776        // the first of a dump, at least: NLMSG_GOODSIZE
	firstAutoPort = math.MaxUint32 - 4096
)

// sockets are the open sockets of a table.
type sockets struct {
	nextPort uint32
	groups   [ctnetlink.GroupExpectDestroy + 1][]*socket
}

func (s *sockets) init(portID uint32) {
	if s.nextPort = portID; portID == 0 {
		s.nextPort = uint32(os.Getpid())
	}
}

// port returns the port id for a new socket.
func (s *sockets) port() uint32 {
	p := s.nextPort
	if s.nextPort < firstAutoPort/2 || s.nextPort > firstAutoPort {
		s.nextPort = firstAutoPort
	} else {
		s.nextPort--
	}
	return p
}

// listened reports whether any socket is in a group (nf_ctnetlink_has_listener,
// which in the kernel covers all network namespaces).
func (s *sockets) listened() bool {
	return slices.ContainsFunc(s.groups[:], func(members []*socket) bool { return len(members) > 0 })
}

// socket is a socket of a table.
type socket struct {
	t      *Table
	portID uint32
	dump   dumper       // nil: no dump is running; guarded by the table's lock
	walked bool         // the dump has listed everything
	w      wire.Builder // for the dump's messages
	first  []byte       // for the dump's first datagram

	mu       sync.Mutex // taken inside the table's lock, never outside it
	arrived  *sync.Cond
	queue    []queued
	taken    int // charged for the queue
	buffer   int // the limit for taken
	read     int // the largest buffer received into; the size of a dump's first datagram
	overrun  bool
	reported bool // the overrun was reported
	lost     uint64
	dumping  bool // dump has more datagrams
	closed   bool
	filter   *ctnetlink.EventFilter
	filtered ctnetlink.Flow
}

// queued is a datagram in the queue.
type queued struct {
	b    []byte
	cost int
}

// dumper is a running dump. Its methods are called under the table's lock.
type dumper interface {
	// put appends the next message to w, of at most maxMessage bytes. At the
	// end it appends nothing and returns false.
	put(t *Table, w *wire.Builder) bool
	// sequence returns the sequence number of the request.
	sequence() uint32
}

var (
	_ ctnetlink.Socket        = (*socket)(nil)
	_ ctnetlink.EventFilterer = (*socket)(nil)
	_ ctnetlink.PortIDer      = (*socket)(nil)
)

// Dial opens a socket to the table. The method value t.Dial is a
// [ctnetlink.Dialer].
func (t *Table) Dial() (ctnetlink.Socket, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := &socket{t: t, portID: t.sockets.port(), buffer: defaultBuffer}
	s.arrived = sync.NewCond(&s.mu)
	return s, nil
}

// PortID implements [ctnetlink.PortIDer].
func (s *socket) PortID() uint32 { return s.portID }

// Send implements [ctnetlink.Socket]: it handles the requests in b.
func (s *socket) Send(b []byte) error {
	if len(b) > maxSend {
		return ctnetlink.EMSGSIZE
	}
	s.t.lock()
	defer s.t.unlock()
	s.mu.Lock()
	closed := s.closed
	s.mu.Unlock()
	if closed {
		return os.ErrClosed
	}
	s.t.expire()
	s.t.datagram(s, b)
	return nil
}

// Receive implements [ctnetlink.Socket]: it waits for the next datagram. A
// datagram of a dump is built by the call.
func (s *socket) Receive(b []byte) (n int, from uint32, err error) { return s.receive(b, true) }

// Poll is Receive without waiting.
func (s *socket) Poll(b []byte) (n int, from uint32, err error) { return s.receive(b, false) }

func (s *socket) receive(b []byte, wait bool) (int, uint32, error) {
	for {
		s.mu.Lock()
		s.read = max(s.read, len(b))
		for wait && !s.closed && !s.overrun && len(s.queue) == 0 && !s.dumping {
			s.arrived.Wait()
		}
		n, err, done := s.next(b)
		s.mu.Unlock()
		if done {
			return n, 0, err
		}
		if n, err := s.fill(b); n > 0 || err != nil {
			return n, 0, err
		}
	}
}

// next takes a datagram from the queue. done is false if the next one belongs
// to a dump: it must be filled without the socket's lock.
func (s *socket) next(b []byte) (n int, err error, done bool) {
	switch {
	case s.closed:
		return 0, os.ErrClosed, true
	case s.overrun && !s.reported:
		s.reported = true
		return 0, ctnetlink.ENOBUFS, true
	case len(s.queue) == 0 && s.dumping:
		return 0, nil, false
	case len(s.queue) == 0:
		s.overrun = false
		return 0, ctnetlink.EAGAIN, true
	}
	q := s.queue[0]
	s.queue = s.queue[1:]
	s.taken -= q.cost
	if len(s.queue) == 0 {
		s.queue, s.overrun = nil, false
	}
	if len(q.b) > len(b) {
		return 0, ctnetlink.ErrTruncated, true
	}
	return copy(b, q.b), nil, true
}

// maxMessage is the length of the longest message of a dump, in bytes.
const maxMessage = 2 << 10

// fill fills b with messages of the running dump, at its end with NLMSG_DONE.
// It returns 0 if another reader took them.
func (s *socket) fill(b []byte) (int, error) {
	s.t.lock()
	defer s.t.unlock()
	return s.fillLocked(b)
}

func (s *socket) fillLocked(b []byte) (out int, err error) {
	if s.dump == nil {
		return 0, nil
	}
	b = b[:min(len(b), maxDatagram)]
	w := &s.w
	w.B = w.B[:0]
	for out == 0 || len(b)-out >= maxMessage {
		if s.walked || !s.dump.put(s.t, w) {
			s.walked = true // what is added from now on is not listed
			break
		}
		if len(w.B) > len(b)-out {
			return 0, ctnetlink.ErrTruncated
		}
		out += copy(b[out:], w.B)
		w.B = w.B[:0]
	}
	if out > 0 {
		return out, nil
	}
	// NLMSG_DONE is a datagram of its own.
	w.BeginPlain(wire.TypeDone, wire.FlagMulti, s.dump.sequence(), s.portID)
	w.B = append(w.B, 0, 0, 0, 0)
	w.End()
	s.endDump()
	if len(w.B) > len(b) {
		return 0, ctnetlink.ErrTruncated
	}
	return copy(b, w.B), nil
}

// busy reports whether a dump is running, so that no other can start.
func (s *socket) busy() bool { return s.dump != nil }

// startDump starts a dump (netlink_dump_start). Its first datagram is built
// now, since it precedes the answers to later requests. The result is what the
// request's handler must return.
func (s *socket) startDump(d dumper) errno {
	if s.busy() {
		return ctnetlink.EBUSY
	}
	s.dump = d
	s.mu.Lock()
	size := max(min(s.read, maxDatagram), firstDatagram)
	s.mu.Unlock()
	if len(s.first) < size {
		s.first = make([]byte, size)
	}
	n, _ := s.fillLocked(s.first) // it has room for any message
	s.push(s.first[:n], answerCost)
	if s.dump != nil {
		s.mu.Lock()
		s.dumping = true
		s.mu.Unlock()
	}
	return errDumpStarted
}

// endDump ends the dump, under the table's lock.
func (s *socket) endDump() {
	s.dump, s.walked = nil, false
	s.mu.Lock()
	s.dumping = false
	s.mu.Unlock()
}

// push queues a copy of a datagram, or drops it if the receive buffer is full
// (netlink_attachskb, netlink_broadcast_deliver). After a drop nothing is
// queued until the queue is empty.
func (s *socket) push(b []byte, cost int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	if s.overrun || s.taken > 0 && s.taken+cost > s.buffer {
		s.lost++
		if !s.overrun {
			s.overrun, s.reported = true, false
			s.arrived.Broadcast()
		}
		return
	}
	s.queue = append(s.queue, queued{slices.Clone(b), cost})
	s.taken += cost
	s.arrived.Signal()
}

// Join implements [ctnetlink.Socket]: it adds the socket to a group.
func (s *socket) Join(g ctnetlink.Group) error {
	s.t.mu.Lock()
	defer s.t.mu.Unlock()
	if g == 0 || int(g) >= len(s.t.sockets.groups) {
		return ctnetlink.EINVAL
	}
	members := &s.t.sockets.groups[g]
	if !slices.Contains(*members, s) {
		*members = append(*members, s)
	}
	return nil
}

// SetReadBuffer sets the size of the receive buffer to twice the number of
// bytes, as Linux does, and returns it.
func (s *socket) SetReadBuffer(bytes int) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.buffer = max(2*min(max(bytes, 0), math.MaxInt32/2), minBuffer)
	return s.buffer, nil
}

// Lost returns the number of datagrams that were dropped.
func (s *socket) Lost() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lost
}

// Queued returns the number of bytes that are charged to the receive buffer.
func (s *socket) Queued() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.taken
}

// Close leaves the groups, ends the dump, and makes a waiting Receive return.
func (s *socket) Close() error {
	s.t.mu.Lock()
	defer s.t.mu.Unlock()
	groups := &s.t.sockets.groups
	for g := range groups {
		groups[g] = slices.DeleteFunc(groups[g], func(o *socket) bool { return o == s })
	}
	s.dump = nil
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed, s.dumping, s.queue, s.taken = true, false, nil, 0
	s.arrived.Broadcast()
	return nil
}
