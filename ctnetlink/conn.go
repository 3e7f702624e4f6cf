package ctnetlink

import (
	"bytes"
	"errors"
	"os"

	"github.com/gonntrack/gonntrack/internal/wire"
)

// Conn is a handle on one table. It is not safe for concurrent use, except
// that requests may be made while one of its dumps is being read: a dump has a
// socket of its own, so that what is deleted beside it never mixes with it. Listen
// and Subscribe, which open a socket of their own too, may be called at any time.
type Conn struct {
	dial Dialer
	sock Socket // for requests; opened by the first
	seq  uint32
	enc  encoder
	buf  []byte
	// refused are the filters that dumps go without.
	refused    filterSet
	directions *directions
}

// readSize is the size of a receive buffer. The kernel sizes a dump's
// datagrams by the largest buffer a socket has ever read into, up to 32 KiB.
const readSize = 64 << 10

// NewConn returns a Conn that opens its sockets with dial, when they are
// needed.
func NewConn(dial Dialer) *Conn { return &Conn{dial: dial, directions: new(directions)} }

// Dial opens a socket to the kernel's table of the calling thread's network
// namespace and returns a Conn on it. It fails with an error that wraps
// ErrUnsupported on other systems than Linux. Most requests need CAP_NET_ADMIN.
func Dial() (*Conn, error) { return opened(Open()) }

// DialIn is Dial for the network namespace that an open file stands for, see
// OpenIn.
func DialIn(ns *os.File) (*Conn, error) { return opened(OpenIn(ns)) }

func opened(c *Conn) (*Conn, error) {
	if err := c.open(); err != nil {
		return nil, &OpError{"dial", err}
	}
	return c, nil
}

// Beside returns another handle on the same table, with a socket of its own: one for
// another goroutine. It must be closed too.
func (c *Conn) Beside() *Conn { return &Conn{dial: c.dial, directions: c.directions} }

// BesideNoting is Beside for a handle that calls note with the netlink port id of each
// socket it opens, before the socket is used: what is asked through it, and through its
// batches, causes events that carry this id ([Flow.PortID]). note is called by the
// goroutine that makes the request. A table without port ids has none to tell.
func (c *Conn) BesideNoting(note func(portID uint32)) *Conn {
	beside := c.Beside()
	dial := beside.dial
	beside.dial = func() (Socket, error) {
		sock, err := dial()
		if s, ok := sock.(PortIDer); err == nil && ok {
			note(s.PortID())
		}
		return sock, err
	}
	return beside
}

// Close releases the request socket.
func (c *Conn) Close() error {
	if c.sock == nil {
		return nil
	}
	err := c.sock.Close()
	c.sock = nil
	return err
}

// request returns an encoder for a new message and the header it must have.
func (c *Conn) request(subsys, msg uint16, flags uint16) (*encoder, header) {
	c.seq++
	c.enc.B = c.enc.B[:0]
	return &c.enc, header{Type: subsys<<8 | msg, Flags: wire.FlagRequest | flags, Seq: c.seq}
}

// errAnswered is returned for a message after which nothing more is expected.
var errAnswered = errors.New("answered")

// roundTrip sends the encoder's message and hands every message of the answer
// to each (which may be nil) until the acknowledgement, the end of the dump, or
// errAnswered.
func (c *Conn) roundTrip(op string, each func(msg []byte) error) error {
	if err := c.exchange(each); err != nil {
		return &OpError{op, err}
	}
	return nil
}

// open dials the request socket, once.
func (c *Conn) open() (err error) {
	if c.sock != nil {
		return nil
	}
	if c.sock, err = c.dial(); err != nil {
		c.sock = nil
		return err
	}
	if c.buf == nil {
		c.buf = make([]byte, readSize)
	}
	return nil
}

func (c *Conn) exchange(each func(msg []byte) error) error {
	if err := c.open(); err != nil {
		return err
	}
	seq := c.seq
	if err := c.sock.Send(c.enc.B); err != nil {
		return err
	}
	var failed error
	for {
		n, from, err := c.sock.Receive(c.buf)
		if err != nil {
			c.abandon()
			return err
		}
		if from != 0 {
			continue // not from the kernel
		}
		m := wire.Messages{B: c.buf[:n]}
		for m.Next() {
			if m.Msg.Seq() != seq {
				continue
			}
			switch typ := m.Msg.Type(); typ {
			case wire.TypeNoop:
			case wire.TypeError, wire.TypeDone:
				if failed == nil {
					failed = outcome(m.Msg)
				}
				return failed
			case wire.TypeOverrun:
				c.abandon()
				return ENOBUFS
			default:
				if typ >= wire.TypeMin && each != nil && failed == nil {
					failed = each(m.Msg)
				}
				if failed == errAnswered {
					return nil
				}
			}
		}
		if m.Malformed {
			c.abandon()
			return ErrMalformed
		}
	}
}

// change sends the encoder's message, which asks for no acknowledgement: it is
// carried out inside the sending, and if no refusal waits after that it has
// succeeded. That saves the table an answer and us the reading of it.
func (c *Conn) change(op string) error {
	if err := c.refusal(); err != nil {
		return &OpError{op, err}
	}
	return nil
}

func (c *Conn) refusal() error {
	if err := c.open(); err != nil {
		return err
	}
	if err := c.sock.Send(c.enc.B); err != nil {
		return err
	}
	for {
		n, from, err := c.sock.Poll(c.buf)
		if errors.Is(err, EAGAIN) {
			return nil
		}
		if err != nil {
			c.abandon()
			return err
		}
		m := wire.Messages{B: c.buf[:n]}
		for from == 0 && m.Next() {
			if m.Msg.Type() != wire.TypeError || m.Msg.Seq() != c.seq {
				continue
			}
			if err := outcome(m.Msg); err != nil {
				return err
			}
		}
		if m.Malformed {
			c.abandon()
			return ErrMalformed
		}
	}
}

// abandon gives up the socket in the middle of an answer: what is left of it
// (a dump that keeps the socket busy, perhaps) goes with it, and the next
// request opens another.
func (c *Conn) abandon() { _ = c.Close() }

// Create makes an entry. It fails with EEXIST if one of its tuples is taken.
func (c *Conn) Create(en *FlowSpec) error {
	if err := en.complete(); err != nil {
		return &OpError{"create", err}
	}
	e, h := c.request(wire.SubsysConntrack, wire.MsgNew, wire.FlagCreate|wire.FlagExcl)
	en.append(e, h)
	return c.change("create")
}

// Update changes the entry that en names. It fails with ENOENT if there is none.
// It is not atomic: the kernel sets the helper, then timeout, status, protocol
// state, mark and labels, and what it has set before an error stays.
func (c *Conn) Update(en *FlowSpec) error {
	if err := en.named(); err != nil {
		return &OpError{"update", err}
	}
	_, h := c.request(wire.SubsysConntrack, wire.MsgNew, 0)
	c.appendNamed(en, h)
	return c.change("update")
}

// Get returns a copy of the entry that has the tuple and zone of en, in either
// direction unless en.Exact is set. It fails with ENOENT if there is none.
func (c *Conn) Get(en *FlowSpec) (*Flow, error) {
	if err := en.named(); err != nil {
		return nil, &OpError{"get", err}
	}
	// The answer is the entry or a refusal: no acknowledgement is needed.
	_, h := c.request(wire.SubsysConntrack, wire.MsgGet, 0)
	c.appendNamed(en, h)
	var found *Flow
	decoded := ErrNoAnswer
	err := c.roundTrip("get", func(msg []byte) error {
		found = new(Flow)
		decoded = found.Decode(bytes.Clone(msg))
		return errAnswered
	})
	if err == nil && decoded != nil {
		err = &OpError{"get", decoded}
	}
	if err != nil {
		return nil, err
	}
	return found, nil
}

// Delete removes the entry that en names. It fails with ENOENT if there is none,
// or with another id than that of en.
func (c *Conn) Delete(en *FlowSpec) error {
	if err := en.named(); err != nil {
		return &OpError{"delete", err}
	}
	_, h := c.request(wire.SubsysConntrack, wire.MsgDelete, 0)
	c.appendNamed(en, h)
	return c.change("delete")
}

// Flush removes all entries of a family, all entries with FamilyAny.
func (c *Conn) Flush(family Family) error {
	e, h := c.request(wire.SubsysConntrack, wire.MsgDelete, wire.FlagAck)
	h.Family = family
	if family != FamilyAny {
		// The kernel looks at the family only in this version of the nfnetlink
		// header.
		h.Version = 1
	}
	e.begin(h)
	e.End()
	return c.roundTrip("flush", nil)
}

// CreateExpect makes an expectation. It fails with ENOENT if the connection
// x.Master does not exist, with EOPNOTSUPP if that has no helper.
func (c *Conn) CreateExpect(x *ExpectSpec) error {
	if err := x.check(); err != nil {
		return &OpError{"create expectation", err}
	}
	e, h := c.request(wire.SubsysExpect, wire.MsgNew, wire.FlagCreate|wire.FlagExcl)
	x.append(e, h)
	return c.change("create expectation")
}

// GetExpect returns a copy of the expectation of x.Tuple. It fails with ENOENT if
// there is none.
func (c *Conn) GetExpect(x *ExpectSpec) (*Expect, error) {
	if err := x.check(); err != nil {
		return nil, &OpError{"get expectation", err}
	}
	e, h := c.request(wire.SubsysExpect, wire.MsgGet, wire.FlagAck)
	x.append(e, h)
	var found *Expect
	err := c.roundTrip("get expectation", func(msg []byte) error {
		found = new(Expect)
		return found.Decode(bytes.Clone(msg))
	})
	if err == nil && found == nil {
		err = &OpError{"get expectation", ErrNoAnswer}
	}
	if err != nil {
		return nil, err
	}
	return found, nil
}

// DeleteExpect removes the expectation of x.Tuple. It fails with ENOENT if there
// is none, or with another id than that of x.
func (c *Conn) DeleteExpect(x *ExpectSpec) error {
	err := x.check()
	if err == nil && x.Tuple.Has == 0 {
		// The table would take the request for one about all expectations.
		err = &FieldError{"ExpectSpec.Tuple", "not set"}
	}
	if err != nil {
		return &OpError{"delete expectation", err}
	}
	e, h := c.request(wire.SubsysExpect, wire.MsgDelete, 0)
	x.append(e, h)
	return c.change("delete expectation")
}

// FlushExpect removes all expectations.
func (c *Conn) FlushExpect() error {
	e, h := c.request(wire.SubsysExpect, wire.MsgDelete, wire.FlagAck)
	e.begin(h)
	e.End()
	return c.roundTrip("flush expectations", nil)
}

// Count returns the number of entries in the table, and the most that it may
// hold: 0 before Linux 5.10, which does not say.
func (c *Conn) Count() (entries, maximum uint32, err error) {
	e, h := c.request(wire.SubsysConntrack, wire.MsgGetStats, wire.FlagAck)
	e.begin(h)
	e.End()
	err = c.roundTrip("count", func(msg []byte) error {
		_, b, err := decodeHeader(msg)
		if err != nil {
			return err
		}
		entries, _ = wire.Find32(b, wire.StatsGlobalEntries)
		maximum, _ = wire.Find32(b, wire.StatsGlobalMax)
		return nil
	})
	return entries, maximum, err
}
