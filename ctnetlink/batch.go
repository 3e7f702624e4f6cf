package ctnetlink

import "github.com/gonntrack/gonntrack/internal/wire"

// Batch sends requests about entries many at a time, in few datagrams. The table
// carries them out in their order, and a refusal does not keep it from the next.
// In a table of many entries that takes a fraction of the time of single
// requests.
//
// Requests are collected. When as many wait as the answers of fit into the
// socket's buffer they are sent, so that any number can be added; [Batch.Do]
// sends the rest and returns the results of all since the last Do. A Batch has a
// socket of its own. It is not safe for concurrent use and must be closed.
type Batch struct {
	conn Conn
	last int // where its message begins
	cost int // of the answers to what waits

	results []Result
	first   int    // index of the first request that waits
	seq     uint32 // its sequence number
	err     error  // why a datagram was not sent or not answered

	flows []*Flow // for results, used again
	used  int
}

// Result is what became of a request of a [Batch].
type Result struct {
	// Flow is the entry that a Get found, nil for other requests and without
	// success. It is valid until the next request is added.
	Flow *Flow
	// Err is nil if the table carried the request out, and an *OpError with its
	// refusal otherwise.
	Err error

	op string
}

const (
	// maxBatch is how many requests are sent together. More are not faster.
	maxBatch = 128
	// maxBatchBytes bounds the size of a datagram, before its last request. The
	// send buffer has 212 992 bytes by default.
	maxBatchBytes = 96 << 10
	// maxBatchCost bounds what the answers take of the receive buffer, which has
	// 212 992 bytes by default too. The kernel accounts 832 bytes for an error,
	// and for an entry the page in which it is built.
	maxBatchCost = 156_000
	errorCost    = 832
	entryCost    = 4864
)

// NewBatch returns an empty batch.
func (c *Conn) NewBatch() *Batch { return &Batch{conn: Conn{dial: c.dial, directions: c.directions}} }

// Close releases the socket. Requests that wait are dropped.
func (b *Batch) Close() error { return b.conn.Close() }

// Len returns how many requests were added since the last Do.
func (b *Batch) Len() int { return len(b.results) }

// Full reports whether the next request first sends those that wait. Who calls Do
// then keeps memory constant.
func (b *Batch) Full() bool {
	return len(b.results)-b.first >= maxBatch || b.cost+entryCost > maxBatchCost || len(b.conn.enc.B) >= maxBatchBytes
}

// Create adds a request as by Conn.Create.
func (b *Batch) Create(en *FlowSpec) {
	b.add("create", wire.MsgNew, wire.FlagCreate|wire.FlagExcl, errorCost, en, en.complete())
}

// Update adds a request as by Conn.Update.
func (b *Batch) Update(en *FlowSpec) { b.add("update", wire.MsgNew, 0, errorCost, en, en.named()) }

// Delete adds a request as by Conn.Delete.
func (b *Batch) Delete(en *FlowSpec) { b.add("delete", wire.MsgDelete, 0, errorCost, en, en.named()) }

// Get adds a request as by Conn.Get.
func (b *Batch) Get(en *FlowSpec) { b.add("get", wire.MsgGet, 0, entryCost, en, en.named()) }

// add adds a request, which does not copy en. wrong is what is wrong with it.
func (b *Batch) add(op string, msg, flags uint16, cost int, en *FlowSpec, wrong error) {
	if len(b.results) == 0 {
		b.used = 0
	}
	if b.Full() {
		b.send()
	}
	if len(b.results) == b.first {
		b.seq = b.conn.seq + 1
	}
	b.conn.seq++
	if wrong != nil {
		b.results = append(b.results, Result{op: op, Err: &OpError{op, wrong}})
		return
	}
	b.results = append(b.results, Result{op: op})
	b.cost += cost
	b.last = len(b.conn.enc.B)
	h := header{Type: wire.SubsysConntrack<<8 | msg, Flags: wire.FlagRequest | flags, Seq: b.conn.seq}
	if flags&wire.FlagCreate != 0 {
		en.append(&b.conn.enc, h)
	} else {
		b.conn.appendNamed(en, h)
	}
}

// Do sends the requests that wait and returns the results of all since the last
// Do, in their order. The slice is valid until the next request is added. If the
// table could not be asked, or its answers were lost, Do returns the results that
// are known and the error; any of the other requests may have been carried out.
func (b *Batch) Do() ([]Result, error) {
	b.send()
	results, err := b.results[:b.first], b.err
	b.results, b.first, b.err = b.results[:0], 0, nil
	return results, err
}

// send sends the requests that wait and takes their answers. After an error
// nothing is sent until Do has returned it.
func (b *Batch) send() {
	waiting := b.results[b.first:]
	datagram := b.conn.enc.B
	b.conn.enc.B, b.cost = datagram[:0], 0
	if b.err != nil {
		return
	}
	if len(datagram) > 0 {
		if err := b.exchange(datagram, waiting); err != nil {
			b.conn.abandon()
			b.err = &OpError{waiting[len(waiting)-1].op, err}
			return
		}
	}
	b.first = len(b.results)
}

// exchange sends a datagram and takes answers until the acknowledgement of its
// last request. A request that has no answer by then has succeeded.
func (b *Batch) exchange(datagram []byte, results []Result) error {
	c := &b.conn
	last := wire.Message(datagram[b.last:])
	last.AddFlags(wire.FlagAck)
	if err := c.open(); err != nil {
		return err
	}
	if err := c.sock.Send(datagram); err != nil {
		return err
	}
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
			i := m.Msg.Seq() - b.seq
			if i >= uint32(len(results)) {
				continue // not ours
			}
			switch typ := m.Msg.Type(); {
			case typ == wire.TypeError:
				if err := outcome(m.Msg); err != nil {
					results[i].Err = &OpError{results[i].op, err}
				}
				if m.Msg.Seq() == last.Seq() {
					return nil
				}
			case typ == wire.TypeOverrun:
				return ENOBUFS
			case typ>>8 == wire.SubsysConntrack:
				f := b.flow()
				if err := f.Decode(append(f.msg[:0], m.Msg...)); err != nil {
					results[i].Err = &OpError{results[i].op, err}
				} else {
					results[i].Flow = f
				}
			}
		}
		if m.Malformed {
			return ErrMalformed
		}
	}
}

// flow returns a Flow for a result.
func (b *Batch) flow() *Flow {
	if b.used == len(b.flows) {
		b.flows = append(b.flows, new(Flow))
	}
	b.used++
	return b.flows[b.used-1]
}
