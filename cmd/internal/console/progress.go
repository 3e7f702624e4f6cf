package console

import (
	"fmt"
	"io"
	"math"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// progress is a line on a terminal that shows how far a long run is. It appears
// after a second, and is erased before anything else is written and when the run
// ends.
//
// No library draws it, because each would cost every start of the program time:
// 0.12 ms for github.com/schollz/progressbar (v3.15.0; later versions link
// net/http, 0.7 ms), and as much for github.com/cheggaaa/pb and
// github.com/vbauerster/mpb.
type progress struct {
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

// startProgress shows the progress of a run on the terminal w.
func (s *Streams) startProgress(w io.Writer, verb, unit string, total int) *progress {
	b := &progress{streams: s, w: w, verb: verb, unit: unit, total: total, width: LineWidth(w),
		begun: time.Now(), quit: make(chan struct{}), ended: make(chan struct{})}
	s.progress.Store(b)
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

// stop erases the line.
func (b *progress) stop() {
	close(b.quit)
	<-b.ended
	b.mu.Lock()
	b.erase()
	b.mu.Unlock()
	b.streams.progress.Store(nil)
}

// draw writes the line over the one that is shown.
func (b *progress) draw(elapsed time.Duration) {
	text := b.text(elapsed)
	b.mu.Lock()
	defer b.mu.Unlock()
	blank := max(b.shown-len(text), 0)
	_, _ = fmt.Fprintf(b.w, "\r%s%s%s", text, strings.Repeat(" ", blank), strings.Repeat("\b", blank))
	b.shown = len(text)
}

// erase overwrites the line with blanks, which works on every terminal.
func (b *progress) erase() {
	if b.shown > 0 {
		_, _ = fmt.Fprintf(b.w, "\r%*s\r", b.shown, "")
		b.shown = 0
	}
}

// The columns that the bar has between its brackets, and with which it is left out.
const (
	barWidth = 30
	barLeast = 4
)

// text returns the line when elapsed time has passed. Where it does not fit, the bar
// shrinks first, then it is left out, then the numbers.
func (b *progress) text(elapsed time.Duration) string {
	n := int(b.n.Load())
	if b.total <= 0 {
		return b.cut(fmt.Sprintf("%s: %s %s", b.verb, thousands(n), b.unit))
	}
	n = min(n, b.total)
	percent := fmt.Sprintf("%3d%%", int64(n)*100/int64(b.total))
	numbers := fmt.Sprintf(", %s of %s %s", thousands(n), thousands(b.total), b.unit)
	left := ""
	if n > 0 && n < b.total {
		seconds := time.Duration(float64(elapsed) / float64(n) * float64(b.total-n)).Seconds()
		left = fmt.Sprintf(", %d s left", int(seconds)+1)
	}
	bar := min(barWidth, b.room()-len(b.verb)-len(": [] ")-len(percent)-len(numbers)-len(left))
	if bar <= barLeast {
		text := b.verb + ": " + strings.TrimSpace(percent)
		if b.room() >= len(text)+len(numbers)+len(left) {
			left = numbers + left
		}
		return b.cut(text + left)
	}
	filled := int(int64(n) * int64(bar) / int64(b.total))
	return fmt.Sprintf("%s: [%s%s] %s%s%s", b.verb, strings.Repeat("#", filled), strings.Repeat(".", bar-filled),
		percent, numbers, left)
}

// room returns how many columns a line may have: one that fills the last column
// would begin another.
func (b *progress) room() int {
	if b.width <= 0 {
		return math.MaxInt
	}
	return b.width - 1
}

// cut cuts a text that does not fit.
func (b *progress) cut(text string) string { return text[:min(len(text), b.room())] }

// thousands formats a number with blanks between its groups of three digits.
func thousands(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + " " + s[i:]
	}
	return s
}

// covers reports whether what p writes appears on a terminal, where the line is.
func (b *progress) covers(p *progressWriter) bool { return p.w == b.w || IsTerminal(p.w) }

// write erases the line, and writes text to w.
func (b *progress) write(w io.Writer, text []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.erase()
	return w.Write(text)
}
