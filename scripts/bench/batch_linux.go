package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// batchSize is how many requests share one sendmsg: the answers of 256 fit a
// default receive buffer, should all be refused.
const batchSize = 128

// batcher changes the table in batches: of each only the last message asks for
// an acknowledgement, which stands for all.
type batcher struct {
	sock *socket
	buf  []byte // of the requests
	last int    // where the last request begins
	n    int
	ans  []byte
	seq  uint32
}

func newBatcher() (*batcher, error) {
	s, err := openSocket()
	if err != nil {
		return nil, err
	}
	return &batcher{sock: s, ans: make([]byte, bufferSize)}, nil
}

func (b *batcher) close() { b.sock.close() }

// create makes the n entries from number from on.
func (b *batcher) create(g generator, from, n, size int) error {
	for i := from; i < from+n; i++ {
		en := g(i)
		b.begin()
		b.buf = en.AppendMessage(b.buf)
		if err := b.end(ctNew, unix.NLM_F_CREATE|unix.NLM_F_EXCL, size); err != nil {
			return fmt.Errorf("create entry %d: %w", i, err)
		}
	}
	return b.flush()
}

// remove deletes the entries that create made.
func (b *batcher) remove(g generator, from, n int) error {
	for i := from; i < from+n; i++ {
		en := g(i)
		en.Reply, en.Set = ctnetlink.Tuple{}, 0
		b.begin()
		b.buf = en.AppendMessage(b.buf)
		if err := b.end(ctDelete, 0, batchSize); err != nil {
			return fmt.Errorf("delete entry %d: %w", i, err)
		}
	}
	return b.flush()
}

// begin opens a request: the caller appends one message to buf.
func (b *batcher) begin() { b.last = len(b.buf) }

// end closes it, and sends the batch when it is full.
func (b *batcher) end(typ, flags uint16, size int) error {
	b.seq++
	setHeader(b.buf[b.last:], typ, flags|unix.NLM_F_REQUEST, b.seq)
	if b.n++; b.n < size {
		return nil
	}
	return b.flush()
}

// flush sends the batch and waits until all of it was carried out.
func (b *batcher) flush() error {
	if b.n == 0 {
		return nil
	}
	flags := binary.NativeEndian.Uint16(b.buf[b.last+6:])
	binary.NativeEndian.PutUint16(b.buf[b.last+6:], flags|unix.NLM_F_ACK)
	err := b.sock.send(b.buf)
	b.buf, b.n = b.buf[:0], 0
	if err != nil {
		return err
	}
	var failed []error
	for {
		n, err := b.sock.receive(b.ans)
		if err != nil {
			return err
		}
		for msg, rest := cut(b.ans[:n]); msg != nil; msg, rest = cut(rest) {
			if msgType(msg) != unix.NLMSG_ERROR {
				continue
			}
			if err := msgError(msg); err != nil && len(failed) < 3 {
				failed = append(failed, err)
			}
			if msgSeq(msg) == b.seq {
				return errors.Join(failed...)
			}
		}
	}
}

// fillRole is a process that creates entries: fill -n N -batch SIZE. It prints
// how many and how long it took.
func fillRole(args []string) error {
	f := newRoleFlags("fill")
	n := f.Int("n", 0, "entries")
	size := f.Int("batch", batchSize, "requests in one sendmsg")
	if err := f.Parse(args); err != nil {
		return err
	}
	b, err := newBatcher()
	if err != nil {
		return err
	}
	defer b.close()
	start := time.Now()
	if err := b.create(tcpEntry, 0, *n, *size); err != nil {
		return err
	}
	fmt.Println(*n, time.Since(start).Seconds())
	return nil
}

// churnRole is a process that creates entries at a steady rate and deletes
// each some time later: churn -for DURATION -rate N. It prints how many.
func churnRole(args []string) error {
	f := newRoleFlags("churn")
	long := f.Duration("for", time.Minute, "how long")
	rate := f.Int("rate", 10_000, "creations a second")
	if err := f.Parse(args); err != nil {
		return err
	}
	b, err := newBatcher()
	if err != nil {
		return err
	}
	defer b.close()
	const alive = 16 * batchSize
	start := time.Now()
	created, deleted := 0, 0
	for time.Since(start) < *long {
		if err := b.create(tcpEntry, created, batchSize, batchSize); err != nil {
			return err
		}
		created += batchSize
		if created-deleted > alive {
			if err := b.remove(tcpEntry, deleted, batchSize); err != nil {
				return err
			}
			deleted += batchSize
		}
		time.Sleep(time.Until(start.Add(time.Duration(created) * time.Second / time.Duration(*rate))))
	}
	if err := b.remove(tcpEntry, deleted, created-deleted); err != nil {
		return err
	}
	fmt.Println(created, time.Since(start).Seconds())
	return nil
}
