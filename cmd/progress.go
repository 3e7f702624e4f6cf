package cmd

import (
	"fmt"
	"io"
	"iter"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// progress is a line on a terminal that tells how far a long run is. It shows
// after a second, and is gone before anything else is written and when the run
// ends. The methods of a nil progress do nothing.
//
// It is our own for the reason that format's tables are: every start of the
// program would wait until a library has set itself up, 0.12 ms for
// github.com/schollz/progressbar (v3.15.0; later ones bring net/http, 0.7 ms) and
// as long for github.com/cheggaaa/pb and github.com/vbauerster/mpb.
type progress struct {
	w     io.Writer
	verb  string // "loading"
	unit  string // "lines"
	total int    // 0: unknown
	width int    // of the terminal
	begun time.Time
	n     atomic.Int64

	mu    sync.Mutex // guards w and shown
	shown int        // columns that stand there

	quit, ended chan struct{}
	restore     func()
}

const (
	progressAfter = time.Second
	progressEvery = 100 * time.Millisecond
)

// startProgress shows the progress of a run on stderr, if that is a terminal.
// Who lists entries on a terminal sees them instead. stop ends it.
func (p *program) startProgress(verb, unit string, total int, lists bool) *progress {
	if p.progress != nil || !isTerminal(p.stderr) || lists && isTerminal(p.stdout) {
		return nil
	}
	// What is held back makes room when it is said.
	stdout, stderr := &p.out.w, &p.stderr
	if p.held != nil {
		stdout, stderr = &p.held.stdout, &p.held.stderr
	}
	below, w := *stdout, *stderr
	b := &progress{w: w, verb: verb, unit: unit, total: total, width: lineWidth(w),
		begun: time.Now(), quit: make(chan struct{}), ended: make(chan struct{})}
	*stderr = &above{b, w}
	if isTerminal(below) {
		*stdout = &above{b, below}
	}
	p.progress = b
	b.restore = func() { *stdout, *stderr, p.progress = below, w, nil }
	go b.run()
	return b
}

func (b *progress) run() {
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

// stop takes the line away.
func (b *progress) stop() {
	if b == nil {
		return
	}
	close(b.quit)
	<-b.ended
	b.mu.Lock()
	b.erase()
	b.mu.Unlock()
	b.restore()
}

// draw writes the line over the one that stands there.
func (b *progress) draw(elapsed time.Duration) {
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

// erase takes away what stands there. Blanks do it on every terminal.
func (b *progress) erase() {
	if b.shown > 0 {
		_, _ = fmt.Fprintf(b.w, "\r%*s\r", b.shown, "")
		b.shown = 0
	}
}

// barWidth is how many columns the bar has between its brackets.
const barWidth = 30

// text is the line after so much time.
func (b *progress) text(elapsed time.Duration) string {
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

// thousands writes a number with blanks between its groups of three digits.
func thousands(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + " " + s[i:]
	}
	return s
}

// above writes what is no progress: the line makes room for it.
type above struct {
	progress *progress
	w        io.Writer
}

func (a *above) Write(p []byte) (int, error) {
	a.progress.mu.Lock()
	defer a.progress.mu.Unlock()
	a.progress.erase()
	return a.w.Write(p)
}

// requests counts the requests of a file as they are taken.
func (b *progress) requests(seq iter.Seq[*Request]) iter.Seq[*Request] {
	if b == nil {
		return seq
	}
	return func(yield func(*Request) bool) {
		for r := range seq {
			if !yield(r) {
				return
			}
			b.n.Add(1)
		}
	}
}

// flows counts entries as they come.
func (b *progress) flows(seq iter.Seq2[*ctnetlink.Flow, error]) iter.Seq2[*ctnetlink.Flow, error] {
	if b == nil {
		return seq
	}
	return func(yield func(*ctnetlink.Flow, error) bool) {
		for f, err := range seq {
			if !yield(f, err) {
				return
			}
			b.n.Add(1)
		}
	}
}
