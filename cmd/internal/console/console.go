// Package console holds what a run of the command reads and writes: its
// standard streams, the buffered output, the terminal they may lead to, and the
// progress line of a long run.
package console

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"runtime"
	"strconv"
	"sync/atomic"
	"syscall"

	"golang.org/x/term"

	"github.com/gonntrack/gonntrack/internal/printable"
)

// Streams are the standard streams of a run.
type Streams struct {
	In  io.Reader
	Out *Output   // buffered standard output
	Err *Messages // standard error, not buffered

	// progress is the line that is shown, nil if there is none.
	progress atomic.Pointer[progress]
}

// ErrQuiet ends a run with a failure and no message: the reader of the output
// went away, or the message was printed already.
var ErrQuiet = errors.New("quiet failure")

// NewStreams returns streams that read in and write to out and err. What is
// written to them erases a progress line that is shown.
func NewStreams(in io.Reader, out, err io.Writer) *Streams {
	s := &Streams{In: in}
	s.Out = NewOutput(&progressWriter{s, out})
	s.Err = NewMessages(&progressWriter{s, err})
	return s
}

// Discard returns streams that lead nowhere.
func Discard() *Streams {
	return &Streams{In: eof{}, Out: NewOutput(io.Discard), Err: NewMessages(io.Discard)}
}

// eof is an empty file.
type eof struct{}

func (eof) Read([]byte) (int, error) { return 0, io.EOF }

// Wrap puts writers in place of those that standard output and standard error
// lead to. They should have an Unwrap method, by which a terminal beneath them
// is found.
func (s *Streams) Wrap(out, err func(w io.Writer) io.Writer) {
	s.Out.w = out(s.Out.w)
	s.Err.w = err(s.Err.w)
}

// Unwrap takes away the writers that Wrap put in place.
func (s *Streams) Unwrap() {
	if w, ok := s.Out.w.(unwrapper); ok {
		s.Out.w = w.Unwrap()
	}
	if w, ok := s.Err.w.(unwrapper); ok {
		s.Err.w = w.Unwrap()
	}
}

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

// Printf appends text as printable.Sprintf makes it: what is put into the format may
// come from outside. It writes when there is a block of text.
func (o *Output) Printf(form string, args ...any) error {
	o.Buf = append(o.Buf, printable.Sprintf(form, args...)...)
	return o.Spill()
}

// Print appends s, a text of our own, and writes everything.
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

// unwrapper is a writer that writes to another one.
type unwrapper interface{ Unwrap() io.Writer }

// underlying returns the stream that f, one of the streams of a run, leads to.
func underlying(f any) any {
	for {
		switch w := f.(type) {
		case *Output:
			f = w.w
		case *Messages:
			f = w.w
		case unwrapper:
			f = w.Unwrap()
		default:
			return f
		}
	}
}

// IsTerminal reports whether f, one of the streams of a run, is a terminal.
func IsTerminal(f any) bool {
	file, ok := underlying(f).(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// OpenTerminal opens the controlling terminal for writing, wherever the streams
// lead.
func OpenTerminal() (*os.File, error) {
	name := "/dev/tty"
	if runtime.GOOS == "windows" {
		name = "CONOUT$"
	}
	return os.OpenFile(name, os.O_WRONLY, 0)
}

// LineWidth returns how many columns a line on f may have, 0 for any number:
// COLUMNS where it is set, else the terminal's width.
func LineWidth(f any) int {
	if n, err := strconv.Atoi(os.Getenv("COLUMNS")); err == nil && n > 0 {
		return n
	}
	if file, ok := underlying(f).(*os.File); ok {
		if width, _, err := term.GetSize(int(file.Fd())); err == nil {
			return width
		}
	}
	return 0
}

// Height returns how many lines the terminal has that f leads to, 0 if it leads to
// none.
func Height(f any) int {
	if file, ok := underlying(f).(*os.File); ok {
		if _, height, err := term.GetSize(int(file.Fd())); err == nil {
			return height
		}
	}
	return 0
}

// UseColor reports whether text on f may be coloured: on a terminal that can
// show it, unless NO_COLOR is set (https://no-color.org).
func UseColor(f any) bool {
	return IsTerminal(f) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}

// progressWriter is where a stream leads to: what is written there erases the
// progress line first.
type progressWriter struct {
	streams *Streams
	w       io.Writer
}

func (p *progressWriter) Unwrap() io.Writer { return p.w }

func (p *progressWriter) Write(text []byte) (int, error) {
	if b := p.streams.progress.Load(); b != nil && b.covers(p) {
		return b.write(p.w, text)
	}
	return p.w.Write(text)
}

// Task is a long run whose progress is shown on a terminal.
type Task struct {
	Verb, Unit string // "loading", "lines"
	Total      int    // 0: unknown
	// Prints: the run prints what it goes through. On a terminal that shows the
	// progress.
	Prints bool
}

// start shows the progress of a task, if standard error is a terminal and no
// other progress is shown. It returns nil where nothing is shown.
func (s *Streams) start(t Task) *progress {
	w, ok := underlying(s.Err).(io.Writer)
	if !ok || s.progress.Load() != nil || !IsTerminal(s.Err) || t.Prints && IsTerminal(s.Out) {
		return nil
	}
	return s.startProgress(w, t.Verb, t.Unit, t.Total)
}

// Track shows the progress of a task that goes through seq, while it does.
func Track[T any](s *Streams, t Task, seq iter.Seq[T]) iter.Seq[T] {
	return func(yield func(T) bool) {
		b := s.start(t)
		if b == nil {
			seq(yield)
			return
		}
		defer b.stop()
		seq(func(v T) bool {
			more := yield(v)
			b.n.Add(1)
			return more
		})
	}
}

// Track2 is Track for pairs.
func Track2[K, V any](s *Streams, t Task, seq iter.Seq2[K, V]) iter.Seq2[K, V] {
	return func(yield func(K, V) bool) {
		b := s.start(t)
		if b == nil {
			seq(yield)
			return
		}
		defer b.stop()
		seq(func(k K, v V) bool {
			more := yield(k, v)
			b.n.Add(1)
			return more
		})
	}
}
