package engine

import (
	"math"
	"os"
	"slices"
	"sync"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/internal/wire"
)

// What the kernel accounts for a datagram in a receive buffer: its bytes, and
// those of the structures around it.
const (
	ackCost    = 832
	eventCost  = 1280
	answerCost = 4864 // built in a page

	defaultBuffer = 212992      // net.core.rmem_default
	minBuffer     = 2304        // SOCK_MIN_RCVBUF
	maxSend       = 212992 - 32 // net.core.wmem_default, less what netlink keeps
	maxDatagram   = 32 << 10    // of a dump
	firstDatagram = 3776        // of a dump: NLMSG_GOODSIZE
	firstAutoPort = math.MaxUint32 - 4096
)

// sockets are those that are open on a table.
type sockets struct {
	nextPort uint32
	groups   [ctnetlink.GroupExpectDestroy + 1][]*socket
}

func (s *sockets) init(portID uint32) {
	if s.nextPort = portID; portID == 0 {
		s.nextPort = uint32(os.Getpid())
	}
}

// port gives out a port id.
func (s *sockets) port() uint32 {
	p := s.nextPort
	if s.nextPort < firstAutoPort/2 || s.nextPort > firstAutoPort {
		s.nextPort = firstAutoPort
	} else {
		s.nextPort--
	}
	return p
}

// listened tells whether somebody is in a group, whichever
// (nf_ctnetlink_has_listener, which the kernel keeps for all namespaces
// together).
func (s *sockets) listened() bool {
	return slices.ContainsFunc(s.groups[:], func(members []*socket) bool { return len(members) > 0 })
}

// socket is a ctnetlink.Socket on a table, and a ctnetlink.EventFilterer.
type socket struct {
	t      *Table
	portID uint32
	dump   dumper       // guarded by the table's lock; nil when none is under way
	walked bool         // the dump has come to its end
	w      wire.Builder // for its messages
	first  []byte       // for its first datagram

	mu       sync.Mutex // taken inside the table's lock, never around it
	arrived  *sync.Cond
	queue    []queued
	taken    int // cost of what is queued
	buffer   int // the most it may be
	read     int // the largest buffer ever read into: a dump's first datagram is as long
	overrun  bool
	reported bool // the overrun was reported
	lost     uint64
	dumping  bool // there is more to be received from dump
	closed   bool
	filter   *ctnetlink.EventFilter
	filtered ctnetlink.Flow
}

// queued is a datagram that waits.
type queued struct {
	b    []byte
	cost int
}

// dumper is a dump under way. It is called under the table's lock.
type dumper interface {
	// put appends the next message to w; false, and nothing, at the end. No
	// message is longer than maxMessage.
	put(t *Table, w *wire.Builder) bool
	// sequence returns the sequence number of the request.
	sequence() uint32
}

var (
	_ ctnetlink.Socket        = (*socket)(nil)
	_ ctnetlink.EventFilterer = (*socket)(nil)
)

// Dial opens a socket to the table; it is a ctnetlink.Dialer.
func (t *Table) Dial() (ctnetlink.Socket, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := &socket{t: t, portID: t.sockets.port(), buffer: defaultBuffer}
	s.arrived = sync.NewCond(&s.mu)
	return s, nil
}

// Send carries out the requests in b.
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
	s.t.expireLazily()
	s.t.datagram(s, b)
	return nil
}

// Receive waits for the next datagram. One of a dump is filled now.
func (s *socket) Receive(b []byte) (n int, from uint32, err error) { return s.receive(b, true) }

// Poll is Receive that does not wait.
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

// next takes a datagram from the queue. done is false when the next one is a
// dump's, which must be filled without the socket's lock.
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

// maxMessage is room enough for any message of a dump.
const maxMessage = 2 << 10

// fill puts as much of the dump under way into b as fits, at last its end. It
// returns 0 when another reader was faster.
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
	// The end is a datagram of its own.
	w.BeginPlain(wire.TypeDone, wire.FlagMulti, s.dump.sequence(), s.portID)
	w.B = append(w.B, 0, 0, 0, 0)
	w.End()
	s.endDump()
	if len(w.B) > len(b) {
		return 0, ctnetlink.ErrTruncated
	}
	return copy(b, w.B), nil
}

// busy tells whether a dump is under way, so that no other can begin.
func (s *socket) busy() bool { return s.dump != nil }

// startDump makes what d lists the socket's next datagrams. The first is filled
// at once, for it comes before the answers to later requests. It returns what
// the handler of the request is to return (netlink_dump_start).
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
	n, _ := s.fillLocked(s.first) // any message fits
	s.push(s.first[:n], answerCost)
	if s.dump != nil {
		s.mu.Lock()
		s.dumping = true
		s.mu.Unlock()
	}
	return errDumpStarted
}

// endDump gives up the dump, under the table's lock.
func (s *socket) endDump() {
	s.dump, s.walked = nil, false
	s.mu.Lock()
	s.dumping = false
	s.mu.Unlock()
}

// push queues a copy of a datagram, or loses it (netlink_attachskb,
// netlink_broadcast_deliver). Once something was lost nothing is queued until
// all that is has been received.
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

// Join adds the socket to a group.
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

// SetReadBuffer sets the receive buffer's size; twice as much is granted.
func (s *socket) SetReadBuffer(bytes int) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.buffer = max(2*min(max(bytes, 0), math.MaxInt32/2), minBuffer)
	return s.buffer, nil
}

// Lost returns how many datagrams did not fit into the receive buffer.
func (s *socket) Lost() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lost
}

// Queued returns how much of the receive buffer is taken.
func (s *socket) Queued() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.taken
}

// Close leaves the groups, gives up a dump, and ends a Receive that waits.
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
