package ctnetlink

import (
	"errors"
	"iter"

	"github.com/gonntrack/gonntrack/internal/wire"
)

// Dump returns an iterator over the entries that q selects, over all entries if
// q is nil. Entries come as the kernel walks its table, in no particular order;
// memory does not grow with the table. A Flow is valid until the next one: Clone
// keeps it. Leaving the loop ends the dump. An error is the last that comes.
//
// Requests may be made on c inside the loop: a dump has a socket of its own.
// Entries that are created or deleted meanwhile may be listed or not. The kernel
// lists some entries twice when one is deleted during the dump; they are left
// out the second time.
func (c *Conn) Dump(q *DumpRequest) iter.Seq2[*Flow, error] {
	if q == nil {
		q = new(DumpRequest)
	}
	return func(yield func(*Flow, error) bool) {
		if err := c.dumpFlows(q, yield); err != nil && err != errStop {
			yield(nil, &OpError{"dump", err})
		}
	}
}

// DumpAll returns copies of all entries that q selects, see Dump.
func (c *Conn) DumpAll(q *DumpRequest) ([]*Flow, error) {
	var all []*Flow
	for f, err := range c.Dump(q) {
		if err != nil {
			return nil, err
		}
		all = append(all, f.Clone())
	}
	return all, nil
}

// dumpFlows dumps to yield. A kernel that refuses filters is asked again with
// fewer of them, and no later dump asks for those.
func (c *Conn) dumpFlows(q *DumpRequest, yield func(*Flow, error) bool) error {
	if err := q.check(); err != nil {
		return err
	}
	var f Flow
	begun, selects := false, q.selects()
	ask := func(k *DumpRequest) error {
		e, h := c.request(wire.SubsysConntrack, k.message(), wire.FlagDump)
		k.append(e, h)
		// The kernel sends a hash bucket a second time when the entry at which
		// the dump paused between two datagrams is deleted. The repetition is
		// in the very next datagram.
		var seen dedup
		return c.dump(h, seen.advance, func(msg []byte) error {
			begun = true
			switch err := f.Decode(msg); {
			case err != nil:
				return err
			case !seen.repeated(&f) && (!selects || q.match(&f)) && !yield(&f, nil):
				return errStop
			}
			return nil
		})
	}
	k := q.kernel()
	for {
		asked := c.refused.without(k)
		err := ask(asked)
		if begun || !errors.Is(err, EINVAL) && !errors.Is(err, EOPNOTSUPP) {
			return err
		}
		filters := asked.filters().last()
		if filters == 0 {
			return err
		}
		c.refused |= filters
	}
}

// DumpExpect returns an iterator over the expectations of a family, over all
// with FamilyAny. An Expect is valid until the next one: Clone keeps it. Leaving
// the loop ends the dump. An error is the last that comes.
func (c *Conn) DumpExpect(family Family) iter.Seq2[*Expect, error] {
	return func(yield func(*Expect, error) bool) {
		e, h := c.request(wire.SubsysExpect, wire.MsgGet, wire.FlagDump)
		h.Family = family
		e.begin(h)
		e.End()
		var x Expect
		err := c.dump(h, func() {}, func(msg []byte) error {
			switch err := x.Decode(msg); {
			case err != nil:
				return err
			case !yield(&x, nil):
				return errStop
			}
			return nil
		})
		if err != nil && err != errStop {
			yield(nil, &OpError{"dump expectations", err})
		}
	}
}

// dump sends the encoder's request, whose header is h, and hands each message
// of the answer to visit, up to the end of the dump. advance is called at the
// beginning of each datagram.
func (c *Conn) dump(h header, advance func(), visit func(msg []byte) error) error {
	return c.stream(func(datagram []byte) (more bool, err error) {
		advance()
		m := wire.Messages{B: datagram}
		for m.Next() {
			done, err := endOfDump(m.Msg, h.Seq)
			if done || err != nil {
				return false, err
			}
			if m.Msg.Type()>>8 != h.Type>>8 || m.Msg.Seq() != h.Seq {
				continue
			}
			if err := visit(m.Msg); err != nil {
				return false, err
			}
		}
		if m.Malformed {
			return false, ErrMalformed
		}
		return true, nil
	})
}

// errStop ends a stream whose reader left the loop.
const errStop = stop("stop")

type stop string

func (s stop) Error() string { return string(s) }

// endOfDump reports whether a message ends the dump, and with which error.
func endOfDump(m wire.Message, seq uint32) (done bool, err error) {
	switch m.Type() {
	case wire.TypeDone, wire.TypeError:
		if m.Seq() != seq {
			return false, nil
		}
		return true, outcome(m)
	case wire.TypeOverrun:
		return true, ENOBUFS
	}
	return false, nil
}
