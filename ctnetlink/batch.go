package ctnetlink

import "github.com/gonntrack/gonntrack/internal/wire"

// Batch collects requests that are sent in one datagram: the table carries
// them out in turn, a refused one does not keep the next from being tried, and
// only the last asks for an acknowledgement. An error names the request it
// answers; what has none when the acknowledgement comes has succeeded.
//
// A Batch has a socket of its own and is not safe for concurrent use.
type Batch struct {
	conn  Conn
	last  int    // where the last message begins
	first uint32 // the sequence number of the first request
	errs  []error
	op    string
	gets  int
	flow  Flow
}

// maxBatch is how many changes are sent together. At the default receive buffer
// 256 answers fit (832 bytes each); half of it leaves room.
const maxBatch = 128

// maxGets is how many entries are asked for together. Each answer takes a page
// of the receive buffer.
const maxGets = 32

// NewBatch returns an empty batch. It must be closed.
func (c *Conn) NewBatch() *Batch {
	return &Batch{conn: Conn{dial: c.dial}}
}

// Close releases the socket. Requests that were not sent are forgotten.
func (b *Batch) Close() error { return b.conn.Close() }

// Len returns how many requests wait.
func (b *Batch) Len() int { return len(b.errs) }

// Full tells whether the batch must be sent before the next request.
func (b *Batch) Full() bool { return len(b.errs) == maxBatch || b.gets == maxGets }

// add appends a request. No request without a tuple gets in: the table would
// take it for one about all entries.
func (b *Batch) add(op string, msg, flags uint16, en *FlowSpec) {
	if len(b.errs) == 0 {
		b.conn.enc.B = b.conn.enc.B[:0]
		b.first = b.conn.seq + 1
	}
	b.op = op
	if en.Orig.Has == 0 && en.Reply.Has == 0 {
		b.errs = append(b.errs, EINVAL)
		b.conn.seq++
		return
	}
	b.errs = append(b.errs, nil)
	b.conn.seq++
	b.last = len(b.conn.enc.B)
	en.append(&b.conn.enc, header{Type: wire.SubsysConntrack<<8 | msg, Flags: wire.FlagRequest | flags, Seq: b.conn.seq})
}

// Create adds the creation of an entry, see Conn.Create.
func (b *Batch) Create(en *FlowSpec) { b.add("create", wire.MsgNew, wire.FlagCreate|wire.FlagExcl, en) }

// Update adds the change of an entry, see Conn.Update.
func (b *Batch) Update(en *FlowSpec) { b.add("update", wire.MsgNew, 0, en) }

// Delete adds the deletion of an entry, see Conn.Delete.
func (b *Batch) Delete(en *FlowSpec) { b.add("delete", wire.MsgDelete, 0, en) }

// Get adds the question for an entry, see Conn.Get.
func (b *Batch) Get(en *FlowSpec) {
	b.add("get", wire.MsgGet, 0, en)
	b.gets++
}

// Do sends the requests and returns what became of each, in their order: nil,
// or the refusal. The slice is valid until the next request is added. answer,
// which may be nil, is called with each entry that a Get found, valid during
// the call. A second error means that the answers are not known; every request
// may have been carried out.
func (b *Batch) Do(answer func(i int, f *Flow)) ([]error, error) {
	errs := b.errs
	b.errs, b.gets = b.errs[:0], 0
	if len(b.conn.enc.B) == 0 {
		return errs, nil
	}
	wire.Message(b.conn.enc.B[b.last:]).AddFlags(wire.FlagAck)
	defer func() { b.conn.enc.B = b.conn.enc.B[:0] }()
	if err := b.exchange(errs, answer); err != nil {
		b.conn.abandon()
		return nil, &OpError{b.op, err}
	}
	for i, err := range errs {
		if err != nil {
			errs[i] = &OpError{b.op, err}
		}
	}
	return errs, nil
}

// exchange sends the datagram and takes in answers until the last request's
// acknowledgement.
func (b *Batch) exchange(errs []error, answer func(i int, f *Flow)) error {
	c := &b.conn
	if err := c.open(); err != nil {
		return err
	}
	if err := c.sock.Send(c.enc.B); err != nil {
		return err
	}
	lastSeq := wire.Message(c.enc.B[b.last:]).Seq()
	for {
		n, from, err := c.sock.Receive(c.buf)
		if err != nil {
			return err
		}
		if from != 0 {
			continue // not from the kernel
		}
		m := wire.Messages{B: c.buf[:n]}
		for m.Next() {
			i := m.Msg.Seq() - b.first
			if i >= uint32(len(errs)) {
				continue // not ours
			}
			switch typ := m.Msg.Type(); {
			case typ == wire.TypeError:
				errs[i] = outcome(m.Msg)
				if m.Msg.Seq() == lastSeq {
					return nil
				}
			case typ == wire.TypeOverrun:
				return ENOBUFS
			case typ>>8 == wire.SubsysConntrack:
				if err := b.flow.Decode(m.Msg); err != nil {
					errs[i] = err
				} else if answer != nil {
					answer(int(i), &b.flow)
				}
			}
		}
		if m.Malformed {
			return ErrMalformed
		}
	}
}
