package replay

import (
	"io"
	"sync/atomic"
)

// follower reads a pipe ahead, so that waiting for it can end: when idle was called
// and stop was called.
type follower struct {
	idle   func() // called before waiting
	blocks chan []byte
	free   chan []byte
	ended  chan struct{}
	closed atomic.Bool
	err    error // of the pipe, when blocks was closed
	left   []byte
	block  []byte
}

// followBlock is how much of a pipe is read at once.
const followBlock = 256 << 10

func newFollower(in io.Reader, idle func()) *follower {
	f := &follower{idle: idle, blocks: make(chan []byte, 4), free: make(chan []byte, 6), ended: make(chan struct{})}
	for range cap(f.free) {
		f.free <- make([]byte, followBlock)
	}
	go f.fill(in)
	return f
}

// fill reads the pipe to its end.
func (f *follower) fill(in io.Reader) {
	defer close(f.blocks)
	for {
		b := <-f.free
		n, err := in.Read(b)
		if n > 0 {
			f.blocks <- b[:n]
		}
		if err != nil {
			f.err = err
			return
		}
	}
}

// stop ends the stream after what was read.
func (f *follower) stop() {
	if f.closed.CompareAndSwap(false, true) {
		close(f.ended)
	}
}

// Read reads what has arrived, and waits for more if nothing has.
func (f *follower) Read(b []byte) (int, error) {
	if len(f.left) == 0 {
		if f.block != nil {
			f.free <- f.block[:followBlock]
			f.block = nil
		}
		var ok bool
		select {
		case f.block, ok = <-f.blocks:
		default:
			f.idle()
			select {
			case f.block, ok = <-f.blocks:
			case <-f.ended:
				return 0, io.EOF
			}
		}
		if !ok {
			f.block = nil
			return 0, f.err
		}
		f.left = f.block
	}
	n := copy(b, f.left)
	f.left = f.left[n:]
	return n, nil
}
