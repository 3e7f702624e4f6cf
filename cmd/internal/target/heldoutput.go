package target

import (
	"io"

	"github.com/gonntrack/gonntrack/cmd/internal/console"
	"github.com/gonntrack/gonntrack/ctnetlink/tablefile"
)

// heldOutput buffers output until the changes of a table file that it reports
// are committed: a run that is killed before that has reported nothing. Writing
// the file for every line would be slow, so the limit doubles from 1 to 16 MiB.
type heldOutput struct {
	file           *tablefile.File
	stdout, stderr io.Writer
	chunks         []chunk
	size, limit    int
	failed         error // the commit that failed
}

// chunk is a piece of output that waits.
type chunk struct {
	to *io.Writer
	b  []byte
}

// How much is held before the file is written: at first, and at most.
const (
	minHeld = 1 << 20
	maxHeld = 16 << 20
)

// holdOutput puts a heldOutput between the streams and where they lead.
func holdOutput(file *tablefile.File, s *console.Streams) *heldOutput {
	h := &heldOutput{file: file, limit: minHeld}
	s.Wrap(func(w io.Writer) io.Writer {
		h.stdout = w
		return heldWriter{h, &h.stdout}
	}, func(w io.Writer) io.Writer {
		h.stderr = w
		return heldWriter{h, &h.stderr}
	})
	return h
}

// heldWriter is one of the streams.
type heldWriter struct {
	held *heldOutput
	to   *io.Writer
}

func (w heldWriter) Unwrap() io.Writer { return *w.to }

func (w heldWriter) Write(b []byte) (int, error) {
	h := w.held
	if h.failed != nil {
		return 0, io.ErrClosedPipe // which ends the run quietly: Close reports the failure
	}
	if len(h.chunks) == 0 && !h.file.Changed() {
		return (*w.to).Write(b)
	}
	if last := len(h.chunks) - 1; last >= 0 && h.chunks[last].to == w.to {
		h.chunks[last].b = append(h.chunks[last].b, b...)
	} else {
		h.chunks = append(h.chunks, chunk{w.to, append([]byte(nil), b...)})
	}
	// While a dump that zeroes counters is under way the file stays locked, and
	// writing now would make others wait for the reader of the output.
	if h.size += len(b); h.size >= h.limit && !h.file.Zeroing() {
		h.limit = min(2*h.limit, maxHeld)
		switch err := h.settle(); {
		case h.failed != nil:
			return 0, io.ErrClosedPipe
		case err != nil:
			return 0, err
		}
	}
	return len(b), nil
}

// settle commits the changes and writes the output that waited for that. When
// the commit fails nothing is written, now or later. The error is that of the
// commit, or of the first write to standard output that failed.
func (h *heldOutput) settle() error {
	chunks := h.chunks
	h.chunks, h.size = nil, 0
	if h.failed == nil {
		h.failed = h.file.Commit()
	}
	if h.failed != nil {
		return h.failed
	}
	var failed error
	for _, c := range chunks {
		if _, err := (*c.to).Write(c.b); err != nil && failed == nil && c.to == &h.stdout {
			failed = err
		}
	}
	return failed
}
