package ctnetlink

import (
	"errors"
	"iter"

	"github.com/gonntrack/gonntrack/internal/wire"
)

// Dump streams the entries that q asks for. A Flow is valid until the next
// one; breaking off the loop ends the dump. An error ends the stream.
//
// A kernel that refuses q's filters is asked again with less of them, and not
// asked for what it refused another time: what comes must be checked in any
// case.
//
// The kernel sends the entries of a hash bucket twice, unmarked, when the
// entry at which the dump paused between two datagrams is deleted. Such
// repetitions follow in the very next datagram: each entry is looked up among
// those of the datagram before, and passed over when it is there.
func (c *Conn) Dump(q *DumpRequest) iter.Seq2[*Flow, error] {
	return func(yield func(*Flow, error) bool) {
		var f Flow
		begun := false
		ask := func(q *DumpRequest) error {
			e, h := c.request(wire.SubsysConntrack, q.message(), wire.FlagDump)
			q.append(e, h)
			var seen dedup
			return c.dump(h, seen.advance, func(msg []byte) error {
				begun = true
				switch err := f.Decode(msg); {
				case err != nil:
					return err
				case !seen.repeated(&f) && !yield(&f, nil):
					return errStop
				}
				return nil
			})
		}
		asked := c.refused.without(q)
		err := ask(asked)
		for !begun && (errors.Is(err, EINVAL) || errors.Is(err, EOPNOTSUPP)) {
			filters := asked.filters().last()
			if filters == 0 {
				break
			}
			c.refused |= filters
			asked = c.refused.without(q)
			err = ask(asked)
		}
		if err != nil && err != errStop {
			yield(nil, &OpError{"dump", err})
		}
	}
}

// DumpExpect streams the expectations of a family, or of both. An Expect is
// valid until the next one; breaking off the loop ends the dump.
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

// errStop says that the reader of a stream has had enough.
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
