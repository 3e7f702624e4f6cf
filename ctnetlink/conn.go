package ctnetlink

import (
	"encoding/binary"
	"errors"

	"github.com/gonntrack/gonntrack/internal/wire"
)

// Conn is a handle on one table. It is not safe for concurrent use, except
// that requests may be made while one of its dumps is being read: a dump has a
// socket of its own, so that what is deleted beside it never mixes with it.
type Conn struct {
	dial   Dialer
	sock   Socket // for requests; opened by the first
	seq    uint32
	enc    encoder
	buf    []byte
	flow   Flow
	answer []byte
	// refused are the filters that dumps go without.
	refused filterSet
}

// readSize is the size of a receive buffer. The kernel sizes a dump's
// datagrams by the largest buffer a socket has ever read into, up to 32 KiB.
const readSize = 64 << 10

// NewConn returns a Conn that opens its sockets with dial, when they are
// needed.
func NewConn(dial Dialer) *Conn { return &Conn{dial: dial} }

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

// roundTrip sends the encoder's message and hands every message of the answer
// to each (which may be nil) until the acknowledgement or the end of the dump.
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

// Create makes an entry; EEXIST when one of its tuples is taken.
func (c *Conn) Create(en *FlowSpec) error {
	e, h := c.request(wire.SubsysConntrack, wire.MsgNew, wire.FlagCreate|wire.FlagExcl)
	en.append(e, h)
	return c.change("create")
}

// CreateOrUpdate makes an entry, or updates the one that has its tuple.
func (c *Conn) CreateOrUpdate(en *FlowSpec) error {
	e, h := c.request(wire.SubsysConntrack, wire.MsgNew, wire.FlagCreate)
	en.append(e, h)
	return c.change("add")
}

// Update changes the entry that has en's tuple; ENOENT when there is none. It
// is not atomic: an error keeps what came before it in the kernel's order
// (helper, timeout, status, protocol state, mark, labels).
func (c *Conn) Update(en *FlowSpec) error {
	e, h := c.request(wire.SubsysConntrack, wire.MsgNew, 0)
	en.append(e, h)
	return c.change("update")
}

// Get returns the entry that has one of en's tuples in its zone, in either
// direction; ENOENT when there is none. The view is valid until the next Get.
func (c *Conn) Get(en *FlowSpec) (*Flow, error) {
	e, h := c.request(wire.SubsysConntrack, wire.MsgGet, wire.FlagAck)
	en.append(e, h)
	found := false
	err := c.roundTrip("get", func(msg []byte) error {
		found = true
		// The acknowledgement is read into the same buffer: keep a copy.
		c.answer = append(c.answer[:0], msg...)
		return c.flow.Decode(c.answer)
	})
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, &OpError{"get", ErrNoAnswer}
	}
	return &c.flow, nil
}

// Delete removes the entry that has en's tuple (and id, when set); ENOENT when
// there is none, or another one. It refuses an entry without a tuple, which
// the kernel would take for a flush.
func (c *Conn) Delete(en *FlowSpec) error {
	if en.Orig.Has == 0 && en.Reply.Has == 0 {
		return &OpError{"delete", EINVAL}
	}
	e, h := c.request(wire.SubsysConntrack, wire.MsgDelete, 0)
	en.append(e, h)
	return c.change("delete")
}

// Flush empties the table, or with a family only that family's entries.
func (c *Conn) Flush(family Family) error {
	e, h := c.request(wire.SubsysConntrack, wire.MsgDelete, wire.FlagAck)
	h.Family = family
	if family != FamilyAny {
		// The kernel minds the family of a flush only in this version of
		// the nfnetlink header (ctnetlink_del_conntrack).
		h.Version = 1
	}
	e.begin(h)
	e.End()
	return c.roundTrip("flush", nil)
}

// CreateExpect makes an expectation.
func (c *Conn) CreateExpect(x *ExpectSpec) error {
	e, h := c.request(wire.SubsysExpect, wire.MsgNew, wire.FlagCreate|wire.FlagExcl)
	x.append(e, h)
	return c.change("create expectation")
}

// GetExpect returns the expectation of x.Tuple; ENOENT if there is none. The
// result is a view of a copy, which stays valid.
func (c *Conn) GetExpect(x *ExpectSpec) (*Expect, error) {
	e, h := c.request(wire.SubsysExpect, wire.MsgGet, wire.FlagAck)
	x.append(e, h)
	var found *Expect
	err := c.roundTrip("get expectation", func(msg []byte) error {
		found = new(Expect)
		return found.Decode(append([]byte(nil), msg...))
	})
	if err == nil && found == nil {
		err = &OpError{"get expectation", ErrNoAnswer}
	}
	return found, err
}

// DeleteExpect removes the expectation of x.Tuple. It refuses one without a
// tuple, which the kernel would take for a flush.
func (c *Conn) DeleteExpect(x *ExpectSpec) error {
	if x.Tuple.Has == 0 {
		return &OpError{"delete expectation", EINVAL}
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

// Count returns how many entries the table has, and how many it may have (0
// when the kernel does not say: before 5.10).
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

// CPUStat is one counter of one CPU.
type CPUStat struct {
	Attr  uint16 // enum ctattr_stats_cpu, or ctattr_expect_stats
	Value uint32
}

// Stats calls each for every CPU of the machine, with its counters in the
// order of their numbers. The slice is reused; each must not make requests on
// the same Conn.
func (c *Conn) Stats(each func(cpu int, counters []CPUStat)) error {
	return c.stats("statistics", wire.SubsysConntrack, wire.MsgGetStatsCPU, each)
}

// StatsExpect is Stats for the counters of expectations.
func (c *Conn) StatsExpect(each func(cpu int, counters []CPUStat)) error {
	return c.stats("expectation statistics", wire.SubsysExpect, wire.MsgExpGetStatsCPU, each)
}

func (c *Conn) stats(op string, subsys, msg uint16, each func(cpu int, counters []CPUStat)) error {
	e, h := c.request(subsys, msg, wire.FlagDump)
	e.begin(h)
	e.End()
	var counters []CPUStat
	return c.roundTrip(op, func(msg []byte) error {
		var err error
		h, counters, err = decodeStats(msg, counters[:0])
		if err != nil {
			return err
		}
		each(int(h.ResID), counters)
		return nil
	})
}

// decodeStats appends the counters of one CPU's message to dst.
func decodeStats(msg []byte, dst []CPUStat) (header, []CPUStat, error) {
	h, b, err := decodeHeader(msg)
	if err != nil {
		return h, dst, err
	}
	a := wire.Attrs{B: b}
	for a.Next() {
		if len(a.Val) >= 4 {
			dst = append(dst, CPUStat{a.Type, binary.BigEndian.Uint32(a.Val)})
		}
	}
	if a.Malformed {
		return h, dst, ErrMalformed
	}
	return h, dst, nil
}
