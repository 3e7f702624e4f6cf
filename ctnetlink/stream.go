package ctnetlink

import "bytes"

// ringSize is how many datagrams may lie between the kernel and the reader.
const ringSize = 8

// chunk is a datagram on its way from the receiver to the reader.
type chunk struct {
	buf []byte
	n   int
	err error
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
			full <- chunk{buf, n, err}
			if err != nil {
				return
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
		more, err := each(ch.buf[:ch.n])
		if !more || err != nil {
			return err
		}
		if before != nil {
			free <- before
		}
		before = ch.buf
	}
	return ErrNoAnswer // not reached: an error comes before the end
}
