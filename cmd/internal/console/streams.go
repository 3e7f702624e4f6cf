// Package console holds what a run of the command reads and writes: its
// standard streams, the buffered output, the terminal they may lead to, and the
// progress line of a long run.
package console

import (
	"errors"
	"io"
	"sync/atomic"
)

// Streams are the standard streams of a run.
type Streams struct {
	In  io.Reader
	Out *Output   // buffered standard output
	Err io.Writer // standard error, not buffered

	// progress is the line that is shown, nil if there is none.
	progress atomic.Pointer[Progress]
}

// ErrQuiet ends a run with a failure and no message: the reader of the output
// went away, or the message was printed already.
var ErrQuiet = errors.New("quiet failure")

// NewStreams returns streams that read in and write to out and err. What is
// written to them erases a progress line that is shown.
func NewStreams(in io.Reader, out, err io.Writer) *Streams {
	s := &Streams{In: in}
	s.Out = NewOutput(&progressWriter{s, out})
	s.Err = &progressWriter{s, err}
	return s
}

// Discard returns streams that lead nowhere.
func Discard() *Streams {
	return &Streams{In: eof{}, Out: NewOutput(io.Discard), Err: io.Discard}
}

// eof is an empty file.
type eof struct{}

func (eof) Read([]byte) (int, error) { return 0, io.EOF }

// Wrap puts writers in place of those that standard output and standard error
// lead to. They should have an Unwrap method, by which a terminal beneath them
// is found.
func (s *Streams) Wrap(out, err func(w io.Writer) io.Writer) {
	s.Out.w = out(s.Out.w)
	s.Err = err(s.Err)
}

// Unwrap takes away the writers that Wrap put in place.
func (s *Streams) Unwrap() {
	if w, ok := s.Out.w.(unwrapper); ok {
		s.Out.w = w.Unwrap()
	}
	if w, ok := s.Err.(unwrapper); ok {
		s.Err = w.Unwrap()
	}
}
