package ctnetlink

import (
	"time"

	"golang.org/x/net/bpf"
)

// Socket moves netlink datagrams between a Conn and a table. The kernel's is
// opened by Open; an in-process table can stand behind the same interface, so
// that everything above it is the same code.
//
// Errors of a table are an [Errno], possibly wrapped.
type Socket interface {
	// Send sends b, one or more whole messages, as one datagram. It keeps no
	// reference to b.
	Send(b []byte) error
	// Receive reads the next datagram into b, waiting for it if need be, and
	// returns its length and the port id of its sender (0: the kernel). A
	// datagram longer than b is lost and reported as ErrTruncated; events lost
	// because the buffer was full are reported once as ENOBUFS. Close from
	// another goroutine ends a waiting Receive with an error.
	Receive(b []byte) (n int, from uint32, err error)
	// Poll is Receive that does not wait: EAGAIN when there is nothing. Requests
	// are carried out inside Send, so that a refusal is there when it returns.
	Poll(b []byte) (n int, from uint32, err error)
	// Join adds the socket to a multicast group.
	Join(g Group) error
	// SetReadBuffer asks for a receive buffer of that many bytes and returns
	// what was granted, in the bytes the table accounts (Linux doubles).
	SetReadBuffer(bytes int) (int, error)
	// Lost returns how many events the table could not put into the receive
	// buffer so far; 0 where that is not known.
	Lost() uint64
	// Queued returns how much of the receive buffer is taken by what waits to
	// be received, in bytes as the table accounts them.
	Queued() int
	// Close releases the socket. A dump that was under way is given up.
	Close() error
}

// EventFilterer is a Socket that can leave out events before they are queued.
type EventFilterer interface {
	// FilterEvents leaves out events that do not meet q, as many as it can.
	FilterEvents(q *EventFilter) error
}

// ProgramFilterer is a Socket that can leave out events by a program.
type ProgramFilterer interface {
	// FilterProgram attaches a classic BPF program, which sees each message that
	// the socket would queue, from its netlink header on, and returns 0 to leave
	// it out.
	FilterProgram(p []bpf.Instruction) error
}

// ThreadWaiter is a Socket that can wait in a thread of its own.
type ThreadWaiter interface {
	// WaitInThread makes a Receive that waits keep a thread, and not wait where
	// every message that arrives wakes the process. It is called before Join.
	WaitInThread()
	// Pause waits for a short time, or until Close. It costs less than time.Sleep.
	Pause(d time.Duration)
}

// GroupLeaver is a Socket that can leave a multicast group.
type GroupLeaver interface {
	// Leave takes the socket out of a group that it has joined. What it has received
	// stays.
	Leave(g Group) error
}

// ReliableSocket is a Socket whose table can be told when an event did not fit.
type ReliableSocket interface {
	// SetReliable makes the table keep entries whose end it could not announce,
	// and ends the reports of ENOBUFS.
	SetReliable() error
}

// PortIDer is a Socket that has a netlink port id.
type PortIDer interface {
	// PortID returns the port id, which events carry that its requests cause; 0 if it is
	// not known.
	PortID() uint32
}

// Dialer opens sockets to one table.
type Dialer func() (Socket, error)
