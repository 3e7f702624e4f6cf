package console

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"syscall"
)

// Output collects what goes to standard output in Buf and writes it in large
// blocks. After a failed write nothing more is written, and every call returns
// the failure.
type Output struct {
	// Buf is the text that is not written yet. Append to it, then call Spill.
	Buf []byte
	w   io.Writer
	err error
}

// blockSize is how much is written at once.
const blockSize = 64 << 10

// NewOutput returns an empty output to w.
func NewOutput(w io.Writer) *Output {
	// Room for a line beyond the block, so that it never grows.
	return &Output{w: w, Buf: make([]byte, 0, blockSize+8<<10)}
}

// Spill writes the text when there is a block of it.
func (o *Output) Spill() error {
	if len(o.Buf) >= blockSize {
		return o.Flush()
	}
	return nil
}

// Print appends s and writes everything.
func (o *Output) Print(s string) error {
	o.Buf = append(o.Buf, s...)
	return o.Flush()
}

// Flush writes everything. The error is ErrQuiet when the reader went away.
func (o *Output) Flush() error {
	if len(o.Buf) > 0 && o.err == nil {
		_, o.err = o.w.Write(o.Buf)
		o.Buf = o.Buf[:0]
	}
	return WriteError(o.err)
}

// WriteError returns the error to report when a write of the output failed
// with err: ErrQuiet when the reader went away.
func WriteError(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, syscall.EPIPE) || errors.Is(err, io.ErrClosedPipe):
		return ErrQuiet
	}
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	return fmt.Errorf("cannot write the output: %w", err)
}

// Write appends text, and writes it when there is a block of it.
func (o *Output) Write(text []byte) (int, error) {
	o.Buf = append(o.Buf, text...)
	return len(text), o.Spill()
}
