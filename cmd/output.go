package cmd

import (
	"errors"
	"io"
	"io/fs"
	"syscall"
)

// output collects what goes to stdout and writes it in large blocks. After a
// failed write nothing more is written; err keeps the failure.
type output struct {
	w   io.Writer
	buf []byte
	err error
}

// blockSize is how much is written at once.
const blockSize = 64 << 10

func newOutput(w io.Writer) *output {
	// Room for a line beyond the block, so that it never grows.
	return &output{w: w, buf: make([]byte, 0, blockSize+8<<10)}
}

// spill writes the block when it is full and returns what went wrong, so that
// a command can stop.
func (o *output) spill() error {
	if len(o.buf) >= blockSize {
		return o.flush()
	}
	return nil
}

// flush writes everything. A reader that went away is a quiet end.
func (o *output) flush() error {
	if len(o.buf) > 0 && o.err == nil {
		_, o.err = o.w.Write(o.buf)
		o.buf = o.buf[:0]
	}
	return writeFailure(o.err)
}

// writeFailure tells that the output could not be written.
func writeFailure(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, syscall.EPIPE) || errors.Is(err, io.ErrClosedPipe):
		return errQuiet
	}
	var path *fs.PathError
	if errors.As(err, &path) {
		return failuref("cannot write the output: %s", path.Err)
	}
	return failuref("cannot write the output: %s", err)
}
