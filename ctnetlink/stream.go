package ctnetlink

import (
	"bytes"
	"encoding/binary"

	"github.com/gonntrack/gonntrack/internal/wire"
)

// ringSize is how many datagrams may lie between the kernel and the reader.
const ringSize = 8

// chunk is a datagram on its way from the receiver to the reader.
type chunk struct {
	buf []byte
	n   int
	err error
	end bool // it seems to be the last
}

// stream sends the encoder's request on a socket of its own and hands each
// datagram to each, until it returns false or an error. One goroutine does
// nothing but receive into a ring of buffers, so that the kernel's work, which
// is done inside the receiving call, and the reader's overlap.
//
// The datagram before the current one is kept intact as well.
func (c *Conn) stream(each func(datagram []byte) (more bool, err error)) error {
	sock, err := c.dial()
	if err != nil {
		return err
	}
	request := bytes.Clone(c.enc.B)
	free := make(chan []byte, ringSize)
	full := make(chan chunk, ringSize)
	stopped := make(chan struct{})
	more := make(chan struct{}) // something follows what seemed to be the end
	for range ringSize {
		free <- nil // made when first used: most dumps are short
	}
	go func() {
		defer close(full)
		// The kernel builds the first datagram inside the send: from the
		// goroutine that receives.
		if err := sock.Send(request); err != nil {
			full <- chunk{err: err}
			return
		}
		for buf := range free {
			if buf == nil {
				buf = make([]byte, readSize)
			}
			n, from, err := sock.Receive(buf)
			for err == nil && from != 0 { // not from the kernel
				n, from, err = sock.Receive(buf)
			}
			end := err == nil && seemsEnd(buf[:n])
			full <- chunk{buf, n, err, end}
			if err != nil {
				return
			}
			if end { // a receive would wait
				select {
				case <-stopped:
					return
				case <-more:
				}
			}
			select {
			case <-stopped:
				return
			default:
			}
		}
	}()
	defer func() {
		// Closing the socket ends a waiting receive and the kernel's dump.
		close(stopped)
		sock.Close()
		close(free)
	}()
	var before []byte
	for ch := range full {
		if ch.err != nil {
			return ch.err
		}
		goOn, err := each(ch.buf[:ch.n])
		if !goOn || err != nil {
			return err
		}
		if ch.end {
			more <- struct{}{}
		}
		if before != nil {
			free <- before
		}
		before = ch.buf
	}
	return ErrNoAnswer // not reached: an error comes before the end
}

// seemsEnd reports whether a datagram looks like the last of an answer: it is an
// error, or NLMSG_DONE is its last message, as the kernel sends it.
func seemsEnd(datagram []byte) bool {
	const done = wire.HeaderLen + 4
	if len(datagram) < done {
		return false
	}
	last := wire.Message(datagram[len(datagram)-done:])
	return wire.Message(datagram).Type() == wire.TypeError || last.Type() == wire.TypeDone && binary.NativeEndian.Uint32(last) == done
}
