package console

import (
	"fmt"
	"io"
	"iter"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Progress is a line on a terminal that shows how far a long run is. It appears
// after a second, and is erased before anything else is written and when the run
// ends. A nil Progress shows nothing, and its methods can be called.
//
// No library draws it, because each would cost every start of the program time:
// 0.12 ms for github.com/schollz/progressbar (v3.15.0; later versions link
// net/http, 0.7 ms), and as much for github.com/cheggaaa/pb and
// github.com/vbauerster/mpb.
type Progress struct {
	streams *Streams  // whose progress it is
	w       io.Writer // the terminal
	verb    string    // "loading"
	unit    string    // "lines"
	total   int       // 0: unknown
	width   int       // of the terminal, in columns
	begun   time.Time
	n       atomic.Int64

	mu    sync.Mutex // guards w and shown
	shown int        // columns that the line takes now

	quit, ended chan struct{}
}

const (
	progressAfter = time.Second
	progressEvery = 100 * time.Millisecond
)

// StartProgress shows the progress of a run on standard error, if that is a
// terminal and no other progress is shown: "verb: … of total unit". With
// printing, entries are printed on standard output; where that is a terminal,
// there is no progress line. It may return nil. Stop ends it.
func (s *Streams) StartProgress(verb, unit string, total int, printing bool) *Progress {
	if s.progress.Load() != nil || !IsTerminal(s.Err) || printing && IsTerminal(s.Out) {
		return nil
	}
	w, _ := underlying(s.Err).(io.Writer)
	b := &Progress{streams: s, w: w, verb: verb, unit: unit, total: total, width: LineWidth(w),
		begun: time.Now(), quit: make(chan struct{}), ended: make(chan struct{})}
	s.progress.Store(b)
	go b.run()
	return b
}

func (b *Progress) run() {
	defer close(b.ended)
	next := time.NewTimer(progressAfter)
	defer next.Stop()
	for {
		select {
		case <-b.quit:
			return
		case <-next.C:
			b.draw(time.Since(b.begun))
			next.Reset(progressEvery)
		}
	}
}

// Stop erases the line.
func (b *Progress) Stop() {
	if b == nil {
		return
	}
	close(b.quit)
	<-b.ended
	b.mu.Lock()
	b.erase()
	b.mu.Unlock()
	b.streams.progress.Store(nil)
}

// draw writes the line over the one that is shown.
func (b *Progress) draw(elapsed time.Duration) {
	text := b.text(elapsed)
	if b.width > 0 && len(text) >= b.width {
		// A line that fills the last column would begin another.
		text = text[:b.width-1]
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	blank := max(b.shown-len(text), 0)
	_, _ = fmt.Fprintf(b.w, "\r%s%s%s", text, strings.Repeat(" ", blank), strings.Repeat("\b", blank))
	b.shown = len(text)
}

// erase overwrites the line with blanks, which works on every terminal.
func (b *Progress) erase() {
	if b.shown > 0 {
		_, _ = fmt.Fprintf(b.w, "\r%*s\r", b.shown, "")
		b.shown = 0
	}
}

// barWidth is how many columns the bar has between its brackets.
const barWidth = 30

// text returns the line when elapsed time has passed.
func (b *Progress) text(elapsed time.Duration) string {
	n := int(b.n.Load())
	if b.total <= 0 {
		return fmt.Sprintf("%s: %s %s", b.verb, thousands(n), b.unit)
	}
	n = min(n, b.total)
	filled := int(int64(n) * barWidth / int64(b.total))
	text := fmt.Sprintf("%s: [%s%s] %3d%%, %s of %s %s", b.verb, strings.Repeat("#", filled), strings.Repeat(".", barWidth-filled),
		int64(n)*100/int64(b.total), thousands(n), thousands(b.total), b.unit)
	if n > 0 && n < b.total {
		left := time.Duration(float64(elapsed) / float64(n) * float64(b.total-n))
		text += fmt.Sprintf(", %d s left", int(left.Seconds())+1)
	}
	return text
}

// thousands formats a number with blanks between its groups of three digits.
func thousands(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + " " + s[i:]
	}
	return s
}

// progressWriter is where a stream leads to: what is written there erases the
// progress line first.
type progressWriter struct {
	streams *Streams
	w       io.Writer
}

func (p *progressWriter) Unwrap() io.Writer { return p.w }

func (p *progressWriter) Write(text []byte) (int, error) {
	b := p.streams.progress.Load()
	if b == nil || !b.covers(p) {
		return p.w.Write(text)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.erase()
	return p.w.Write(text)
}

// covers reports whether what p writes appears on a terminal, where the line is.
func (b *Progress) covers(p *progressWriter) bool { return p.w == b.w || IsTerminal(p.w) }

// Count counts the elements of seq as they are taken.
func Count[T any](b *Progress, seq iter.Seq[T]) iter.Seq[T] {
	if b == nil {
		return seq
	}
	return func(yield func(T) bool) {
		for v := range seq {
			if !yield(v) {
				return
			}
			b.n.Add(1)
		}
	}
}

// Count2 counts the pairs of seq as they are taken.
func Count2[K, V any](b *Progress, seq iter.Seq2[K, V]) iter.Seq2[K, V] {
	if b == nil {
		return seq
	}
	return func(yield func(K, V) bool) {
		for k, v := range seq {
			if !yield(k, v) {
				return
			}
			b.n.Add(1)
		}
	}
}
