package cmd

import (
	"io"

	"github.com/gonntrack/gonntrack/ctnetlink/tablefile"
)

// heldOutput keeps what a command says back until it is true: until the changes
// that it tells of are in the table's file. Who is killed before that has said
// nothing. Not every line is worth writing the file, so that the more was said,
// the more is held.
type heldOutput struct {
	file           *tablefile.File
	stdout, stderr io.Writer
	waiting        []said
	size, limit    int
	failed         error // what ended it
}

// said is a piece of output on its way.
type said struct {
	to *io.Writer
	b  []byte
}

// How much is held before the file is written: at first, and at most.
const (
	minHeld = 1 << 20
	maxHeld = 16 << 20
)

// holdOutput puts itself between the program and where it writes.
func (p *program) holdOutput() {
	p.held = &heldOutput{file: p.file, stdout: p.out.w, stderr: p.stderr, limit: minHeld}
	p.out.w = heldWriter{p.held, &p.held.stdout}
	p.stderr = heldWriter{p.held, &p.held.stderr}
}

// heldWriter is one of the program's streams.
type heldWriter struct {
	held *heldOutput
	to   *io.Writer
}

func (w heldWriter) Write(b []byte) (int, error) {
	h := w.held
	if h.failed != nil {
		return 0, io.ErrClosedPipe // which ends quietly: closeTable tells
	}
	if len(h.waiting) == 0 && !h.file.Changed() {
		return (*w.to).Write(b)
	}
	if last := len(h.waiting) - 1; last >= 0 && h.waiting[last].to == w.to {
		h.waiting[last].b = append(h.waiting[last].b, b...)
	} else {
		h.waiting = append(h.waiting, said{w.to, append([]byte(nil), b...)})
	}
	// While a dump is under way that sets what it lists to zero, the file stays
	// locked: others would wait until the reader has taken what is said.
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

// settle commits what was changed and says what waited for that. When it cannot
// be committed nothing is said, now or later.
func (h *heldOutput) settle() error {
	waiting := h.waiting
	h.waiting, h.size = nil, 0
	if h.failed == nil {
		h.failed = h.file.Commit()
	}
	if h.failed != nil {
		return h.failed
	}
	var failed error
	for _, s := range waiting {
		if _, err := (*s.to).Write(s.b); err != nil && failed == nil && s.to == &h.stdout {
			failed = err
		}
	}
	return failed
}
